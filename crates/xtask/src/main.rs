//! `cargo xtask`: everything around the program that a newcomer or CI runs.

#![expect(clippy::print_stdout, reason = "this is a binary for people")]

mod bench;
mod checks;
mod demo;
mod fuzz;
mod judges;
mod setup;
mod step;
mod suites;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Set-up, demo, tests and checks of pinpress.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Clone, Subcommand)]
enum Task {
    /// Install the system packages that are missing (FFmpeg, clang for bindgen, pkg-config)
    Setup {
        /// Also what only tests need (Chromium, xmllint, Prism, axe-core, an S3 server)
        #[arg(long)]
        tests: bool,
    },
    /// Set up, build, and take a folder of raw sample videos to Pins on a Pinterest stand-in
    Demo {
        /// Keep serving the board page until Ctrl-C
        #[arg(long)]
        serve: bool,
    },
    /// Set up and run all tests
    Test,
    /// Formatting, lints, docs, all tests and half a minute of fuzzing: what .ci/run runs
    Ci,
    /// Fuzz the readers and the rule-set parser; a long run is `cargo xtask fuzz --seconds 3600`
    Fuzz {
        /// One target instead of all: moov, `box_walk`, sps, `rule_set`
        target: Option<String>,
        /// For all targets together
        #[arg(long, value_name = "N", default_value_t = fuzz::CI_SECONDS)]
        seconds: u64,
    },
    /// Make every test video
    Fixtures,
    /// Measure side by side with the tools that people use today
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Run a command and print its microseconds, peak memory in KiB, and exit code
    #[command(hide = true)]
    Measure {
        /// Program and arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Setup { tests: false } => setup::run(),
        Task::Setup { tests: true } => setup::for_tests().and_then(|()| judges::install()),
        Task::Demo { serve } => demo::run(serve),
        Task::Test => checks::test(),
        Task::Ci => checks::ci(),
        Task::Fuzz { target, seconds } => fuzz::run(target.as_deref(), seconds),
        Task::Fixtures => checks::fixtures(),
        Task::Bench(bench) => bench::run(&bench),
        Task::Measure { command } => bench::report(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
