//! The most memory that a cover of a large picture holds.

use std::path::Path;

use anyhow::Result;

use super::peers::ffmpegthumbnailer;
use super::{Bench, commands, source};
use crate::bench::measure::{Run, in_turn};
use crate::bench::text::{mebibytes, seconds};

/// Measures and prints.
pub(super) fn table(bench: &Bench) -> Result<()> {
    let videos = source::four_k()?;
    println!("| 8 s of 3840×2160 | wall | peak memory of one process |\n|---|---|---|");
    let mut all = Vec::new();
    for (name, video) in videos {
        let runs = rows(bench, &video);
        let taken = in_turn(bench.rounds, &runs.iter().map(|(_, run)| run.clone()).collect::<Vec<_>>())?;
        for ((what, _), taken) in runs.iter().zip(&taken) {
            println!("| {name}: {what} | {} | {} |", seconds(taken.wall), mebibytes(taken.peak_kib));
        }
        all.extend(runs.into_iter().map(|(_, run)| run));
    }
    println!("\nTarget: under 200 MB.");
    commands(&all);
    Ok(())
}

fn rows(bench: &Bench, video: &Path) -> [(&'static str, Run); 3] {
    [
        ("`pinpress cover -n 6`", bench.cover(&[video], &["-n", "6"])),
        ("`pinpress cover -n 1 --format png`", bench.cover(&[video], &["-n", "1", "--format", "png"])),
        ("`ffmpegthumbnailer`", ffmpegthumbnailer(video)),
    ]
}
