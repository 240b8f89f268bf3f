//! Every clip of the folder of real videos gives a cover, every broken one an answer.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, one that is skipped says so"
)]

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use pinpress_cover::cover;
use pinpress_media::{CoverOptions, Covers, Failure};

/// The folder, when this checkout has it.
fn media() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/media");
    if !folder.join("MANIFEST.tsv").is_file() {
        println!("skipped: no real videos in {}", folder.display());
        return None;
    }
    Some(folder)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file() && path.extension().is_none_or(|ending| ending != "tsv"));
    files.sort();
    files
}

/// Ranks all files on two threads, as a debug build takes a while.
fn covers(files: &[PathBuf]) -> Vec<(PathBuf, Result<Covers, Failure>)> {
    let options = CoverOptions { count: 3, at: None, pictures: None, contact_sheet: None, overwrite: false };
    let (queue, results) = (Mutex::new(files.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(path) = { queue.lock().unwrap().next() } {
                    let result = cover(path, &options, 1, &|_| ());
                    results.lock().unwrap().push((path.clone(), result));
                }
            });
        }
    });
    results.into_inner().unwrap()
}

#[test]
fn every_good_clip_has_a_cover() {
    let Some(folder) = media() else { return };
    let files = files(&folder);
    assert!(files.len() > 40, "only {} clips", files.len());
    for (path, result) in covers(&files) {
        let covers = result.unwrap_or_else(|failure| panic!("{failure:?}: {}", path.display()));
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!((1..=3).contains(&covers.candidates.len()), "{name}");
        for candidate in &covers.candidates {
            assert!((0.0..=1.0).contains(&candidate.score), "{name}: {}", candidate.score);
            assert!(candidate.parts.iter().all(|part| (0.0..=1.0).contains(&part.value)), "{name}: {candidate:?}");
        }
        let rejected: Vec<_> = covers.rejected.iter().map(|rejected| rejected.time).collect();
        assert!(rejected.is_sorted(), "{name}");
        assert!(covers.candidates.iter().all(|candidate| !rejected.contains(&candidate.time)), "{name}");
        let flawed = covers.candidates.iter().filter(|candidate| candidate.flaw.is_some()).count();
        assert!(flawed == 0 || flawed == covers.candidates.len(), "{name}: flawed and clean ones together");
    }
}

#[test]
fn every_broken_clip_has_an_answer() {
    let Some(folder) = media() else { return };
    for (path, result) in covers(&files(&folder.join("malformed"))) {
        match result {
            Ok(covers) => assert!(!covers.candidates.is_empty(), "{}", path.display()),
            Err(failure) => assert!(!failure.message.is_empty(), "{}", path.display()),
        }
    }
}
