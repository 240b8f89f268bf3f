//! Uploads beside encodes: over a link that takes as long as the encodes do, the whole run should take little longer.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use super::{Bench, folder, sink};
use crate::bench::measure::{Run, in_turn};
use crate::bench::text::{commands, ratio, tenths, words};

/// Measures and prints.
pub(super) fn table(bench: &Bench) -> Result<()> {
    let folder = folder()?;
    // How long the work alone takes, and how much there is to send.
    let fast = sink::start(None)?;
    let alone = bench.run(&folder, &fast, "uploads-alone");
    let work = in_turn(bench.rounds, std::slice::from_ref(&alone))?[0];
    let output = alone.output.as_deref().context("no output")?;
    let sizes = fs::read_dir(output)?.flatten().filter(|entry| entry.path().extension().is_some_and(|e| e == "mp4"));
    let bytes: u64 = sizes.filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum();
    let rate = u64::try_from(u128::from(bytes) * 1000 / work.wall.as_millis().max(1))?;
    ensure!(rate > 0, "nothing to send: {}", output.display());

    let slow = sink::start(Some(rate))?;
    let into = output.display().to_string();
    let mut publish = bench.publishing(&slow);
    publish.extend(words(&["publish", &into, "--board", sink::BOARD, "-q"]));
    // Elsewhere than where the run keeps what it has published.
    let ledger = super::scratch("uploads-ledger");
    publish.extend(words(&["-o", &ledger.display().to_string()]));
    let runs = [Run::into(publish, ledger), bench.run(&folder, &slow, "uploads-together")];
    let taken = in_turn(bench.rounds, &runs)?;
    let longer = work.wall.max(taken[0].wall);
    println!(
        "| 30 videos, {} MB, a link of {} kB/s | wall | of the longer |\n|---|---|---|",
        bytes / 1_000_000,
        rate / 1000
    );
    println!("| the work, a link without limit | {} | |", tenths(work.wall));
    println!("| the uploads, of videos that are fixed | {} | |", tenths(taken[0].wall));
    println!("| both | {} | {:.2}× |", tenths(taken[1].wall), ratio(taken[1].wall, longer));
    println!("\nTarget: at most 1.15×.");
    commands([&alone].into_iter().chain(&runs));
    Ok(())
}
