//! Any bytes as the payload of `moov`: the guard, the parser, the facts; and the same facts by a second reader.
#![no_main]

#[path = "../src/around.rs"]
mod around;
#[path = "../../../../tests/second_reader/mod.rs"]
mod second_reader;

use std::io::Cursor;

use around::file_around;
use libfuzzer_sys::fuzz_target;
use pinpress_probe::sample_table::{Decision, read_from};
use second_reader::{differences, second_reading};

fuzz_target!(|payload: &[u8]| {
    let (file, at) = file_around(payload);
    let Ok(Decision::Facts(info)) = read_from(&mut Cursor::new(&file), file.len() as u64) else { return };
    let Some(second) = second_reading(&file[at..]) else { return };
    let differences = differences(&info, &second, false);
    assert!(differences.is_empty(), "{differences:#?}");
});
