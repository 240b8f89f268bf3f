//! The videos that covers are taken of, under `target/bench/cover`: made once, by ffmpeg.
//!
//! Six scenes that are unlike each other, with detail and motion everywhere, under grain, so that there is something to
//! choose from, at the bit rate of a phone's camera; a sync sample every two seconds.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::bench::folder::{made_at, root};

/// Seconds of each of the six.
const SCENE: u32 = 10;

/// A folder for what runs write, emptied before each.
pub(super) fn scratch(name: &str) -> PathBuf {
    folder().join("results").join(name)
}

fn folder() -> PathBuf {
    root().join("cover")
}

fn made(name: &str, args: &[&str]) -> Result<PathBuf> {
    made_at(folder().join(name), args)
}

/// The graph of a minute of scenes, drawn at `small` and shown at `size`.
fn scenes(small: &str, size: &str) -> String {
    let fractal = |x: &str, y: &str, zoom: &str| {
        format!("mandelbrot=s={small}:r=30:maxiter=150:start_x={x}:start_y={y}:start_scale={zoom}:end_pts=600")
    };
    let drawn = [
        fractal("-0.7436", "0.1318", "0.5"),
        format!("{},hue=h=120:s=0.6", fractal("-1.25", "0.02", "0.8")),
        format!("{},hue=h=280:s=0.8", fractal("-0.16", "1.035", "0.1")),
        format!("{},negate,hue=h=200", fractal("0.3", "0.5", "0.6")),
        format!("testsrc2=s={small}:r=30,rotate=t/9:fillcolor=0x604030"),
        format!("{},hue=h=60:s=0.4,eq=brightness=0.1", fractal("-0.1", "0.9", "0.4")),
    ];
    let mut graph = String::new();
    for (number, scene) in drawn.iter().enumerate() {
        graph += &format!("{scene},format=yuv420p,trim=duration={SCENE},setpts=PTS-STARTPTS,setsar=1[{number}];");
    }
    graph + &format!("[0][1][2][3][4][5]concat=n=6,scale={size}:flags=bicubic,noise=alls=4:allf=t,format=yuv420p")
}

/// A minute of scenes as H.264 in MP4.
fn minute_of(name: &str, small: &str, size: &str) -> Result<PathBuf> {
    let graph = scenes(small, size);
    let coded = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-g", "60", "-movflags", "+faststart"];
    made(name, &[&["-filter_complex", &graph], &coded[..]].concat())
}

/// 60 s of 1080×1920 at 30 fps.
pub(super) fn portrait_minute() -> Result<PathBuf> {
    minute_of("portrait-minute.mp4", "270x480", "1080:1920")
}

/// So many seconds of 1920×1080 at 30 fps: a minute again and again.
pub(super) fn landscape(seconds: u32) -> Result<PathBuf> {
    let minute = text(&minute_of("landscape-minute.mp4", "480x270", "1920:1080")?);
    let (name, time) = (format!("landscape-{seconds}.mp4"), seconds.to_string());
    let looped = ["-stream_loop", "-1", "-i", &minute, "-c", "copy", "-t", &time, "-movflags", "+faststart"];
    made(&name, &looped)
}

/// Clips of 6 s, each from another place of a minute.
pub(super) fn clips(count: u32) -> Result<Vec<PathBuf>> {
    let minute = text(&landscape(60)?);
    let clip = |number: u32| {
        let start = (number * 6 % 54).to_string();
        let args = ["-ss", &start, "-i", &minute, "-t", "6", "-c", "copy", "-movflags", "+faststart"];
        made(&format!("clips/{number:02}.mp4"), &args)
    };
    (0..count).map(clip).collect()
}

/// 8 s of 3840×2160: 8-bit H.264, and H.265 with 10 bits in HLG, which is tone-mapped.
pub(super) fn four_k() -> Result<[(&'static str, PathBuf); 2]> {
    let minute = text(&landscape(60)?);
    let start = ["-ss", "4", "-i", &minute, "-t", "8", "-vf"];
    let plain = made(
        "4k.mp4",
        &[&start[..], &["scale=3840:2160", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "26", "-g", "60"]]
            .concat(),
    )?;
    let tags = "log-level=none:keyint=60:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc";
    let hlg = made(
        "4k-hlg.mp4",
        &[
            &start[..],
            &["scale=3840:2160,format=yuv420p10le", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", tags],
            &["-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc", "-tag:v", "hvc1"],
        ]
        .concat(),
    )?;
    Ok([("H.264", plain), ("H.265, 10 bits, HLG", hlg)])
}

pub(super) fn text(path: &Path) -> String {
    path.display().to_string()
}
