//! Any bytes as a file: the walk over top-level boxes, and all behind it.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use pinpress_probe::sample_table::{Decision, Unreadable, read_from};

fuzz_target!(|bytes: &[u8]| {
    match read_from(&mut Cursor::new(bytes), bytes.len() as u64) {
        Ok(Decision::Facts(info)) => assert_eq!(info.size_bytes, bytes.len() as u64),
        // Memory does not fail, and the length is the true one.
        Err(Unreadable::Io(error)) => panic!("{error}"),
        Ok(_) | Err(Unreadable::Incomplete) => {}
    }
});
