//! Clips made by the ffmpeg command line.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::process::Command;

use pinpress_cover::cover;
use pinpress_media::{CoverOptions, Covers};
use tempfile::TempDir;

/// What ffmpeg writes to its standard output.
pub(crate) fn ffmpeg(arguments: &[&str]) -> Vec<u8> {
    let done = Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// A clip made from a lavfi graph.
pub(crate) fn clip(folder: &TempDir, name: &str, graph: &str, encode: &[&str]) -> PathBuf {
    let path = folder.path().join(name);
    let mut arguments = vec!["-f", "lavfi", "-i", graph];
    arguments.extend(["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast"]);
    arguments.extend(encode);
    arguments.push(path.to_str().unwrap());
    ffmpeg(&arguments);
    path
}

/// The best `count` frames, without pictures.
pub(crate) fn ranked(source: &Path, count: usize, threads: usize) -> Covers {
    let options = CoverOptions { count, at: None, pictures: None, contact_sheet: None, overwrite: false };
    cover(source, &options, threads, &|_| ()).unwrap()
}

/// The times of the candidates in milliseconds, best first.
pub(crate) fn times(covers: &Covers) -> Vec<i64> {
    covers.candidates.iter().map(|candidate| candidate.time.millis()).collect()
}
