//! Any bytes as a file: the walk over top-level boxes, and all behind it.
#![no_main]

#[path = "../src/gate.rs"]
mod gate;

use gate::{decide, leave_caught_panics_alone};
use libfuzzer_sys::fuzz_target;
use pinpress_probe::sample_table::{Decision, Unreadable};

fuzz_target!(init: leave_caught_panics_alone(), |bytes: &[u8]| {
    match decide(bytes) {
        Ok(Decision::Facts(info)) => assert_eq!(info.size_bytes, bytes.len() as u64),
        // Memory does not fail, and the length is the true one.
        Err(Unreadable::Io(error)) => panic!("{error}"),
        Ok(_) | Err(Unreadable::Incomplete) => {}
    }
});
