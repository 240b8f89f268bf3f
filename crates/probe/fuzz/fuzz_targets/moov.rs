//! Any bytes as the payload of `moov`: the guard, the parser, the facts; and the same facts by a second reader.
#![no_main]

#[path = "../src/around.rs"]
mod around;
#[path = "../src/gate.rs"]
mod gate;
#[path = "../../../../tests/second_reader/mod.rs"]
mod second_reader;

use around::file_around;
use gate::{decide, leave_caught_panics_alone};
use libfuzzer_sys::fuzz_target;
use pinpress_probe::sample_table::Decision;
use second_reader::{differences, second_reading};

fuzz_target!(init: leave_caught_panics_alone(), |payload: &[u8]| {
    let (file, at) = file_around(payload);
    let Ok(Decision::Facts(info)) = decide(&file) else { return };
    let Some(second) = second_reading(&file[at..]) else { return };
    let differences = differences(&info, &second, false);
    assert!(differences.is_empty(), "{differences:#?}");
});
