//! The videos that are fixed, under `target/bench/fix`: made once, by ffmpeg.
//!
//! Pictures are a zoom into the Mandelbrot set under grain that changes with each frame: detail and motion everywhere,
//! at the 17 to 24 Mb/s of a phone's camera. Colour bars would cost an encoder next to nothing, and noise all that it
//! has.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::bench::folder::{made_at, root};

/// How long the pictures of the encode table play, in seconds.
const SECONDS: &str = "20";

/// A folder for what runs write, emptied before each.
pub(in crate::bench) fn scratch(name: &str) -> PathBuf {
    folder().join("results").join(name)
}

fn folder() -> PathBuf {
    root().join("fix")
}

/// Makes `name` by ffmpeg with these arguments, unless it is there.
pub(super) fn made(name: &str, args: &[&str]) -> Result<PathBuf> {
    made_at(folder().join(name), args)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn drawn(name: &str, small: &str, size: &str) -> Result<PathBuf> {
    let picture = format!(
        "mandelbrot=size={small}:rate=30:maxiter=300,scale={size}:flags=bicubic,noise=alls=4:allf=t,format=yuv420p"
    );
    made(
        name,
        &[
            &["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"][..],
            &["-ac", "2", "-t", SECONDS, "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-g", "60"],
            &["-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"],
        ]
        .concat(),
    )
}

/// 1920×1080 at 30 fps, H.264 and AAC in MP4.
pub(super) fn landscape() -> Result<PathBuf> {
    drawn("landscape.mp4", "960x540", "1920:1080")
}

/// 1080×1920 at 30 fps, H.264 and AAC in MP4: fits as it is.
pub(super) fn portrait() -> Result<PathBuf> {
    drawn("portrait.mp4", "540x960", "1080:1920")
}

/// The same pictures with MP3, so that the sound is encoded too. In MP4, which has exact times: from the milliseconds
/// of Matroska ffmpeg makes a frame more.
pub(super) fn with_mp3(video: &Path) -> Result<PathBuf> {
    let name = format!("{}-mp3.mp4", video.file_stem().unwrap_or_default().to_string_lossy());
    made(&name, &["-i", &text(video), "-c:v", "copy", "-c:a", "libmp3lame", "-b:a", "128k"])
}

/// The same as H.265.
pub(super) fn hevc(video: &Path) -> Result<PathBuf> {
    let name = format!("{}-hevc.mp4", video.file_stem().unwrap_or_default().to_string_lossy());
    made(
        &name,
        &[
            &["-i", &text(video), "-c:v", "libx265", "-preset", "ultrafast", "-crf", "22"][..],
            &["-x265-params", "log-level=none", "-c:a", "libmp3lame", "-b:a", "128k"],
        ]
        .concat(),
    )
}

/// [`portrait`] again and again for so many seconds, in Matroska.
pub(super) fn matroska(seconds: u32) -> Result<PathBuf> {
    let portrait = text(&portrait()?);
    let time = seconds.to_string();
    made(&format!("portrait-{seconds}.mkv"), &["-stream_loop", "-1", "-i", &portrait, "-c", "copy", "-t", &time])
}

/// A little over what is allowed: 15:30 at 270×480 and a low bit rate.
pub(super) fn too_long() -> Result<PathBuf> {
    let minute = made(
        "minute.mp4",
        &[
            &["-f", "lavfi", "-i", "mandelbrot=size=270x480:rate=30:maxiter=100,format=yuv420p"][..],
            &["-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000", "-t", "60", "-g", "60"],
            &["-c:v", "libx264", "-preset", "veryfast", "-crf", "30", "-c:a", "aac", "-b:a", "64k"],
        ]
        .concat(),
    )?;
    made("too-long.mp4", &["-stream_loop", "-1", "-i", &text(&minute), "-c", "copy", "-t", "930"])
}

/// 15 minutes of 1920×1080 that are cheap to encode: a slow gradient.
pub(super) fn cheap_quarter_of_an_hour() -> Result<PathBuf> {
    let minute = made(
        "cheap-minute.mp4",
        &[
            &["-f", "lavfi", "-i", "gradients=size=1920x1080:rate=30:speed=0.01:seed=1,format=yuv420p"][..],
            &["-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000", "-t", "60", "-g", "60"],
            &["-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", "-c:a", "aac", "-b:a", "128k"],
        ]
        .concat(),
    )?;
    made("cheap-15-minutes.mp4", &["-stream_loop", "-1", "-i", &text(&minute), "-c", "copy", "-t", "899"])
}
