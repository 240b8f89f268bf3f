//! Covers of videos in which defects are planted at known times, through the program that users start: none is taken
//! where there is a defect, as clean pictures are there.
//!
//! Needs the folder of real clips beside the checkout; without it this test skips and says so. Needs the media worker
//! beside the program (`cargo build -p pinpress-worker`).

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

#[path = "../crates/cli/tests/ground/mod.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod ground;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ground::pinpress;
use pinpress_fixtures::planted::{Kind, Planted, make_planted, planted};
use serde_json::Value;

/// The times of the candidates of each video, best first, in milliseconds.
fn chosen(videos: &[PathBuf], count: &str) -> BTreeMap<String, Vec<i64>> {
    let out = tempfile::tempdir().unwrap();
    let output = pinpress().args(["cover", "--json", "-n", count, "-o"]).arg(out.path()).args(videos).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |video: &Value| {
        let name = Path::new(video["path"].as_str().unwrap()).file_stem().unwrap().to_str().unwrap().to_owned();
        let times =
            video["candidates"].as_array().unwrap().iter().map(|candidate| candidate["time_ms"].as_i64().unwrap());
        (name, times.collect())
    };
    document["videos"].as_array().unwrap().iter().map(of).collect()
}

/// What went wrong with a kind of defect.
#[derive(Default)]
struct Row {
    videos: usize,
    /// Covers with the defect.
    covers: usize,
    /// Videos of which one of six candidates has the defect.
    sheets: usize,
}

/// Burnt-in bars count against a picture, and a video that has both is shown with both; all else is refused.
fn may_be_shown(video: &Planted) -> bool {
    video.kind == Kind::Letterbox
}

#[test]
fn no_cover_is_taken_where_a_defect_is_planted() {
    let videos = planted().unwrap();
    let Some(paths) = make_planted(&videos).unwrap() else {
        println!("skipped: no folder of real clips");
        return;
    };
    let (one, six) = (chosen(&paths, "1"), chosen(&paths, "6"));
    let mut rows: BTreeMap<Kind, Row> = BTreeMap::new();
    let mut wrong = Vec::new();
    for video in &videos {
        let row = rows.entry(video.kind).or_default();
        row.videos += 1;
        let (cover, candidates) = (one[&video.name][0], &six[&video.name]);
        if video.is_bad_at(cover) {
            row.covers += 1;
            wrong.push(format!("{}: the cover is taken at {cover} ms: {}", video.name, video.about));
        }
        let bad: Vec<i64> = candidates.iter().copied().filter(|time| video.is_bad_at(*time)).collect();
        if !bad.is_empty() && !may_be_shown(video) {
            row.sheets += 1;
            wrong.push(format!("{}: of six frames {candidates:?} those at {bad:?} ms: {}", video.name, video.about));
        }
        if candidates[0] != cover {
            wrong.push(format!("{}: the cover is at {cover} ms alone, at {} ms of six", video.name, candidates[0]));
        }
    }
    println!("| planted | videos | bad covers | bad among six |\n|---|---|---|---|");
    for (kind, row) in &rows {
        println!("| {kind} | {} | {} | {} |", row.videos, row.covers, row.sheets);
    }
    let sum = |of: fn(&Row) -> usize| rows.values().map(of).sum::<usize>();
    println!("| all | {} | {} | {} |", sum(|row| row.videos), sum(|row| row.covers), sum(|row| row.sheets));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
