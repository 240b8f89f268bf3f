//! Pieces of filter descriptions that stills and encodes share. Pure.

use crate::colour::Colour;

/// Fields to frames at the same frame rate, from neighbouring frames too (bwdif: Weston's three-field filter with
/// yadif's motion test). Every frame is treated, as streams flag their frames badly.
pub const DEINTERLACE: &str = "bwdif=mode=send_frame:parity=auto:deint=all";

/// Fields to frames from one frame alone. A filter that looks at neighbours would see the same frame three times,
/// find no motion and weave the fields.
pub const DEINTERLACE_ALONE: &str = "estdif=mode=frame:parity=auto:deint=all";

/// From this height on untagged video is taken as BT.709, below as BT.601: what ITU-R BT.709 was made for, and what
/// players do.
const HD_HEIGHT: u32 = 720;

/// From this width on as well: 1280×536 is HD in letterbox.
const HD_WIDTH: u32 = 1280;

/// PQ or HLG to BT.709, limited range, 4:2:0 8-bit. Tags that HDR needs and the stream leaves out are filled with
/// BT.2020's, as zimg refuses to convert from what it does not know. Width and height have to be even.
///
/// Linear light with 100 cd/m² as diffuse white, Hable's curve, no desaturation of highlights.
#[must_use]
pub fn tone_map(colour: &Colour) -> String {
    let mut tags = Vec::new();
    if colour.primaries.is_none() {
        tags.push("color_primaries=bt2020");
    }
    if colour.transfer.is_none() {
        tags.push("color_trc=arib-std-b67");
    }
    if colour.matrix.is_none() {
        tags.push("colorspace=bt2020nc");
    }
    if colour.full_range.is_none() {
        tags.push("range=tv");
    }
    let fill = if tags.is_empty() { String::new() } else { format!("setparams={},", tags.join(":")) };
    format!(
        "{fill}zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,\
         zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
    )
}

/// The matrix by which YUV of this size becomes RGB, by its tag, else by its size: a name that the `scale` filter
/// knows. Tags of RGB and of matrices that libswscale cannot do give the size's.
#[must_use]
pub fn matrix(colour: &Colour, width: u32, height: u32) -> &'static str {
    match colour.matrix.as_deref() {
        Some("bt709") => "bt709",
        Some("fcc") => "fcc",
        Some("bt470bg" | "smpte170m") => "bt601",
        Some("smpte240m") => "smpte240m",
        Some("bt2020nc" | "bt2020c") => "bt2020",
        _ if height >= HD_HEIGHT || width >= HD_WIDTH => "bt709",
        _ => "bt601",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tone_map_fills_only_what_is_missing() {
        let mut colour = Colour { transfer: Some("smpte2084".to_owned()), ..Colour::default() };
        let text = tone_map(&colour);
        assert!(text.starts_with("setparams=color_primaries=bt2020:colorspace=bt2020nc:range=tv,zscale="), "{text}");
        colour.primaries = Some("bt2020".to_owned());
        colour.matrix = Some("bt2020nc".to_owned());
        colour.full_range = Some(false);
        assert!(tone_map(&colour).starts_with("zscale="));
    }

    #[test]
    fn untagged_video_goes_by_its_size() {
        let untagged = Colour::default();
        assert_eq!(matrix(&untagged, 720, 576), "bt601");
        assert_eq!(matrix(&untagged, 1280, 536), "bt709");
        assert_eq!(matrix(&untagged, 608, 1080), "bt709");
        let tagged = Colour { matrix: Some("smpte170m".to_owned()), ..Colour::default() };
        assert_eq!(matrix(&tagged, 1920, 1080), "bt601");
    }
}
