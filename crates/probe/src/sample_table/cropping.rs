//! The frame cropping rectangle of H.264 (ITU-T H.264 §7.4.2.1.1), for readers that hold a codec's configuration.

use h264_reader::avcc::AvcDecoderConfigurationRecord;
use h264_reader::nal::sps::{ChromaFormat, FrameMbsFlags, SeqParameterSet};
use h264_reader::rbsp::{BitReader, decode_nal};

use super::fence::fenced;
use super::limits::MAX_PARAMETER_SET_BYTES;
use crate::geometry::FrameCropping;

/// `nal_unit_type` of a sequence parameter set (Table 7-1).
const SEQUENCE_PARAMETER_SET: u8 = 7;

/// What the sequence parameter sets in `configuration`, an `avcC` payload or Annex B bytes, cut away. `None` when there
/// is none, they differ, or one cannot be read.
#[must_use]
pub fn frame_cropping(configuration: &[u8]) -> Option<FrameCropping> {
    fenced(|| Ok(agreed(configuration))).ok().flatten()
}

fn agreed(configuration: &[u8]) -> Option<FrameCropping> {
    let mut croppings = if configuration.first() == Some(&1) {
        // ISO/IEC 14496-15 §5.3.3.1.
        let record = AvcDecoderConfigurationRecord::try_from(configuration).ok()?;
        record.sequence_parameter_sets().map(|set| set.ok().and_then(read)).collect::<Vec<_>>()
    } else {
        in_annex_b(configuration).into_iter().map(read).collect()
    }
    .into_iter();
    let first = croppings.next()??;
    croppings.all(|other| other == Some(first)).then_some(first)
}

/// The sets between start codes (Annex B).
fn in_annex_b(bytes: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> =
        bytes.windows(3).enumerate().filter(|(_, code)| *code == [0, 0, 1]).map(|(at, _)| at + 3).collect();
    let ends = starts.iter().skip(1).map(|next| next - 3).chain([bytes.len()]);
    let units = starts.iter().zip(ends).filter_map(|(start, end)| bytes.get(*start..end));
    units.filter(|unit| unit.first().is_some_and(|header| header & 0x1F == SEQUENCE_PARAMETER_SET)).collect()
}

/// Reads one set, NAL unit header included.
fn read(nal: &[u8]) -> Option<FrameCropping> {
    // Shorter ones panic in `decode_nal`.
    if nal.len() < 4 || nal.len() > MAX_PARAMETER_SET_BYTES {
        return None;
    }
    let rbsp = decode_nal(nal).ok()?;
    of(&SeqParameterSet::from_bits(BitReader::new(&*rbsp)).ok()?)
}

/// What `set` cuts away, in luma samples: Table 6-1 and equations 7-19 to 7-22.
pub(super) fn of(set: &SeqParameterSet) -> Option<FrameCropping> {
    let (sub_width, sub_height) = match set.chroma_info.chroma_format {
        ChromaFormat::YUV420 => (2, 2),
        ChromaFormat::YUV422 => (2, 1),
        ChromaFormat::Monochrome | ChromaFormat::YUV444 => (1, 1),
        ChromaFormat::Invalid(_) => return None,
    };
    let rows = if matches!(set.frame_mbs_flags, FrameMbsFlags::Frames) { 1 } else { 2 };
    let (unit_x, unit_y) = (sub_width, sub_height * rows);
    let none = FrameCropping { left: 0, right: 0, top: 0, bottom: 0, unit_x, unit_y };
    let Some(cropping) = &set.frame_cropping else { return Some(none) };
    Some(FrameCropping {
        left: cropping.left_offset.checked_mul(unit_x)?,
        right: cropping.right_offset.checked_mul(unit_x)?,
        top: cropping.top_offset.checked_mul(unit_y)?,
        bottom: cropping.bottom_offset.checked_mul(unit_y)?,
        ..none
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x264 at High, 270×472 of 272×480, and 4 columns off the left besides: 266×472 by ffprobe.
    const SET: &[u8] = &[
        0x67, 0x64, 0x00, 0x15, 0xAC, 0xD9, 0x41, 0x10, 0xF7, 0x6A, 0x5C, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40,
        0x00, 0x00, 0x0C, 0x83, 0xC5, 0x8B, 0x65, 0x80,
    ];

    fn record(sets: &[&[u8]]) -> Vec<u8> {
        let mut bytes = vec![1, 0x64, 0, 0x15, 0xFF, 0xE0 | u8::try_from(sets.len()).unwrap()];
        for set in sets {
            bytes.extend_from_slice(&u16::try_from(set.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(set);
        }
        bytes.push(0);
        bytes
    }

    #[test]
    fn both_framings_say_the_same() {
        let told = frame_cropping(&record(&[SET]));
        assert_eq!(told, Some(FrameCropping { left: 4, right: 2, top: 0, bottom: 8, unit_x: 2, unit_y: 2 }));
        let annex_b = [&[0, 0, 0, 1][..], SET, &[0, 0, 0, 1, 0x68, 0xCE, 0x38, 0x80]].concat();
        assert_eq!(frame_cropping(&annex_b), told);
        assert_eq!(frame_cropping(&record(&[SET, SET])), told, "the same twice");
    }

    #[test]
    fn what_cannot_be_read_is_not_guessed() {
        for bytes in [&[][..], &[1], &[0, 0, 1], &[0, 0, 1, 0x67], &record(&[]), &record(&[SET, &SET[..5]])] {
            assert_eq!(frame_cropping(bytes), None, "{bytes:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes: Vec<u8>, framed: bool) {
            let before: &[u8] = if framed { &[0, 0, 1, 0x67] } else { &[1, 0x64, 0, 0x15, 0xFF, 0xE1] };
            let bytes = [before, &bytes].concat();
            let _ = frame_cropping(&bytes);
        }
    }
}
