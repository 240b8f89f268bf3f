//! `cargo xtask`: everything around the program that a newcomer or CI runs.

#![expect(clippy::print_stdout, reason = "this is a binary for people")]

mod checks;
mod demo;
mod setup;
mod step;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Set-up, demo, tests and checks of pinpress.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Clone, Copy, Subcommand)]
enum Task {
    /// Install the system packages that are missing (FFmpeg, clang for bindgen, pkg-config)
    Setup,
    /// Set up, build, and take a folder of raw sample videos to Pins on a Pinterest stand-in
    Demo {
        /// Keep serving the board page until Ctrl-C
        #[arg(long)]
        serve: bool,
    },
    /// Set up and run all tests
    Test,
    /// Formatting, lints, docs and all tests: what .ci/run runs
    Ci,
    /// Make every test video
    Fixtures,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Setup => setup::run(),
        Task::Demo { serve } => demo::run(serve),
        Task::Test => checks::test(),
        Task::Ci => checks::ci(),
        Task::Fixtures => checks::fixtures(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
