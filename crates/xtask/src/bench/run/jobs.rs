//! Videos at once, and threads of each: the table that `--jobs auto` goes by.

use std::thread;

use anyhow::Result;

use super::Bench;
use crate::bench::fix::source::scratch;
use crate::bench::fix::threads::videos;
use crate::bench::measure::{Run, in_turn};
use crate::bench::text::{commands, mebibytes, ratio, tenths, words};

/// Measures and prints.
pub(super) fn table(bench: &Bench) -> Result<()> {
    let cores = thread::available_parallelism()?.get();
    let folder = videos()?.display().to_string();
    // From one video on all cores to twice as many videos as cores; threads up to twice the cores in all.
    let mut shares = Vec::new();
    let mut jobs = 1;
    while jobs <= 2 * cores {
        shares.extend([1, 2, 4, 8].into_iter().filter(|threads| jobs * threads <= 2 * cores).map(|t| (jobs, t)));
        jobs *= 2;
    }
    let runs: Vec<Run> = shares
        .iter()
        .map(|(jobs, threads)| {
            let output = scratch("jobs");
            let (program, into) = (bench.pinpress.display().to_string(), output.display().to_string());
            let (jobs, threads) = (jobs.to_string(), threads.to_string());
            let numbers = ["--jobs", &jobs, "--threads", &threads, "--preset", "medium", "-q"];
            Run::into(words(&[&[&*program, "fix", &folder, "-o", &into], &numbers[..]].concat()), output)
        })
        .collect();
    let taken = in_turn(bench.rounds, &runs)?;
    let best = taken.iter().map(|taken| taken.wall).min().unwrap_or_default();
    println!("| 8 videos of 6 s, {cores} cores | threads each | wall | of the best | on a core | peak memory of one |");
    println!("|---|---|---|---|---|---|");
    for ((jobs, threads), taken) in shares.iter().zip(&taken) {
        println!(
            "| `--jobs {jobs}` | {threads} | {} | {:.2}× | {} | {} |",
            tenths(taken.wall),
            ratio(taken.wall, best),
            tenths(taken.cpu),
            mebibytes(taken.peak_kib)
        );
    }
    commands(&runs);
    Ok(())
}
