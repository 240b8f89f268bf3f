//! The ffmpeg and ffprobe command lines as makers of clips and as outside judges, and the folder of real clips.
#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of real clips beside the repository, or `None` (and a word on it) where there is none.
pub(crate) fn media() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/media");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no folder of real clips at {}", folder.display());
    None
}

/// The real clips that are whole, sorted by name.
pub(crate) fn good_clips() -> Vec<PathBuf> {
    let Some(folder) = media() else { return Vec::new() };
    let mut clips: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && path.extension().is_some_and(|ext| ext != "tsv"))
        .collect();
    clips.sort();
    clips
}

/// Runs ffmpeg; its output options end in a path of the caller's.
pub(crate) fn ffmpeg(arguments: &[&str]) {
    let output = Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "ffmpeg {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What ffmpeg writes to its standard output.
pub(crate) fn ffmpeg_bytes(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("ffmpeg").args(["-v", "error", "-nostdin"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "ffmpeg {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What ffprobe says, one value a line.
pub(crate) fn ffprobe(path: &Path, arguments: &[&str]) -> Vec<String> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "default=nw=1:nk=1"])
        .args(arguments)
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The mean difference of two pictures of one size, in steps of 255.
pub(crate) fn mean_difference(left: &[u8], right: &[u8]) -> f64 {
    assert_eq!(left.len(), right.len(), "sizes differ");
    let sum: u64 = left.iter().zip(right).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / left.len() as f64
}

/// A folder that goes when the test ends.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A path as the command lines take it.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Writes a display matrix that mirrors left and right into the first track header of an MP4 (ISO/IEC 14496-12
/// §8.3.2, version 0), as the ffmpeg command line of version 5 cannot.
pub(crate) fn mirror(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let tkhd = bytes.windows(4).position(|four| four == b"tkhd").unwrap() + 4;
    let matrix = tkhd + 4 + 20 + 8 + 8;
    assert_eq!(bytes[matrix..matrix + 4], [0, 1, 0, 0], "not where the matrix is");
    bytes[matrix..matrix + 4].copy_from_slice(&(-0x1_0000_i32).to_be_bytes());
    std::fs::write(path, bytes).unwrap();
}
