//! How long one video takes.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::peers::{ffmpegthumbnailer, thumbnail};
use super::{Bench, commands, source};
use crate::bench::measure::{Measured, Run, in_turn};
use crate::bench::text::{mebibytes, seconds as shown};

/// Nothing is written by ffmpeg; the times are the whole processes'.
struct Beside {
    name: &'static str,
    run: Run,
    /// What part of this the cover may take: so many of this, by so many.
    target: Option<(u32, u32)>,
}

/// A long video: six candidates at full size, beside what looks at everything, at sync samples, at one place.
pub(super) fn fifteen(bench: &Bench, seconds: u32) -> Result<()> {
    let video = source::landscape(seconds)?;
    let looked = looked_at(bench, &video)?;
    let ours = bench.cover(&[&video], &["-n", "6"]);
    let nokey = thumbnail(&["-skip_frame", "nokey"], &video);
    let peers = [
        Beside { name: "`ffmpegthumbnailer`, one place", run: ffmpegthumbnailer(&video), target: Some((5, 1)) },
        Beside { name: "`ffmpeg -skip_frame nokey -vf thumbnail`", run: nokey, target: Some((1, 3)) },
    ];
    // Minutes each: once, behind the others.
    let whole = Beside { name: "`ffmpeg -vf thumbnail`, once", run: thumbnail(&[], &video), target: Some((1, 100)) };
    let title = format!("{seconds} s of 1920×1080, {looked} places looked at");
    table(bench, &title, &ours, &peers, Some(&whole))
}

/// A minute upright.
pub(super) fn minute(bench: &Bench) -> Result<()> {
    let video = source::portrait_minute()?;
    let looked = looked_at(bench, &video)?;
    let ours = bench.cover(&[&video], &["-n", "6"]);
    let one = bench.cover(&[&video], &["-n", "1"]);
    let peers = [
        Beside { name: "`pinpress cover -n 1`", run: one, target: None },
        Beside { name: "`ffmpegthumbnailer`, one place", run: ffmpegthumbnailer(&video), target: None },
        Beside {
            name: "`ffmpeg -skip_frame nokey -vf thumbnail`",
            run: thumbnail(&["-skip_frame", "nokey"], &video),
            target: None,
        },
    ];
    let whole = Beside { name: "`ffmpeg -vf thumbnail`, once", run: thumbnail(&[], &video), target: None };
    table(bench, &format!("60 s of 1080×1920, {looked} places looked at"), &ours, &peers, Some(&whole))?;
    println!("\nTarget: under 0.5 s.");
    Ok(())
}

fn table(bench: &Bench, title: &str, ours: &Run, peers: &[Beside], once: Option<&Beside>) -> Result<()> {
    let runs: Vec<Run> = std::iter::once(ours.clone()).chain(peers.iter().map(|peer| peer.run.clone())).collect();
    let mut taken = in_turn(bench.rounds, &runs)?;
    if let Some(once) = once {
        taken.extend(in_turn(1, std::slice::from_ref(&once.run))?);
    }
    println!("| {title} | wall | on a core | peak memory | pinpress takes | target |\n|---|---|---|---|---|---|");
    let mine = taken[0];
    print("`pinpress cover -n 6`, all at full size", &mine, "", "");
    for (peer, taken) in peers.iter().chain(once).zip(&taken[1..]) {
        let share = mine.wall.as_secs_f64() / taken.wall.as_secs_f64();
        let share = if share < 1.0 { format!("1/{:.1}", 1.0 / share) } else { format!("{share:.1}×") };
        let target = peer.target.map_or_else(String::new, |target| met(target, mine.wall, taken.wall));
        print(peer.name, taken, &share, &target);
    }
    commands(runs.iter().chain(once.map(|once| &once.run)));
    Ok(())
}

fn print(name: &str, taken: &Measured, share: &str, target: &str) {
    let (wall, cpu, peak) = (shown(taken.wall), shown(taken.cpu), mebibytes(taken.peak_kib));
    println!("| {name} | {wall} | {cpu} | {peak} | {share} | {target} |");
}

/// A target, and whether it is met.
fn met((times, by): (u32, u32), mine: Duration, theirs: Duration) -> String {
    let kept = if mine * by <= theirs * times { "met" } else { "missed" };
    if by == 1 { format!("{times}×: {kept}") } else { format!("{times}/{by}: {kept}") }
}

/// How many frames of a video are looked at.
fn looked_at(bench: &Bench, video: &Path) -> Result<u64> {
    let run = bench.cover(&[video], &["-n", "6", "--json", "--overwrite"]);
    let [program, args @ ..] = &run.command[..] else { anyhow::bail!("no command") };
    let output = Command::new(program).args(args).output().context("cannot start pinpress")?;
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).context("no candidates")?;
    document.pointer("/videos/0/looked_at").and_then(serde_json::Value::as_u64).context("nothing was looked at")
}
