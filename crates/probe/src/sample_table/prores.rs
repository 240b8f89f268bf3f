//! Apple ProRes 422 (SMPTE RDD 36; Apple, "ProRes and QuickTime file format").

use super::Undecided;
use super::picture::{PictureFacts, planar};
use super::visual_entry::VisualEntry;
use crate::info::{Chroma, Colour};

/// Reads the sample entry, which is all that there is: no configuration box. The frames repeat the colours, so an
/// entry without `colr` is left undecided. ProRes 4444 may have an alpha channel, which only the frames tell.
pub(super) fn facts(entry: &VisualEntry) -> Result<PictureFacts, Undecided> {
    // libav's spelling (`ff_prores_profiles`).
    let profile = match &entry.kind {
        b"apco" => "Proxy",
        b"apcs" => "LT",
        b"apcn" => "Standard",
        _ => "HQ",
    };
    if entry.colour.is_none() {
        return Err(Undecided::codec("ProRes without colr"));
    }
    if entry.size.width == 0 || entry.size.height == 0 {
        return Err(Undecided::Unsound("no picture size".to_owned()));
    }
    Ok(PictureFacts {
        codec: "prores",
        profile: Some(profile),
        coded: entry.size,
        cropping: None,
        pixel_format: planar(Chroma::Yuv422, 10, None)?,
        sample_aspect: None,
        scan: None,
        // libav's decoder says so of every frame.
        colour: Colour { full_range: Some(false), ..Colour::default() },
    })
}
