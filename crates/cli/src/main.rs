//! `pinpress`: raw videos to published Pinterest video Pins.

mod app;
mod commands;
mod exit;
mod options;
mod output;
mod progress;
mod render;
mod signals;
mod workers;

fn main() -> std::process::ExitCode {
    app::main().into()
}
