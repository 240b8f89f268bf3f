//! The log of a run.

use std::path::Path;

use pinpress_rehearsal::{Rehearsal, RehearsalOptions};

use crate::ground::{folder, output_of, pinpress, ran};

/// Every day's log, in order: a run that passes midnight has two.
fn log_of(output: &Path) -> String {
    let mut files: Vec<_> = std::fs::read_dir(output.join(".pinpress/log"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort_unstable();
    for name in &files {
        let day = name.strip_prefix("run.").and_then(|name| name.strip_suffix(".log")).unwrap_or_default();
        let shape: String = day.chars().map(|sign| if sign.is_ascii_digit() { '9' } else { sign }).collect();
        assert_eq!(shape, "9999-99-99", "a file is named for its day: {files:?}");
    }
    assert!((1..=2).contains(&files.len()), "a file a day: {files:?}");
    files.iter().map(|name| std::fs::read_to_string(output.join(".pinpress/log").join(name)).unwrap()).collect()
}

/// A video whose picture breaks in the middle, and has to be decoded.
fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let end = bytes.len();
    for byte in &mut bytes[end / 3..end / 3 + 20_000] {
        *byte = byte.wrapping_mul(31).wrapping_add(7);
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn the_log_has_every_step_and_what_libav_said_of_the_video_that_failed() {
    let Some(dir) = folder(&[("conforming-9x16.mp4", "raw/fits.mp4"), ("upright-16x9.mp4", "raw/broken.mp4")]) else {
        return;
    };
    damage(&dir.path().join("raw/broken.mp4"));
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let mut command = pinpress();
    command.env("PINPRESS_ACCESS_TOKEN", pinterest.token()).env("PINPRESS_API", pinterest.api_base());
    command.args(["run", "raw", "-o", "out", "--preset", "ultrafast", "--board", "rehearsal", "-q"]);
    let told = output_of(command.current_dir(dir.path()), dir.path());
    assert_eq!(told.code, 1, "{}{}", told.stdout, told.stderr);
    assert!(!told.stderr.contains("DEBUG"), "the terminal has its own level: {}", told.stderr);
    let log = log_of(&dir.path().join("out"));
    let of = |video: &str, word: &str| {
        log.lines().filter(|line| line.contains(&format!("path=\"raw/{video}\"")) && line.contains(word)).count()
    };
    assert!(of("broken.mp4", " libav: ") > 0 && of("fits.mp4", " libav: ") == 0, "{log}");
    assert_eq!((of("broken.mp4", "end=\"failed\""), of("fits.mp4", "end=\"done\"")), (1, 1), "{log}");
    assert!(of("fits.mp4", "state=\"pinned\"") == 1 && of("fits.mp4", "answered") > 0, "the publisher too: {log}");
    for line in log.lines() {
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(["DEBUG", " INFO", " WARN", "ERROR"].iter().any(|level| rest.starts_with(level)), "{line}");
    }
    assert!(!log.contains(pinterest.token()), "the token is in the log");
}

#[test]
fn a_run_whose_log_cannot_be_written_says_so_and_goes_on() {
    let Some(dir) = folder(&[("conforming-9x16.mp4", "raw/fits.mp4")]) else { return };
    std::fs::create_dir_all(dir.path().join("out/.pinpress")).unwrap();
    std::fs::write(dir.path().join("out/.pinpress/log"), "in the way").unwrap();
    let told = ran(dir.path(), &["rehearse", "raw", "-o", "out"]);
    assert_eq!(told.code, 0, "{}{}", told.stdout, told.stderr);
    assert!(told.stderr.contains("note: the run has no log: "), "{}", told.stderr);
    // What cannot begin leaves no folder.
    let none = ran(dir.path(), &["rehearse", "raw/typo", "-o", "new"]);
    assert!(none.code == 2 && !dir.path().join("new").exists(), "{}", none.stderr);
}
