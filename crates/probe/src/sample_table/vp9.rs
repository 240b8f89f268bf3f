//! VP9 ("VP Codec ISO Media File Format Binding" v1.0, `vpcC`).

use super::Undecided;
use super::colour::named_colour;
use super::picture::{PictureFacts, planar};
use crate::geometry::CodedSize;
use crate::info::{Chroma, Colour};

/// Reads the payload of `vpcC`; the picture's size stands in the sample entry alone.
pub(super) fn facts(config: &[u8], size: CodedSize) -> Result<PictureFacts, Undecided> {
    // Version and flags, then profile, level, depth with chroma and range, and three colour codes. Version 0 was a
    // draft with another layout.
    let &[1, _, _, _, profile, _, samples, primaries, transfer, matrix, ..] = config else {
        return Err(Undecided::codec("vpcC of another version"));
    };
    let profile = match profile {
        0 => "Profile 0",
        1 => "Profile 1",
        2 => "Profile 2",
        3 => "Profile 3",
        other => return Err(Undecided::codec(format!("VP9 profile {other}"))),
    };
    let bit_depth = samples >> 4;
    let chroma = match samples >> 1 & 7 {
        0 | 1 => Chroma::Yuv420,
        2 => Chroma::Yuv422,
        3 => Chroma::Yuv444,
        other => return Err(Undecided::codec(format!("VP9 chroma {other}"))),
    };
    if !matches!(bit_depth, 8 | 10 | 12) || size.width == 0 || size.height == 0 {
        return Err(Undecided::Unsound("vpcC without depth or size".to_owned()));
    }
    let codes = [primaries, transfer, matrix].map(u16::from);
    Ok(PictureFacts {
        codec: "vp9",
        profile: Some(profile),
        coded: size,
        cropping: None,
        pixel_format: planar(chroma, bit_depth, Some(codes[2]))?,
        sample_aspect: None,
        scan: None,
        colour: Colour { full_range: Some(samples & 1 == 1), ..named_colour(codes[0], codes[1], codes[2]) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: CodedSize = CodedSize { width: 321, height: 241 };

    #[test]
    fn depth_chroma_and_range_share_a_byte() {
        let told = facts(&[1, 0, 0, 0, 2, 31, 0xA2, 9, 16, 9, 0, 0], SIZE).unwrap();
        assert_eq!((told.profile, told.pixel_format.name.as_str()), (Some("Profile 2"), "yuv420p10le"));
        assert_eq!(told.colour.transfer.as_deref(), Some("smpte2084"));
        assert_eq!(told.colour.full_range, Some(false));
        assert!(facts(&[0, 0, 0, 0, 0, 31, 0x82, 2, 2, 2], SIZE).is_err(), "the draft");
        assert!(facts(&[1, 0, 0, 0, 0, 31, 0x82], SIZE).is_err());
    }
}
