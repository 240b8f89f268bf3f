//! Nothing is lost and nothing is half, whatever happens to the machine: full disks, reads that fail, kills at any
//! moment, folders that cannot be written to, sources that change. By the real programs; the media worker has to be
//! built (`cargo build -p pinpress-worker`), else the tests skip and say so.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

#[path = "nothing_lost/disk_full.rs"]
mod disk_full;
#[path = "nothing_lost/folders.rs"]
mod folders;
#[path = "nothing_lost/ground.rs"]
mod ground;
#[path = "nothing_lost/kills.rs"]
mod kills;
#[path = "nothing_lost/reads.rs"]
mod reads;
#[path = "nothing_lost/sources.rs"]
mod sources;
