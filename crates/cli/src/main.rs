//! `pinpress`: raw videos to published Pinterest video Pins.

mod account;
mod app;
mod browser;
mod commands;
mod config;
mod delivery;
mod destination;
mod dry_run;
mod exit;
mod fixing;
mod intake;
mod logs;
mod machine;
mod metrics;
mod options;
mod output;
mod panics;
mod progress;
mod render;
mod run_output;
mod schedule;
mod shard;
mod signals;
mod stills;
mod whole;
mod workers;

fn main() -> std::process::ExitCode {
    panics::install_hook();
    app::main().into()
}
