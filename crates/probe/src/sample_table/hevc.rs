//! H.265 (ITU-T H.265 §7.4.3.2 and annex E; ISO/IEC 14496-15 §8.3.3), parsed by `scuffle-h265`.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use scuffle_h265::{AspectRatioInfo, HEVCDecoderConfigurationRecord, NALUnitType, SpsNALUnit, SpsRbsp};

use super::colour::named_colour;
use super::limits::MAX_PARAMETER_SET_BYTES;
use super::picture::{PictureFacts, agreeing, planar};
use super::{Undecided, hevc_tail};
use crate::geometry::{AspectRatio, CodedSize};
use crate::info::{Chroma, Colour, Scan};

/// Reads the payload of `hvcC`. All sequence parameter sets have to say the same.
pub(super) fn facts(config: &[u8]) -> Result<PictureFacts, Undecided> {
    // That crate adds and subtracts what it has read without looking.
    let parsed = catch_unwind(AssertUnwindSafe(|| parameter_sets(config)));
    let sets = parsed.unwrap_or_else(|_| Err(io::Error::other("out of range"))).map_err(unsound)?;
    agreeing(sets.iter().map(|set| parameter_set(&set.rbsp)))
}

fn unsound(reason: impl std::fmt::Display) -> Undecided {
    Undecided::Unsound(format!("parameter set: {reason}"))
}

fn parameter_sets(config: &[u8]) -> io::Result<Vec<SpsNALUnit>> {
    let record = HEVCDecoderConfigurationRecord::demux(config)?;
    let arrays = record.arrays.iter().filter(|array| array.nal_unit_type == NALUnitType::SpsNut);
    let parse = |nal: &[u8]| {
        if nal.len() > MAX_PARAMETER_SET_BYTES || !hevc_tail::is_plain(nal) {
            return Err(io::Error::other("not one without extensions"));
        }
        SpsNALUnit::parse(nal)
    };
    arrays.flat_map(|array| &array.nalus).map(|nal| parse(nal)).collect()
}

fn parameter_set(sps: &SpsRbsp) -> Result<PictureFacts, Undecided> {
    let general = &sps.profile_tier_level.general_profile;
    // libav's spelling (`ff_hevc_profiles`).
    let profile = match general.profile_idc {
        1 => "Main",
        2 => "Main 10",
        3 => "Main Still Picture",
        4 => "Rext",
        other => return Err(Undecided::codec(format!("H.265 profile {other}"))),
    };
    let vui = sps.vui_parameters.as_ref();
    if general.interlaced_source_flag && !general.progressive_source_flag || vui.is_some_and(|vui| vui.field_seq_flag) {
        return Err(Undecided::codec("field coding is allowed"));
    }
    let bit_depth = 8 + sps.bit_depth_luma_minus8;
    if sps.bit_depth_luma_minus8 != sps.bit_depth_chroma_minus8 {
        return Err(Undecided::codec("luma and chroma of different depth"));
    }
    let sampling = match (sps.chroma_format_idc, sps.separate_colour_plane_flag) {
        (0, _) => Chroma::Monochrome,
        (1, _) => Chroma::Yuv420,
        (2, _) => Chroma::Yuv422,
        (3, false) => Chroma::Yuv444,
        _ => return Err(Undecided::codec("unknown chroma format")),
    };
    let signal = vui.map(|vui| &vui.video_signal_type);
    let codes = signal
        .map(|signal| [signal.colour_primaries, signal.transfer_characteristics, signal.matrix_coeffs].map(u16::from));
    // BT.2020 with a plain transfer is how broadcasters hide HLG: a message in the stream then names the transfer
    // that is meant (annex D, "alternative transfer characteristics").
    if let Some([9, 1 | 6 | 14 | 15, _]) = codes {
        return Err(Undecided::codec("BT.2020 whose transfer a message in the stream may change"));
    }
    let colour =
        codes.map_or_else(Colour::default, |[primaries, transfer, matrix]| named_colour(primaries, transfer, matrix));
    Ok(PictureFacts {
        codec: "hevc",
        profile: Some(profile),
        coded: cropped(sps).ok_or_else(|| unsound("no picture size"))?,
        cropping: None,
        pixel_format: planar(sampling, bit_depth, codes.map(|[.., matrix]| matrix))?,
        sample_aspect: vui.and_then(|vui| sample_aspect(&vui.aspect_ratio_info)),
        scan: general.progressive_source_flag.then_some(Scan::Progressive),
        // Without a video signal type the range is limited (annex E.3.1, as libav takes it).
        colour: Colour { full_range: Some(signal.is_some_and(|signal| signal.video_full_range_flag)), ..colour },
    })
}

/// The picture within the conformance window, which counts in chroma samples (§7.4.3.2.1).
fn cropped(sps: &SpsRbsp) -> Option<CodedSize> {
    let window = &sps.conformance_window;
    let side = |whole: u64, unit: u8, before: u64, behind: u64| {
        let cut = before.checked_add(behind)?.checked_mul(u64::from(unit))?;
        u32::try_from(whole.checked_sub(cut)?).ok().filter(|side| *side > 0)
    };
    let (width, height) = (sps.pic_width_in_luma_samples.get(), sps.pic_height_in_luma_samples.get());
    Some(CodedSize {
        width: side(width, sps.sub_width_c(), window.conf_win_left_offset, window.conf_win_right_offset)?,
        height: side(height, sps.sub_height_c(), window.conf_win_top_offset, window.conf_win_bottom_offset)?,
    })
}

/// Table E.1.
fn sample_aspect(info: &AspectRatioInfo) -> Option<AspectRatio> {
    const PREDEFINED: [(u32, u32); 16] = [
        (1, 1),
        (12, 11),
        (10, 11),
        (16, 11),
        (40, 33),
        (24, 11),
        (20, 11),
        (32, 11),
        (80, 33),
        (18, 11),
        (15, 11),
        (64, 33),
        (160, 99),
        (4, 3),
        (3, 2),
        (2, 1),
    ];
    let (across, down) = match info {
        AspectRatioInfo::Predefined(code) => *PREDEFINED.get(usize::from(code.0).checked_sub(1)?)?,
        AspectRatioInfo::ExtendedSar { sar_width, sar_height } => (u32::from(*sar_width), u32::from(*sar_height)),
    };
    AspectRatio::new(across, down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aspects_of_table_e_1() {
        let aspect = |code| sample_aspect(&AspectRatioInfo::Predefined(scuffle_h265::AspectRatioIdc(code)));
        assert_eq!(aspect(0), None);
        assert_eq!(aspect(1), AspectRatio::new(1, 1));
        assert_eq!(aspect(14), AspectRatio::new(4, 3));
        assert_eq!(aspect(17), None, "reserved");
        assert_eq!(sample_aspect(&AspectRatioInfo::ExtendedSar { sar_width: 0, sar_height: 1 }), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes: Vec<u8>) {
            let _ = facts(&bytes);
        }
    }
}
