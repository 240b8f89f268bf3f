//! A folder, by the number of jobs.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Bench, commands, source};
use crate::bench::measure::in_turn;
use crate::bench::text::{mebibytes, ratio, seconds};

/// Clips in the folder.
const CLIPS: u32 = 12;

/// Measures and prints.
pub(super) fn table(bench: &Bench) -> Result<()> {
    let clips = source::clips(CLIPS)?;
    let folder: &Path = clips.first().and_then(|clip| clip.parent()).context("no clips")?;
    let runs = ["1", "2"].map(|jobs| bench.cover(&[folder], &["-n", "6", "--jobs", jobs]));
    let taken = in_turn(bench.rounds, &runs)?;
    println!("| {CLIPS} clips of 6 s, 1920×1080 | wall | faster | on a core | peak memory of one process |");
    println!("|---|---|---|---|---|");
    for (jobs, run) in ["1", "2"].iter().zip(&taken) {
        let times = ratio(taken[0].wall, run.wall);
        println!(
            "| `--jobs {jobs}` | {} | {times:.2}× | {} | {} |",
            seconds(run.wall),
            seconds(run.cpu),
            mebibytes(run.peak_kib)
        );
    }
    commands(&runs);
    Ok(())
}
