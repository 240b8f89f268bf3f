//! What fuzzing found stays: each input under `crates/probe/fuzz/seeds` once more, as its target would take it.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]

#[path = "../crates/probe/fuzz/src/around.rs"]
mod around;
#[path = "../crates/probe/fuzz/src/movie.rs"]
mod movie;
mod second_reader;

use std::io::Cursor;

use around::file_around;
use movie::movie_of;
use pinpress_fixtures::workspace_root;
use pinpress_probe::sample_table::{Decision, Undecided, Unreadable, read_from};
use pinpress_probe::{MediaInfo, Spec};
use second_reader::{differences, second_reading};

/// The seeds of `target`: name and bytes. None where nothing was found.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = workspace_root().join("crates/probe/fuzz/seeds").join(target);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("a seed").path());
    paths.map(|path| (path.display().to_string(), std::fs::read(path).expect("a seed that reads"))).collect()
}

/// Reads a file; a caught panic is none that may come back.
fn facts(name: &str, file: &[u8]) -> Option<MediaInfo> {
    let decision = read_from(&mut Cursor::new(file), file.len() as u64);
    let gave_up =
        matches!(&decision, Ok(Decision::Undecided { why: Undecided::GaveUp(_), .. }) | Err(Unreadable::Io(_)));
    assert!(!gave_up, "{name}: {decision:?}");
    match decision {
        Ok(Decision::Facts(info)) => Some(*info),
        _ => None,
    }
}

#[test]
fn indexes() {
    let seeds = seeds("moov");
    assert!(!seeds.is_empty(), "the folder has moved");
    for (name, payload) in seeds {
        let (file, at) = file_around(&payload);
        let Some(info) = facts(&name, &file) else { continue };
        let second = second_reading(&file[at..]);
        let differences = second.map_or_else(Vec::new, |second| differences(&info, &second, false));
        assert_eq!(differences, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn files_and_parameter_sets() {
    for (name, file) in seeds("box_walk") {
        facts(&name, &file);
    }
    for (name, nal) in seeds("sps") {
        facts(&name, &file_around(&movie_of(&nal)).0);
    }
}

#[test]
fn rule_sets() {
    for (name, text) in seeds("rule_set") {
        let _ = Spec::parse(&String::from_utf8_lossy(&text), &name);
    }
}

/// Else the target `sps` would fuzz the guard that refuses its movie.
#[test]
fn the_smallest_movie_is_decided() {
    let nal =
        b"\x67\x64\x00\x1f\xac\xd9\x40\x50\x05\xbb\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\x20\xf1\x83\x19\x60";
    let info = facts("the smallest movie", &file_around(&movie_of(nal)).0).expect("it is decided");
    let size = info.video[0].coded;
    assert_eq!((size.width, size.height), (1280, 720));
}
