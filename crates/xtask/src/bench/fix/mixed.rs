//! A folder as people have it: a third fits, a third needs no new picture, a third does. Beside it scripts around
//! ffmpeg as experts write them, and `HandBrake`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Bench, commands, source};
use crate::bench::measure::{Run, in_turn};
use crate::bench::text::{mebibytes, ratio, tenths, words};

pub(in crate::bench) const EXPERT: &str = include_str!("expert.sh");
pub(in crate::bench) const HANDBRAKE: &str = include_str!("handbrake.sh");

/// Fast enough that a run takes minutes; each contender has the same.
pub(in crate::bench) const PRESET: &str = "veryfast";

/// Measures and prints.
pub(super) fn table(bench: &Bench) -> Result<()> {
    let folder = folder()?;
    let script = |name: &str, text: &str| -> Result<String> {
        let path = folder.with_file_name(name);
        std::fs::write(&path, text).context("cannot write a script")?;
        Ok(path.display().to_string())
    };
    let (expert, handbrake) = (script("expert.sh", EXPERT)?, script("handbrake.sh", HANDBRAKE)?);
    let input = folder.display().to_string();
    let contender = |name: &str, script: &str, rest: &[&str]| {
        let output = source::scratch(name);
        let mut command = words(&["sh", script, &input, &output.display().to_string(), PRESET]);
        command.extend(words(rest));
        Run::into(command, output)
    };
    let runs = [
        ("`pinpress fix`", bench.fix(&folder, &["--preset", PRESET])),
        ("ffprobe decides, ffmpeg encodes what fails, two at once", contender("expert", &expert, &["all"])),
        ("the same, copying each stream that is fine", contender("expert-copy", &expert, &["copy"])),
        ("`HandBrakeCLI` in a loop", contender("handbrake", &handbrake, &[])),
    ];
    let (names, runs): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
    let medians = in_turn(bench.rounds, &runs)?;
    println!("| 30 videos | wall | pinpress is | on a core | peak memory of one process | results that fit |");
    println!("|---|---|---|---|---|---|");
    for ((name, run), taken) in names.iter().zip(&runs).zip(&medians) {
        let times = ratio(taken.wall, medians[0].wall);
        let times = if *name == names[0] { String::new() } else { format!("{times:.2}× faster") };
        let fit = run.output.as_deref().map_or(Ok(0), |output| fit(&bench.pinpress, output))?;
        println!(
            "| {name} | {} | {times} | {} | {} | {fit} of 30 |",
            tenths(taken.wall),
            tenths(taken.cpu),
            mebibytes(taken.peak_kib)
        );
    }
    commands(&runs);
    Ok(())
}

/// How many videos of a folder pass.
pub(in crate::bench) fn fit(pinpress: &Path, folder: &Path) -> Result<u64> {
    let output = Command::new(pinpress).args(["check", "--format", "json"]).arg(folder).output()?;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).context("no report")?;
    report.pointer("/summary/pass").and_then(serde_json::Value::as_u64).context("a report without a summary")
}

/// The folder: what each video is, made of the first seconds from some place of `{tall}` (1080×1920, fits) or `{wide}`
/// (1920×1080).
pub(in crate::bench) fn folder() -> Result<PathBuf> {
    let (tall, wide) = (source::portrait()?, source::landscape()?);
    let (tall, wide) = (tall.display().to_string(), wide.display().to_string());
    let mut folder = None;
    for (number, (name, args)) in VIDEOS.iter().enumerate() {
        // From 5 to 9 s, and not all the same seconds.
        let (start, length) = ((number % 5 * 2).to_string(), (5 + number % 5).to_string());
        let mut filled: Vec<&str> = Vec::new();
        for word in args.split_whitespace() {
            match word {
                "{tall}" => filled.extend(["-ss", &start, "-t", &length, "-i", &tall]),
                "{wide}" => filled.extend(["-ss", &start, "-t", &length, "-i", &wide]),
                word => filled.push(word),
            }
        }
        folder = source::made(&format!("mixed/{name}"), &filled)?.parent().map(Path::to_owned);
    }
    let folder = folder.context("no videos")?;
    let long = folder.join("needs-long.mp4");
    if !long.exists() {
        std::fs::hard_link(source::too_long()?, &long)?;
    }
    Ok(folder)
}

