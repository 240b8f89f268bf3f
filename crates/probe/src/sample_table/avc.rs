//! H.264 (ITU-T H.264 §7.4.2.1.1 and annex E; ISO/IEC 14496-15 §5.3.3), parsed by `h264-reader`.

use h264_reader::avcc::AvcDecoderConfigurationRecord;
use h264_reader::nal::sps::{AspectRatioInfo, ChromaFormat, FrameMbsFlags, Profile, SeqParameterSet};
use h264_reader::rbsp::{BitReader, decode_nal};

use super::colour::named_colour;
use super::limits::MAX_PARAMETER_SET_BYTES;
use super::picture::{PictureFacts, agreeing, planar};
use super::{Undecided, cropping};
use crate::geometry::{AspectRatio, CodedSize};
use crate::info::{Chroma, Colour, Scan};

/// Reads the payload of `avcC`. All sequence parameter sets have to say the same.
pub(super) fn facts(config: &[u8]) -> Result<PictureFacts, Undecided> {
    let record = AvcDecoderConfigurationRecord::try_from(config).map_err(|error| unsound(format!("{error:?}")))?;
    agreeing(record.sequence_parameter_sets().map(|nal| {
        let nal = nal.map_err(|error| unsound(format!("{error:?}")))?;
        parameter_set(nal)
    }))
}

fn unsound(reason: impl std::fmt::Display) -> Undecided {
    Undecided::Unsound(format!("parameter set: {reason}"))
}

/// Reads a sequence parameter set NAL unit, header byte included.
fn parameter_set(nal: &[u8]) -> Result<PictureFacts, Undecided> {
    // Header, profile, constraints and level are there at least; `decode_nal` panics over no bytes at all.
    if nal.len() < 4 || nal.len() > MAX_PARAMETER_SET_BYTES {
        return Err(unsound(format!("{} bytes", nal.len())));
    }
    let rbsp = decode_nal(nal).map_err(unsound)?;
    let sps = SeqParameterSet::from_bits(BitReader::new(&*rbsp)).map_err(|error| unsound(format!("{error:?}")))?;
    // With field tools allowed, frames may still all be progressive: only the pictures tell. libav's reader reads
    // every packet of such a file.
    if !matches!(sps.frame_mbs_flags, FrameMbsFlags::Frames) {
        return Err(Undecided::codec("field coding is allowed"));
    }
    let (width, height) = sps.pixel_dimensions().map_err(|error| unsound(format!("{error:?}")))?;
    if width == 0 || height == 0 {
        return Err(unsound("no picture size"));
    }
    let vui = sps.vui_parameters.as_ref();
    let signal = vui.and_then(|vui| vui.video_signal_type.as_ref());
    let codes = signal.and_then(|signal| signal.colour_description.as_ref());
    let codes = codes
        .map(|code| [code.colour_primaries, code.transfer_characteristics, code.matrix_coefficients].map(u16::from));
    let colour =
        codes.map_or_else(Colour::default, |[primaries, transfer, matrix]| named_colour(primaries, transfer, matrix));
    let chroma = &sps.chroma_info;
    let bit_depth = chroma.bit_depth_luma_minus8;
    if bit_depth != chroma.bit_depth_chroma_minus8 {
        return Err(Undecided::codec("luma and chroma of different depth"));
    }
    let sampling = match chroma.chroma_format {
        // At some depths libav hands out three planes all the same.
        ChromaFormat::Monochrome => Chroma::Monochrome,
        ChromaFormat::YUV420 => Chroma::Yuv420,
        ChromaFormat::YUV422 => Chroma::Yuv422,
        ChromaFormat::YUV444 => Chroma::Yuv444,
        ChromaFormat::Invalid(_) => return Err(Undecided::codec("unknown chroma format")),
    };
    Ok(PictureFacts {
        codec: "h264",
        profile: profile_name(sps.profile()),
        coded: CodedSize { width, height },
        cropping: cropping::of(&sps),
        pixel_format: planar(sampling, 8 + bit_depth, codes.map(|[.., matrix]| matrix))?,
        sample_aspect: vui
            .and_then(|vui| vui.aspect_ratio_info.as_ref())
            .and_then(AspectRatioInfo::get)
            .and_then(|(across, down)| AspectRatio::new(across.into(), down.into())),
        scan: Some(Scan::Progressive),
        colour: Colour { full_range: signal.map(|signal| signal.video_full_range_flag), ..colour },
    })
}

/// libav's spelling (`ff_h264_profiles`).
const fn profile_name(profile: Profile) -> Option<&'static str> {
    Some(match profile {
        Profile::Baseline => "Baseline",
        Profile::ConstrainedBaseline => "Constrained Baseline",
        Profile::Main => "Main",
        Profile::Extended => "Extended",
        Profile::High | Profile::ProgressiveHigh | Profile::ConstrainedHigh => "High",
        Profile::High10 => "High 10",
        Profile::High10Intra => "High 10 Intra",
        Profile::High422 => "High 4:2:2",
        Profile::High422Intra => "High 4:2:2 Intra",
        Profile::High444 => "High 4:4:4 Predictive",
        Profile::High444Intra => "High 4:4:4 Intra",
        Profile::CavlcIntra444 => "CAVLC 4:4:4",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x264, 270×480 at High, and the same at Main.
    const HIGH: &[u8] = &[0x67, 0x64, 0x00, 0x15, 0xAC, 0xD9, 0x41, 0x10, 0xFA, 0x10];

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
    fn no_set_and_a_broken_one_are_left_undecided() {
        assert!(facts(&record(&[])).is_err());
        assert!(facts(&record(&[&HIGH[..4]])).is_err());
        assert!(facts(&[]).is_err());
    }

    /// Such a set panicked in `h264-reader`.
    #[test]
    fn a_parameter_set_has_a_size_that_makes_sense() {
        for length in [0, 1, 3, MAX_PARAMETER_SET_BYTES + 1] {
            let nal = vec![0x67; length];
            assert!(matches!(parameter_set(&nal), Err(Undecided::Unsound(_))), "{length} bytes passed");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes: Vec<u8>) {
            let _ = facts(&bytes);
            let _ = parameter_set(&bytes);
        }
    }
}
