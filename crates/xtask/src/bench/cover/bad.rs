//! Covers that are bad though a clean picture was to be had: of the videos with planted defects, by each contender.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use pinpress_fixtures::planted::{Kind, Planted, make_planted, planted};
use serde_json::Value;

use super::{Bench, source};

/// More frames than any of the videos has: all in one batch.
const ALL_FRAMES: &str = "thumbnail=n=1000";

/// The side to which pictures are scaled when the frame is looked for that one of them is.
const SIDE: usize = 96;

/// Whose covers are counted, in the order of the columns.
const CONTENDERS: [&str; 4] = [
    "`pinpress cover -n 1`",
    "`ffmpeg -vf thumbnail`, first batch",
    "`ffmpeg -vf thumbnail`, all frames",
    "`ffmpegthumbnailer`",
];

/// Takes all covers and prints.
pub(super) fn table(bench: &Bench) -> Result<()> {
    let videos = planted()?;
    let Some(paths) = make_planted(&videos)? else {
        println!("no folder of real clips: no table of bad covers");
        return Ok(());
    };
    let ours = pinpress(bench, &paths)?;
    let mut bad: BTreeMap<Kind, (usize, [usize; CONTENDERS.len()])> = BTreeMap::new();
    for (video, path) in videos.iter().zip(&paths) {
        let times = [
            *ours.get(&video.name).with_context(|| format!("no cover of {}", video.name))?,
            thumbnail(path, "thumbnail")?,
            thumbnail(path, ALL_FRAMES)?,
            ffmpegthumbnailer(path)?,
        ];
        count(&mut bad, video, times);
    }
    println!("| planted | videos | {} |\n|---|---|{}", CONTENDERS.join(" | "), "---|".repeat(CONTENDERS.len()));
    let mut sum = (0, [0; CONTENDERS.len()]);
    for (kind, (videos, counts)) in &bad {
        println!("| {kind} | {videos} | {} |", counts.map(|count| count.to_string()).join(" | "));
        sum.0 += videos;
        for (sum, count) in sum.1.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    println!("| **all** | {} | {} |", sum.0, sum.1.map(|count| count.to_string()).join(" | "));
    Ok(())
}

fn count(
    bad: &mut BTreeMap<Kind, (usize, [usize; CONTENDERS.len()])>,
    video: &Planted,
    times: [i64; CONTENDERS.len()],
) {
    let row = bad.entry(video.kind).or_default();
    row.0 += 1;
    for (count, time) in row.1.iter_mut().zip(times) {
        *count += usize::from(video.is_bad_at(time));
    }
}

/// The time of each video's cover, in milliseconds, by the video's name.
fn pinpress(bench: &Bench, videos: &[PathBuf]) -> Result<HashMap<String, i64>> {
    let videos: Vec<&Path> = videos.iter().map(PathBuf::as_path).collect();
    let run = bench.cover(&videos, &["-n", "1", "--json", "--overwrite"]);
    let output = succeeded(Command::new(&run.command[0]).args(&run.command[1..]))?;
    let document: Value = serde_json::from_slice(&output.stdout).context("no covers")?;
    let time = |video: &Value| {
        let name = Path::new(video["path"].as_str()?).file_stem()?.to_str()?.to_owned();
        Some((name, video.pointer("/candidates/0/time_ms")?.as_i64()?))
    };
    Ok(document["videos"].as_array().into_iter().flatten().filter_map(time).collect())
}

/// The time of the first frame that a `thumbnail` filter lets through.
fn thumbnail(video: &Path, filter: &str) -> Result<i64> {
    let filters = format!("{filter},showinfo");
    let mut ffmpeg = ffmpeg(video);
    let output = succeeded(ffmpeg.args(["-vf", &filters, "-frames:v", "1", "-f", "null", "-"]))?;
    times(&output).first().copied().context("no frame came through")
}

/// The time of the frame that ffmpegthumbnailer writes, which does not tell it: of the one most like its picture.
fn ffmpegthumbnailer(video: &Path) -> Result<i64> {
    let folder = source::scratch("bad");
    std::fs::create_dir_all(&folder)?;
    let picture = folder.join("cover.png");
    succeeded(Command::new("ffmpegthumbnailer").args(["-s", "0", "-i"]).arg(video).arg("-o").arg(&picture))?;
    let taken = scaled(&picture)?.stdout;
    let all = scaled(video)?;
    let (frame, times) = (SIDE * SIDE * 3, times(&all));
    ensure!(taken.len() == frame && all.stdout.len() == times.len() * frame, "frames and times do not match");
    let difference = |other: &[u8]| taken.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
    let nearest = all.stdout.chunks_exact(frame).zip(&times).min_by_key(|(other, _)| difference(other));
    Ok(*nearest.context("no frame")?.1)
}

/// All frames in one size, and what is told of them.
fn scaled(path: &Path) -> Result<Output> {
    let filters = format!("showinfo,scale={SIDE}:{SIDE}:flags=area,format=rgb24");
    succeeded(ffmpeg(path).args(["-vf", &filters, "-vsync", "passthrough", "-f", "rawvideo", "-"]))
}

fn ffmpeg(path: &Path) -> Command {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-hide_banner", "-nostdin", "-i"]).arg(path);
    ffmpeg
}

/// What `showinfo` tells, in milliseconds.
fn times(output: &Output) -> Vec<i64> {
    let text = String::from_utf8_lossy(&output.stderr);
    let time = |line: &str| {
        let seconds: f64 = line.split_once("pts_time:")?.1.split_whitespace().next()?.parse().ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "some seconds")]
        let millis = (seconds * 1000.0).round() as i64;
        Some(millis)
    };
    text.lines().filter_map(time).collect()
}

fn succeeded(command: &mut Command) -> Result<Output> {
    let output = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed: {said}", command.get_program().display());
    Ok(output)
}