/// Names, and ffmpeg's arguments.
const VIDEOS: [(&str, &str); 29] = [
    ("fits-0.mp4", "{tall} -c copy -movflags +faststart"),
    ("fits-1.mp4", "{tall} -c copy -movflags +faststart"),
    ("fits-2.mp4", "{tall} -c copy -movflags +faststart"),
    ("fits-3.mov", "{tall} -c copy -movflags +faststart"),
    ("fits-4.mp4", "{tall} -c copy -an -movflags +faststart"),
    ("fits-5.mp4", "{tall} -c copy -metadata title=Fifth -movflags +faststart"),
    ("fits-6-square.mp4", "{wide} -vf crop=1080:1080 -c:v libx264 -preset veryfast -c:a copy -movflags +faststart"),
    ("fits-7-square.mp4", "{wide} -vf crop=1080:1080 -c:v libx264 -preset veryfast -c:a copy -movflags +faststart"),
    ("fits-8-2x3.mp4", "{wide} -vf crop=720:1080 -c:v libx264 -preset veryfast -c:a copy -movflags +faststart"),
    ("fits-9.mp4", "{tall} -c copy -movflags +faststart"),
    ("needs-mp4-for-mkv.mkv", "{tall} -c copy"),
    ("needs-mp4-for-ts.ts", "{tall} -c copy -bsf:v h264_mp4toannexb"),
    ("needs-aac-for-pcm.mov", "{tall} -c:v copy -c:a pcm_s16le"),
    ("needs-aac-for-mp3.mp4", "{tall} -c:v copy -c:a libmp3lame"),
    ("needs-aac-for-opus.mkv", "{tall} -c:v copy -c:a libopus"),
    ("needs-aac-for-flac.mkv", "{tall} -c:v copy -c:a flac"),
    ("needs-no-location.mp4", "{tall} -c copy -metadata location=+48.8577+002.2950/"),
    ("needs-one-sound-a.mov", "{tall} -map 0 -map 0:a -c copy"),
    ("needs-one-sound-b.mkv", "{tall} -map 0 -map 0:a -c copy"),
    ("wrong-16x9-a.mp4", "{wide} -c copy"),
    ("wrong-16x9-b.mov", "{wide} -c copy -movflags +faststart"),
    ("wrong-hevc.mp4", "{tall} -c:v libx265 -preset ultrafast -x265-params log-level=none -c:a copy"),
    ("wrong-24-fps.mp4", "{tall} -r 24 -c:v libx264 -preset veryfast -c:a copy"),
    (
        "wrong-interlaced.mp4",
        "{wide} -vf interlace -r 25 -flags +ildct+ilme -c:v libx264 -preset veryfast -x264-params tff=1 -c:a copy",
    ),
    (
        "wrong-hdr.mp4",
        "{wide} -vf format=yuv420p10le -c:v libx265 -preset ultrafast -color_primaries bt2020 -color_trc smpte2084 \
         -colorspace bt2020nc -x265-params log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc \
         -c:a copy",
    ),
    ("wrong-turned.mp4", "{tall} -c copy -metadata:s:v:0 rotate=90"),
    ("wrong-4x3.mp4", "{wide} -vf crop=1440:1080 -c:v libx264 -preset veryfast -c:a copy"),
    ("wrong-10-bit.mp4", "{tall} -pix_fmt yuv420p10le -c:v libx264 -preset veryfast -c:a copy"),
    ("wrong-vp9.webm", "{tall} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 6M -c:a libopus"),
];
