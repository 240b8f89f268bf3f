//! Whole runs by the real programs, against a Pinterest on loopback: killed at any moment, on full disks and read-only
//! ones, with sources that change, ledgers that are locked or damaged. Each ends with a message and a code, and a later
//! run ends well. What a fix alone does in such cases is in `nothing_lost`.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::panic, reason = "a test that gets something else has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]
#![expect(dead_code, reason = "the ground serves another suite too")]

#[path = "whole_runs/faults.rs"]
mod faults;
#[path = "nothing_lost/ground.rs"]
mod ground;
#[path = "whole_runs/kills.rs"]
mod kills;
#[path = "whole_runs/ledgers.rs"]
mod ledgers;
#[path = "whole_runs/stage.rs"]
mod stage;
