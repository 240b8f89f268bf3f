//! HDR on a screen that has none, and fields made pictures.

use crate::stage::{SAME, Shown, Stage, is_shown, waves};
use crate::support::{ffmpeg, text};

/// The tone map that ffmpeg's users know.
const MAPPED: &str = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,\
                      zscale=t=bt709:m=bt709:r=tv,format=yuv444p";

/// Structural similarity of two ways to make a picture of fields; one of them looks at the pictures around it.
const MADE_WHOLE: f64 = 0.95;

#[test]
fn hlg_is_shown_as_ffmpegs_tone_map_shows_it() {
    let stage = Stage::new();
    let video = stage.path().join("hlg.mp4");
    let graph = format!(
        "{},format=gbrp,zscale=pin=709:tin=709:min=gbr:p=2020:t=arib-std-b67:m=2020_ncl:r=limited:npl=200,\
         format=yuv420p10le",
        waves("320x240", "25", "1.6")
    );
    let coded = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "8", "-g", "20"];
    let tags = ["-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc"];
    ffmpeg(&[&["-f", "lavfi", "-i", &graph], &coded[..], &tags, &["-color_range", "tv", text(&video)]].concat());
    for format in ["png", "jpeg"] {
        let cover = &stage.covers(&video, &["-n", "1", "--format", format])[0];
        let shown = Shown::at(&video, cover.time_ms as f64);
        is_shown(cover, Shown { filters: MAPPED, ..shown });
        let unmapped = shown.likeness(&cover.file);
        assert!(unmapped[0] < SAME, "the judge sees no difference: {unmapped:?}");
    }
}

#[test]
fn fields_are_made_a_whole_picture() {
    let stage = Stage::new();
    let fields = format!("{},tinterlace=interleave_top,fieldorder=tff", waves("320x240", "50", "1.6"));
    let video = stage.drawn("fields.mp4", &fields, &["-flags", "+ildct+ilme", "-x264-params", "tff=1"]);
    let cover = &stage.covers(&video, &["-n", "1", "--format", "png"])[0];
    let at = |filters| Shown { filters, ..Shown::at(&video, cover.time_ms as f64) };
    // ffmpeg looks at the pictures before and after as well, so that the lines between are not quite the same.
    let whole = at("bwdif=mode=send_frame").likeness(&cover.file);
    let combed = at("null").likeness(&cover.file);
    assert!(
        whole[0] > MADE_WHOLE && combed[0] < MADE_WHOLE,
        "{whole:?} like it made whole, {combed:?} like its fields"
    );
}
