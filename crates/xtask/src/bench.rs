//! Side by side with the tools that people use today: whole processes with their start, taken in turn in one run.

mod folder;
mod gate;
mod measure;

use clap::Subcommand;

pub(crate) use measure::report;

/// What is measured.
#[derive(Clone, Subcommand)]
pub(crate) enum Bench {
    /// `pinpress check` beside ffprobe and mediainfo: time, memory, growth, and what a large file costs
    Check {
        /// Times that each command is run; the median counts
        #[arg(long, default_value_t = 5)]
        rounds: usize,
    },
}

/// Runs the bench and prints its table.
pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    match bench {
        Bench::Check { rounds } => gate::run((*rounds).max(1)),
    }
}
