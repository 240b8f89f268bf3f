//! Each row of the field notes that is about media has a test of its number, through the program that users start;
//! ffprobe, decoded pictures and decoded sound judge what came of it. Needs the media worker beside the program
//! (`cargo build -p pinpress-worker`).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

#[path = "../crates/cli/tests/ground/mod.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod ground;

#[path = "../crates/av/tests/support/mod.rs"]
mod support;

#[path = "field_notes/stage.rs"]
mod stage;

#[path = "field_notes/picture.rs"]
mod picture;

#[path = "field_notes/shape.rs"]
mod shape;

#[path = "field_notes/sound.rs"]
mod sound;

#[path = "field_notes/streams.rs"]
mod streams;

#[path = "field_notes/files.rs"]
mod files;

/// Rows that are about publishing (3), the gate (4, 11) and covers (19): their tests are with those.
const OTHER_ROWS: [u32; 4] = [3, 4, 11, 19];

const SOURCES: [&str; 5] = [
    include_str!("field_notes/picture.rs"),
    include_str!("field_notes/shape.rs"),
    include_str!("field_notes/sound.rs"),
    include_str!("field_notes/streams.rs"),
    include_str!("field_notes/files.rs"),
];

#[test]
fn every_media_row_has_a_test_of_its_number() {
    let notes = pinpress_fixtures::workspace_root().join("../shared/field-notes.md");
    let Ok(notes) = std::fs::read_to_string(&notes) else {
        println!("skipped: no field notes at {}", notes.display());
        return;
    };
    let number = |line: &str| line.strip_prefix("| ")?.split(' ').next()?.parse::<u32>().ok();
    let rows: Vec<u32> = notes.lines().filter_map(number).collect();
    assert!(rows.len() >= 23, "the table is not read: {rows:?}");
    for row in rows.into_iter().filter(|row| !OTHER_ROWS.contains(row)) {
        let test = format!("#[test]\nfn row_{row:02}_");
        assert!(SOURCES.iter().any(|source| source.contains(&test)), "row {row} has no test");
    }
}
