//! The codec of a picture, from its sample entry.

use super::visual_entry::VisualEntry;
use super::{Undecided, av1, avc, h263, hevc, mpeg4_visual, prores, vp9};
use crate::geometry::{AspectRatio, CodedSize, FrameCropping};
use crate::info::{Chroma, Colour, PixelFormat, Scan};

/// What the codec's configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PictureFacts {
    /// libav's codec name.
    pub(super) codec: &'static str,
    /// libav's spelling.
    pub(super) profile: Option<&'static str>,
    /// After the codec's own cropping.
    pub(super) coded: CodedSize,
    /// What H.264's parameter set cuts away.
    pub(super) cropping: Option<FrameCropping>,
    /// Samples and depth.
    pub(super) pixel_format: PixelFormat,
    /// The codec's word; the container's goes before it.
    pub(super) sample_aspect: Option<AspectRatio>,
    /// Where the codec itself is sure; else the container's `fiel` says.
    pub(super) scan: Option<Scan>,
    /// The codec's word; it goes before the container's.
    pub(super) colour: Colour,
}

/// Reads what `entry`, of the buffer `bytes`, says.
pub(super) fn facts(entry: &VisualEntry, bytes: &[u8]) -> Result<PictureFacts, Undecided> {
    match &entry.kind {
        b"avc1" | b"avc3" => avc::facts(entry.boxed(bytes, b"avcC")?),
        // Dolby Vision has names of its own for the same configuration (Dolby Vision Streams Within the ISO Base
        // Media File Format §3).
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => hevc::facts(entry.boxed(bytes, b"hvcC")?),
        b"vp09" => vp9::facts(entry.boxed(bytes, b"vpcC")?, entry.size),
        b"av01" => av1::facts(entry.boxed(bytes, b"av1C")?, entry.size),
        b"mp4v" => mpeg4_visual::facts(entry.boxed(bytes, b"esds")?),
        b"s263" => h263::facts(entry.boxed(bytes, b"d263")?, entry.size),
        b"apch" | b"apcn" | b"apcs" | b"apco" => prores::facts(entry),
        kind => Err(Undecided::codec(format!("video in {}", kind.escape_ascii()))),
    }
}

/// What all parameter sets say, when they say the same.
pub(super) fn agreeing(
    mut sets: impl Iterator<Item = Result<PictureFacts, Undecided>>,
) -> Result<PictureFacts, Undecided> {
    let first = sets.next().ok_or_else(|| Undecided::codec("no sequence parameter set in the sample entry"))??;
    for other in sets {
        if other? != first {
            return Err(Undecided::codec("sequence parameter sets that disagree"));
        }
    }
    Ok(first)
}

/// libav's planar format. `matrix` 0 (ITU-T H.273) makes three full planes RGB, which has other names: left undecided.
pub(super) fn planar(chroma: Chroma, bit_depth: u8, matrix: Option<u16>) -> Result<PixelFormat, Undecided> {
    let name = match chroma {
        Chroma::Monochrome => "gray",
        Chroma::Yuv420 => "yuv420p",
        Chroma::Yuv422 => "yuv422p",
        Chroma::Yuv444 if matrix != Some(0) => "yuv444p",
        Chroma::Yuv444 | Chroma::Other => return Err(Undecided::codec("RGB")),
    };
    let name = if bit_depth > 8 { format!("{name}{bit_depth}le") } else { name.to_owned() };
    Ok(PixelFormat { name, bit_depth, chroma })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(width: u32) -> Result<PictureFacts, Undecided> {
        Ok(PictureFacts {
            codec: "h264",
            profile: Some("High"),
            coded: CodedSize { width, height: 480 },
            cropping: None,
            pixel_format: planar(Chroma::Yuv420, 8, None)?,
            sample_aspect: None,
            scan: None,
            colour: Colour::default(),
        })
    }

    #[test]
    fn sets_that_agree_are_one() {
        assert_eq!(agreeing([said(270), said(270)].into_iter()), said(270));
        assert!(agreeing([said(270), said(272)].into_iter()).is_err());
        assert!(agreeing([said(270), Err(Undecided::Fragmented)].into_iter()).is_err());
        assert!(agreeing(std::iter::empty()).is_err());
    }

    #[test]
    fn names_of_planar_formats() {
        let name = |chroma, depth, matrix| planar(chroma, depth, matrix).map(|format| format.name).ok();
        assert_eq!(name(Chroma::Yuv420, 8, Some(1)).as_deref(), Some("yuv420p"));
        assert_eq!(name(Chroma::Yuv444, 12, None).as_deref(), Some("yuv444p12le"));
        assert_eq!(name(Chroma::Yuv444, 8, Some(0)), None, "RGB");
    }
}
