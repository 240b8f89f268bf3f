//! MPEG-4 part 2 (ISO/IEC 14496-2 §6.2.2 and §6.2.3).

use h264_reader::rbsp::{BitRead, BitReader, BitReaderError};

use super::picture::{PictureFacts, planar};
use super::{Undecided, esds};
use crate::geometry::{AspectRatio, CodedSize};
use crate::info::{Chroma, Colour, Scan};

/// Reads the payload of `esds`.
pub(super) fn facts(config: &[u8]) -> Result<PictureFacts, Undecided> {
    let config = esds::decoder_config(config).ok_or_else(|| Undecided::Unsound("esds too short".to_owned()))?;
    match config.object_type {
        0x20 => part_2(config.specific),
        other => Err(Undecided::codec(format!("video of object type {other:#x}"))),
    }
}

/// What follows the start code, whose last byte is one of `codes`.
fn section(config: &[u8], codes: std::ops::RangeInclusive<u8>) -> Option<&[u8]> {
    let at = config.windows(4).position(|window| window.starts_with(&[0, 0, 1]) && codes.contains(&window[3]))?;
    config.get(at + 4..)
}

fn short(_: BitReaderError) -> Undecided {
    Undecided::Unsound("video configuration too short".to_owned())
}

fn part_2(config: &[u8]) -> Result<PictureFacts, Undecided> {
    // `visual_object_sequence_start_code`, then `profile_and_level_indication`; libav's spelling.
    let profile = match section(config, 0xB0..=0xB0).and_then(|section| section.first()).map(|code| code >> 4) {
        Some(0) => "Simple Profile",
        Some(15) => "Advanced Simple Profile",
        _ => return Err(Undecided::codec("MPEG-4 video of another profile")),
    };
    let layer = section(config, 0x20..=0x2F).ok_or_else(|| Undecided::codec("mp4v without a video object layer"))?;
    let layer =
        Layer::read(layer).map_err(short)?.ok_or_else(|| Undecided::codec("MPEG-4 video that is no rectangle"))?;
    if layer.interlaced {
        return Err(Undecided::codec("field coding is allowed"));
    }
    if layer.size.width == 0 || layer.size.height == 0 {
        return Err(Undecided::Unsound("no picture size".to_owned()));
    }
    Ok(PictureFacts {
        codec: "mpeg4",
        profile: Some(profile),
        coded: layer.size,
        cropping: None,
        pixel_format: planar(Chroma::Yuv420, 8, None)?,
        sample_aspect: layer.sample_aspect,
        scan: Some(Scan::Progressive),
        colour: Colour::default(),
    })
}

/// `VideoObjectLayer`, as far as the size.
struct Layer {
    size: CodedSize,
    sample_aspect: Option<AspectRatio>,
    interlaced: bool,
}

impl Layer {
    /// `None` for shapes that are no rectangle.
    fn read(config: &[u8]) -> Result<Option<Self>, BitReaderError> {
        const EXTENDED: u8 = 15;
        let mut bits = BitReader::new(config);
        bits.skip(9, "random_accessible_vol, video_object_type_indication")?;
        if bits.read_bit("is_object_layer_identifier")? {
            bits.skip(7, "video_object_layer_verid, video_object_layer_priority")?;
        }
        let aspect = bits.read::<4, u8>("aspect_ratio_info")?;
        // Table 6-12.
        let sample_aspect = match aspect {
            1 => AspectRatio::new(1, 1),
            2 => AspectRatio::new(12, 11),
            3 => AspectRatio::new(10, 11),
            4 => AspectRatio::new(16, 11),
            5 => AspectRatio::new(40, 33),
            EXTENDED => AspectRatio::new(bits.read::<8, u32>("par_width")?, bits.read::<8, u32>("par_height")?),
            _ => None,
        };
        if bits.read_bit("vol_control_parameters")? {
            bits.skip(3, "chroma_format, low_delay")?;
            if bits.read_bit("vbv_parameters")? {
                bits.skip(79, "first_half_bit_rate and so on")?;
            }
        }
        if bits.read::<2, u8>("video_object_layer_shape")? != 0 {
            return Ok(None);
        }
        bits.skip(1, "marker_bit")?;
        let resolution = bits.read::<16, u16>("vop_time_increment_resolution")?;
        bits.skip(1, "marker_bit")?;
        if bits.read_bit("fixed_vop_rate")? {
            let increment_bits = u16::BITS - resolution.saturating_sub(1).leading_zeros();
            bits.skip(increment_bits.max(1), "fixed_vop_time_increment")?;
        }
        bits.skip(1, "marker_bit")?;
        let width = bits.read::<13, u32>("video_object_layer_width")?;
        bits.skip(1, "marker_bit")?;
        let height = bits.read::<13, u32>("video_object_layer_height")?;
        bits.skip(1, "marker_bit")?;
        let interlaced = bits.read_bit("interlaced")?;
        Ok(Some(Self { size: CodedSize { width, height }, sample_aspect, interlaced }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes: Vec<u8>) {
            let _ = facts(&bytes);
            let _ = part_2(&[&[0, 0, 1, 0xB0, 1, 0, 0, 1, 0x20][..], &bytes].concat());
        }
    }
}
