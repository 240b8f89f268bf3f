//! Side by side with the tools that people use today: whole processes with their start, taken in turn in one run.

mod cover;
mod fix;
mod folder;
mod gate;
mod measure;
mod run;
mod sink;
mod text;
mod upload;

use std::path::PathBuf;

use clap::Subcommand;

use crate::{setup, step};

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
    /// `pinpress fix` beside cp, ffmpeg, scripts around it, and `HandBrake`: time, size, likeness, memory, threads
    Fix {
        /// Times that each command is run; the median counts
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// One table instead of all
        #[arg(long, value_name = "TABLE")]
        only: Option<fix::Table>,
        /// Measure the release build that is there
        #[arg(long)]
        no_build: bool,
    },
    /// `pinpress cover` beside ffmpeg's `thumbnail` and ffmpegthumbnailer: time, memory, and covers that are bad
    Cover {
        /// Times that each command is run; the median counts
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// One table instead of all
        #[arg(long, value_name = "TABLE")]
        only: Option<cover::Table>,
        /// Measure the release build that is there
        #[arg(long)]
        no_build: bool,
        /// How long the long video is
        #[arg(long, value_name = "SECONDS", default_value_t = cover::QUARTER_OF_AN_HOUR)]
        seconds: u32,
    },
    /// `pinpress run` beside scripts and `HandBrake`; busy cores, hidden uploads, and the table of `--jobs auto`
    Run {
        /// Times that each command is run; the median counts
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// One table instead of all
        #[arg(long, value_name = "TABLE")]
        only: Option<run::Table>,
        /// Measure the release build that is there
        #[arg(long)]
        no_build: bool,
    },
    /// The upload of 2 GB beside curl that sends the same form: MB/s and memory
    Upload {
        /// Times that each command is run; the median counts
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Measure the release build that is there
        #[arg(long)]
        no_build: bool,
    },
}

/// Runs the bench and prints its table.
pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    match bench {
        Bench::Check { rounds } => gate::run((*rounds).max(1)),
        Bench::Fix { rounds, only, no_build } => fix::run((*rounds).max(1), *only, !no_build),
        Bench::Cover { rounds, only, no_build, seconds } => {
            cover::run((*rounds).max(1), *only, !no_build, (*seconds).max(1))
        }
        Bench::Run { rounds, only, no_build } => run::run((*rounds).max(1), *only, !no_build),
        Bench::Upload { rounds, no_build } => upload::run((*rounds).max(1), !no_build),
    }
}

/// The release build of pinpress, made first if `build`; what it is measured against is installed.
fn pinpress(build: bool) -> anyhow::Result<PathBuf> {
    setup::for_benches()?;
    if build {
        step::run(&mut step::cargo(&["build", "--release", "--locked"]))?;
    }
    println!();
    Ok(pinpress_fixtures::workspace_root().join("target/release/pinpress"))
}
