//! The pixels of a written cover are those of the frame that is shown at the time that is told for it: upright, in
//! square pixels, in the colours of a screen, whole. The ffmpeg command line is the judge. Needs the media worker
//! beside the program (`cargo build -p pinpress-worker`).

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

#[path = "../crates/cli/tests/ground/mod.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod ground;

#[path = "../crates/av/tests/support/mod.rs"]
mod support;

#[path = "cover_pixels/stage.rs"]
mod stage;

#[path = "cover_pixels/shape.rs"]
mod shape;

#[path = "cover_pixels/colour.rs"]
mod colour;

#[path = "cover_pixels/time.rs"]
mod time;

#[path = "cover_pixels/fixed.rs"]
mod fixed;
