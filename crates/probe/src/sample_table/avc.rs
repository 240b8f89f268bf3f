//! The picture's facts from the sequence parameter set (ITU-T H.264 §7.4.2.1.1 and annex E), parsed by `h264-reader`.

use h264_reader::nal::sps::{ChromaFormat, FrameMbsFlags, Profile, SeqParameterSet};
use h264_reader::rbsp::{BitReader, decode_nal};

use super::Undecided;
use super::limits::MAX_PARAMETER_SET_BYTES;
use crate::geometry::{AspectRatio, CodedSize};
use crate::info::{Chroma, Colour, PixelFormat};

/// What one parameter set says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AvcFacts {
    pub(super) profile: Option<String>,
    pub(super) coded: CodedSize,
    pub(super) pixel_format: PixelFormat,
    pub(super) sample_aspect: Option<AspectRatio>,
    pub(super) colour: Colour,
}

/// Reads a sequence parameter set NAL unit, header byte included.
pub(super) fn facts(nal: &[u8]) -> Result<AvcFacts, Undecided> {
    let unsound = |reason: String| Undecided::Unsound(format!("parameter set: {reason}"));
    // Header, profile, constraints and level are there at least; `decode_nal` panics over no bytes at all.
    if nal.len() < 4 || nal.len() > MAX_PARAMETER_SET_BYTES {
        return Err(unsound(format!("{} bytes", nal.len())));
    }
    let rbsp = decode_nal(nal).map_err(|error| unsound(error.to_string()))?;
    let sps = SeqParameterSet::from_bits(BitReader::new(&*rbsp)).map_err(|error| unsound(format!("{error:?}")))?;
    // With field tools allowed, frames may still all be progressive: only the pictures tell.
    if !matches!(sps.frame_mbs_flags, FrameMbsFlags::Frames) {
        return Err(Undecided::codec("field coding is allowed"));
    }
    let (width, height) = sps.pixel_dimensions().map_err(|error| unsound(format!("{error:?}")))?;
    if width == 0 || height == 0 {
        return Err(unsound("no picture size".to_owned()));
    }
    let vui = sps.vui_parameters.as_ref();
    let signal = vui.and_then(|vui| vui.video_signal_type.as_ref());
    let description = signal.and_then(|signal| signal.colour_description.as_ref());
    let colour = description.map_or_else(Colour::default, |code| {
        named_colour(
            u16::from(code.colour_primaries),
            u16::from(code.transfer_characteristics),
            u16::from(code.matrix_coefficients),
        )
    });
    Ok(AvcFacts {
        profile: profile_name(sps.profile()).map(str::to_owned),
        coded: CodedSize { width, height },
        pixel_format: pixel_format(&sps)?,
        sample_aspect: vui
            .and_then(|vui| vui.aspect_ratio_info.as_ref())
            .and_then(h264_reader::nal::sps::AspectRatioInfo::get)
            .and_then(|(across, down)| AspectRatio::new(across.into(), down.into())),
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

fn pixel_format(sps: &SeqParameterSet) -> Result<PixelFormat, Undecided> {
    let info = &sps.chroma_info;
    let (chroma, name) = match info.chroma_format {
        ChromaFormat::Monochrome => (Chroma::Monochrome, "gray"),
        ChromaFormat::YUV420 => (Chroma::Yuv420, "yuv420p"),
        ChromaFormat::YUV422 => (Chroma::Yuv422, "yuv422p"),
        ChromaFormat::YUV444 => (Chroma::Yuv444, "yuv444p"),
        ChromaFormat::Invalid(_) => return Err(Undecided::codec("unknown chroma format")),
    };
    let bit_depth = 8 + info.bit_depth_luma_minus8.max(info.bit_depth_chroma_minus8);
    let suffix = if bit_depth > 8 { format!("{bit_depth}le") } else { String::new() };
    Ok(PixelFormat { name: format!("{name}{suffix}"), bit_depth, chroma })
}

/// Names of ITU-T H.273 code points as libav spells them; 2 is "unspecified".
pub(super) fn named_colour(primaries: u16, transfer: u16, matrix: u16) -> Colour {
    let primaries = match primaries {
        1 => "bt709",
        4 => "bt470m",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "film",
        9 => "bt2020",
        10 => "smpte428",
        11 => "smpte431",
        12 => "smpte432",
        22 => "ebu3213",
        _ => "",
    };
    let transfer = match transfer {
        1 => "bt709",
        4 => "bt470m",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        8 => "linear",
        11 => "iec61966-2-4",
        13 => "iec61966-2-1",
        14 => "bt2020-10",
        15 => "bt2020-12",
        16 => "smpte2084",
        17 => "smpte428",
        18 => "arib-std-b67",
        _ => "",
    };
    let matrix = match matrix {
        0 => "gbr",
        1 => "bt709",
        4 => "fcc",
        5 => "bt470bg",
        6 => "smpte170m",
        7 => "smpte240m",
        9 => "bt2020nc",
        10 => "bt2020c",
        14 => "ictcp",
        _ => "",
    };
    let some = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    Colour { primaries: some(primaries), transfer: some(transfer), matrix: some(matrix), full_range: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Such a set panicked in `h264-reader`.
    #[test]
    fn a_parameter_set_has_a_size_that_makes_sense() {
        for length in [0, 1, 3, MAX_PARAMETER_SET_BYTES + 1] {
            let nal = vec![0x67; length];
            assert!(matches!(facts(&nal), Err(Undecided::Unsound(_))), "{length} bytes passed");
        }
    }
}
