//! AV1 ("AV1 Codec ISO Media File Format Binding" §2.3; AV1 specification §5.5), parsed by `scuffle-av1`.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use scuffle_av1::seq::SequenceHeaderObu;
use scuffle_av1::{ObuHeader, ObuType};

use super::Undecided;
use super::colour::named_colour;
use super::picture::{PictureFacts, planar};
use crate::geometry::CodedSize;
use crate::info::{Chroma, Colour};

/// Bytes of the record before its OBUs.
const FIELDS: usize = 4;

/// Reads the payload of `av1C`. Only its sequence header tells the colours, so a record without one is left
/// undecided; and the sample entry has to agree with its size.
pub(super) fn facts(config: &[u8], size: CodedSize) -> Result<PictureFacts, Undecided> {
    let unsound = |reason: &str| Undecided::Unsound(format!("sequence header: {reason}"));
    let obus = config.get(FIELDS..).ok_or_else(|| unsound("av1C too short"))?;
    // That crate adds what it has read without looking.
    let parsed = catch_unwind(AssertUnwindSafe(|| sequence_header(obus)));
    let header = parsed.unwrap_or_else(|_| Err(io::Error::other("out of range")));
    let header = header.map_err(|error| unsound(&error.to_string()))?;
    let header = header.ok_or_else(|| Undecided::codec("av1C without a sequence header"))?;
    if (header.max_frame_width, header.max_frame_height) != (u64::from(size.width), u64::from(size.height)) {
        return Err(Undecided::Contradiction("av01 and its sequence header are of different sizes".to_owned()));
    }
    let profile = match header.seq_profile {
        0 => "Main",
        1 => "High",
        2 => "Professional",
        other => return Err(Undecided::codec(format!("AV1 profile {other}"))),
    };
    let colour = &header.color_config;
    let chroma = match (colour.mono_chrome, colour.subsampling_x, colour.subsampling_y) {
        (true, ..) => Chroma::Monochrome,
        (_, true, true) => Chroma::Yuv420,
        (_, true, false) => Chroma::Yuv422,
        (_, false, _) => Chroma::Yuv444,
    };
    let codes = [colour.color_primaries, colour.transfer_characteristics, colour.matrix_coefficients].map(u16::from);
    let bit_depth = u8::try_from(colour.bit_depth).map_err(|_| unsound("bit depth"))?;
    Ok(PictureFacts {
        codec: "av1",
        profile: Some(profile),
        coded: size,
        cropping: None,
        pixel_format: planar(chroma, bit_depth, Some(codes[2]))?,
        sample_aspect: None,
        scan: None,
        colour: Colour { full_range: Some(colour.full_color_range), ..named_colour(codes[0], codes[1], codes[2]) },
    })
}

fn sequence_header(obus: &[u8]) -> io::Result<Option<SequenceHeaderObu>> {
    let mut rest = io::Cursor::new(obus);
    while rest.position() < obus.len() as u64 {
        let header = ObuHeader::parse(&mut rest)?;
        if header.obu_type == ObuType::SequenceHeader {
            return SequenceHeaderObu::parse(header, &mut rest).map(Some);
        }
        // An OBU without a size goes to the end.
        let Some(size) = header.size else { return Ok(None) };
        rest.set_position(rest.position().saturating_add(size));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes: Vec<u8>) {
            let _ = facts(&bytes, CodedSize { width: 320, height: 240 });
        }

        #[test]
        fn any_sequence_header_ends_in_an_answer(bytes: Vec<u8>) {
            let config = [&[0x81, 0, 0, 0, 0x0A, 0x0B][..], &bytes].concat();
            let _ = facts(&config, CodedSize { width: 320, height: 240 });
        }
    }
}
