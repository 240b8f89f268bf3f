//! The upload beside curl that sends the same form to the same host.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::measure::{Measured, Run, in_turn};
use super::sink;
use super::text::{mebibytes, seconds, typed, words};
use crate::step;

/// In bytes: the largest video that Pinterest takes.
const TWO_GB: u64 = 2_000_000_000;

/// Builds, measures, prints.
pub(crate) fn run(rounds: usize, build: bool) -> Result<()> {
    if !step::succeeds("curl", &["--version"]) {
        bail!("curl is missing: install it, then run this again");
    }
    if build {
        let package = ["build", "--release", "--locked", "-p", "pinpress-publish", "--example", "upload"];
        step::run(&mut step::cargo(&package))?;
    }
    let video = sparse()?;
    let sink = sink::start(None)?;
    let runs = [ours(&video, &sink.api_base()), curl(&video, &sink)];
    let taken = in_turn(rounds, &runs)?;
    sink.expect(u64::try_from(rounds * runs.len())?, TWO_GB)?;
    println!("\n| 2 GB as a form, to loopback | wall | MB/s | peak memory |\n|---|---|---|---|");
    for (name, taken) in ["`Client::upload`", "`curl -F`"].iter().zip(&taken) {
        let (wall, peak) = (seconds(taken.wall), mebibytes(taken.peak_kib));
        println!("| {name} | {wall} | {:.0} | {peak} |", rate(taken));
    }
    if let [ours, curl] = &taken[..] {
        println!("\n{:.2}× of curl. Targets: at least 0.9×, under 48 MB.", rate(ours) / rate(curl));
    }
    println!("\n```sh");
    for run in &runs {
        println!("{}", typed(&run.command));
    }
    println!("```");
    Ok(())
}

/// MB/s, whole process.
fn rate(taken: &Measured) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "two billion is exact")]
    let megabytes = TWO_GB as f64 / 1e6;
    megabytes / taken.wall.as_secs_f64()
}

/// A file that takes no room on the disk, so that no disk is measured.
fn sparse() -> Result<PathBuf> {
    let folder = pinpress_fixtures::workspace_root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("two_gb.mp4");
    File::create(&path)?.set_len(TWO_GB)?;
    Ok(path)
}

fn ours(video: &Path, api_base: &str) -> Run {
    let program = pinpress_fixtures::workspace_root().join("target/release/examples/upload");
    let [program, video] = [&program, video].map(|path| path.display().to_string());
    Run::of(words(&["env", "PINPRESS_ACCESS_TOKEN=pina_bench", &program, &video, api_base]))
}

fn curl(video: &Path, sink: &sink::Sink) -> Run {
    let mut command = words(&["curl", "-sS", "--fail"]);
    for (name, value) in sink::FIELDS {
        command.extend(words(&["-F", &format!("{name}={value}")]));
    }
    let file = format!("file=@{};type=video/mp4;filename=video.mp4", video.display());
    command.extend(words(&["-F", &file, &sink.upload_url()]));
    Run::of(command)
}
