//! Plans that change a copied picture without decoding it, made by hand; ffprobe, ffmpeg and a browser judge what came
//! of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

#[path = "../../av/tests/support/mod.rs"]
mod support;

mod browser;

#[path = "edits/ground.rs"]
mod ground;

#[path = "edits/crops.rs"]
mod crops;

#[path = "edits/parts.rs"]
mod parts;

#[path = "edits/rates.rs"]
mod rates;

#[path = "edits/loops.rs"]
mod loops;

#[path = "edits/holds.rs"]
mod holds;
