//! The gate beside ffprobe and mediainfo.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::folder;
use super::measure::{Measured, Run, in_turn as all_in_turn};
use super::text::{mebibytes, seconds, shell, words};
use crate::step;

/// Builds, measures, prints.
pub(crate) fn run(rounds: usize) -> Result<()> {
    let pinpress = super::pinpress(true)?.display().to_string();
    let singles = folder::singles()?;
    beside_peers(&pinpress, rounds)?;
    growth(&pinpress, rounds)?;
    starts(&pinpress, &singles[0].1, rounds)?;
    decoding(&pinpress, &folder::fifteen_minutes()?, rounds)?;
    in_process(&folder::of(200)?, &singles)
}

/// Each command once a round, in turn. 1 is no failure: the folder has videos that fail.
fn in_turn(rounds: usize, commands: &[(&str, Vec<String>)]) -> Result<Vec<Measured>> {
    let runs: Vec<Run> =
        commands.iter().map(|(_, command)| Run { codes: &[0, 1], ..Run::of(command.clone()) }).collect();
    all_in_turn(rounds, &runs)
}

fn beside_peers(pinpress: &str, rounds: usize) -> Result<()> {
    let videos = folder::of(200)?.display().to_string();
    let ffprobe =
        format!("for f in '{videos}'/*; do ffprobe -v error -show_format -show_streams -of json \"$f\"; done");
    let mediainfo = format!("mediainfo --Output=JSON '{videos}'/*");
    let commands = [
        ("`pinpress check FOLDER`", words(&[pinpress, "check", &videos])),
        ("`mediainfo --Output=JSON FOLDER/*`, one call", shell(&mediainfo)),
        ("`ffprobe -show_format -show_streams -of json`, once a file", shell(&ffprobe)),
    ];
    let medians = in_turn(rounds, &commands)?;
    println!("| 200 MP4s in a folder | wall | pinpress is | peak memory |\n|---|---|---|---|");
    let ours = medians.first().context("nothing was measured")?.wall;
    for ((name, _), taken) in commands.iter().zip(&medians) {
        let times = taken.wall.as_secs_f64() / ours.as_secs_f64();
        let times = if taken.wall == ours { String::new() } else { format!("{times:.0}× faster") };
        println!("| {name} | {} | {times} | {} |", seconds(taken.wall), mebibytes(taken.peak_kib));
    }
    println!();
    Ok(())
}

fn growth(pinpress: &str, rounds: usize) -> Result<()> {
    println!("| `pinpress check FOLDER` of | wall | a file | peak memory |\n|---|---|---|---|");
    for count in [100_u32, 1_000, 10_000] {
        let videos = folder::of(count as usize)?.display().to_string();
        for format in ["human", "json"] {
            let command = words(&[pinpress, "check", "--format", format, &videos]);
            let taken = in_turn(rounds, &[("", command)])?;
            let taken = taken.first().context("nothing was measured")?;
            let each = (taken.wall / count).as_nanos() / 100;
            let each = format!("{}.{} µs", each / 10, each % 10);
            let (wall, peak) = (seconds(taken.wall), mebibytes(taken.peak_kib));
            println!("| {count} videos, `--format {format}` | {wall} | {each} | {peak} |");
        }
    }
    println!();
    Ok(())
}

fn starts(pinpress: &str, video: &Path, rounds: usize) -> Result<()> {
    let video = video.display().to_string();
    let commands = [
        ("`pinpress --help`", words(&[pinpress, "--help"])),
        ("`pinpress spec`", words(&[pinpress, "spec"])),
        ("`pinpress check VIDEO`", words(&[pinpress, "check", &video])),
        ("`ffprobe VIDEO`", words(&["ffprobe", "-v", "error", "-show_streams", &video])),
        ("`mediainfo VIDEO`", words(&["mediainfo", &video])),
    ];
    let medians = in_turn(rounds * 4, &commands)?;
    println!("| from start to end | wall | peak memory |\n|---|---|---|");
    for ((name, _), taken) in commands.iter().zip(&medians) {
        println!("| {name} | {} | {} |", seconds(taken.wall), mebibytes(taken.peak_kib));
    }
    println!();
    Ok(())
}

fn decoding(pinpress: &str, video: &Path, rounds: usize) -> Result<()> {
    let video = video.display().to_string();
    let commands = [
        ("`pinpress check --deep VIDEO`", words(&[pinpress, "check", "--deep", &video])),
        (
            "`ffmpeg -v error -xerror -i VIDEO -f null -`",
            words(&["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", &video, "-f", "null", "-"]),
        ),
    ];
    let medians = in_turn(rounds, &commands)?;
    println!("| 15 minutes, 540×960 at 30 fps, decoded | wall | peak memory |\n|---|---|---|");
    for ((name, _), taken) in commands.iter().zip(&medians) {
        println!("| {name} | {} | {} |", seconds(taken.wall), mebibytes(taken.peak_kib));
    }
    println!();
    Ok(())
}

/// In process, in the bench profile: against reading `moov` alone, and files whose cost should be that of their `moov`.
fn in_process(videos: &Path, singles: &[(&str, PathBuf)]) -> Result<()> {
    let mut floor = step::cargo(&["bench", "-q", "-p", "pinpress-probe", "--bench", "floor", "--locked", "--"]);
    floor.arg(videos).args(singles.iter().map(|(_, path)| path));
    step::run(&mut floor)
}
