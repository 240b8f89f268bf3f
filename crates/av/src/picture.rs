//! Pieces of filter descriptions that stills and encodes share.

use std::ffi::CString;

use ffmpeg_next::ffi;
use ffmpeg_next::format::Pixel;

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

/// 8-bit 4:2:0 of this size to planar RGB by zimg, with the `scale` filter's own bicubic kernel and place of the colours,
/// so that both give the same to 0.01 of 255; but in 6 ms where that takes 30, of 1080×1920. `matrix` and `range` are the
/// names that `scale` knows. `None` for pictures that zimg does not take, and where FFmpeg is built without it.
#[must_use]
pub fn to_rgb(format: Pixel, (width, height): (u32, u32), matrix: &str, range: &str) -> Option<String> {
    let matrix = match matrix {
        "bt709" => "709",
        "bt601" => "170m",
        _ => return None,
    };
    let range = if range == "pc" { "full" } else { "limited" };
    let taken = matches!(format, Pixel::YUV420P | Pixel::YUVJ420P) && width % 2 == 0 && height % 2 == 0;
    (taken && ffmpeg_next::filter::find("zscale").is_some()).then(|| {
        format!(
            "zscale=matrixin={matrix}:matrix=gbr:rangein={range}:range=full:filter=bicubic:param_a=0:param_b=0.6:\
             chromalin=center,format=gbrp"
        )
    })
}

/// Red, green and blue of a colour that libav knows by name (`black`), or that is written `0xRRGGBB` or `#RRGGBB`;
/// `None` for anything else.
#[must_use]
pub fn colour(name: &str) -> Option<[u8; 3]> {
    crate::log::init();
    let name = CString::new(name).ok()?;
    let mut rgba = [0u8; 4];
    // SAFETY: the name is NUL-ended, libav writes four bytes, and a null context stands for no log context.
    let result = unsafe { ffi::av_parse_color(rgba.as_mut_ptr(), name.as_ptr(), -1, std::ptr::null_mut()) };
    (result >= 0).then_some([rgba[0], rgba[1], rgba[2]])
}

/// The colour to give to libav's drawing filters, so that `rgb` shows when the frame is taken by BT.709: up to FFmpeg
/// 6 they know BT.601 alone (ITU-R BT.601-7 §2.5.1, BT.709-6 §3.2). For frames of BT.601 it is `rgb` itself.
#[must_use]
pub fn drawn(rgb: [u8; 3], matrix: &str) -> [u8; 3] {
    if matrix != "bt709" {
        return rgb;
    }
    let [r, g, b] = rgb.map(f64::from);
    let (kr, kb) = (0.2126, 0.0722);
    let y = kr * r + (1.0 - kr - kb) * g + kb * b;
    let (cb, cr) = ((b - y) / (2.0 - 2.0 * kb), (r - y) / (2.0 - 2.0 * kr));
    let (kr, kb) = (0.299, 0.114);
    let (r, b) = (y + cr * (2.0 - 2.0 * kr), y + cb * (2.0 - 2.0 * kb));
    let g = (y - kr * r - kb * b) / (1.0 - kr - kb);
    [r, g, b].map(|value| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=255 before")]
        let byte = value.round().clamp(0.0, 255.0) as u8;
        byte
    })
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
    fn colours_are_libavs_and_nothing_else() {
        assert_eq!(colour("black"), Some([0, 0, 0]));
        assert_eq!(colour("0x336699"), Some([0x33, 0x66, 0x99]));
        for no in ["", "nocolour", "black,movie=x", "a;b", "a[b]", "black:x=1"] {
            assert_eq!(colour(no), None, "{no}");
        }
    }

    #[test]
    fn greys_are_drawn_as_they_are() {
        for grey in [0, 77, 255] {
            assert_eq!(drawn([grey; 3], "bt709"), [grey; 3]);
        }
        assert_ne!(drawn([0x33, 0x66, 0x99], "bt709"), [0x33, 0x66, 0x99]);
        assert_eq!(drawn([0x33, 0x66, 0x99], "smpte170m"), [0x33, 0x66, 0x99]);
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
