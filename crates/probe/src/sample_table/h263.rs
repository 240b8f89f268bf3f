//! H.263 in 3GPP files (TS 26.244 §6.6 and §6.8; ITU-T H.263 §5.1).

use super::Undecided;
use super::picture::{PictureFacts, planar};
use crate::geometry::{AspectRatio, CodedSize};
use crate::info::{Chroma, Colour, Scan};

/// Reads the payload of `d263`. Profile 0 (baseline) has no extended picture headers: the size is one of five, and
/// with it the shape of a sample (§5.1.3 and table 5). Other profiles are left undecided.
pub(super) fn facts(config: &[u8], size: CodedSize) -> Result<PictureFacts, Undecided> {
    // Vendor, decoder version, level, profile.
    let &[_, _, _, _, _, _, 0, ..] = config else {
        return Err(Undecided::codec("H.263 beyond the baseline profile"));
    };
    if !matches!((size.width, size.height), (128, 96) | (176, 144) | (352, 288) | (704, 576) | (1408, 1152)) {
        return Err(Undecided::Contradiction("a size that baseline H.263 has not".to_owned()));
    }
    Ok(PictureFacts {
        codec: "h263",
        profile: None,
        coded: size,
        cropping: None,
        pixel_format: planar(Chroma::Yuv420, 8, None)?,
        sample_aspect: AspectRatio::new(12, 11),
        scan: Some(Scan::Progressive),
        colour: Colour::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn baseline_has_samples_of_12_to_11() {
        let size = CodedSize { width: 176, height: 144 };
        let told = facts(&[0, 0, 0, 0, 0, 10, 0], size).unwrap();
        assert_eq!(told.sample_aspect, AspectRatio::new(12, 11));
        assert!(facts(&[0, 0, 0, 0, 0, 10, 3], size).is_err());
        assert!(facts(&[0, 0, 0, 0, 0, 10, 0], CodedSize { width: 320, height: 240 }).is_err());
        assert!(facts(&[0, 0], size).is_err());
    }
}
