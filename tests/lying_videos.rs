//! Lying videos by the real binaries: what the fast path does not decide goes to libav in the worker, and each video
//! has its verdict.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]
#![expect(clippy::print_stdout, reason = "a test that goes without something says so")]

mod mutants;

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use mutants::{Sparse, bases};
use pinpress_probe::sample_table::{Decision, read_from};
use serde_json::Value;

/// Every so many-th lie, of those that the fast path leaves to the worker.
const STRIDE: usize = 331;
/// How many in all.
const SAMPLE: usize = 150;
/// For all of them together. Less than what a worker's watchdog gives one that hangs: three times 30 s.
const PATIENCE: Duration = Duration::from_secs(85);

fn undecided(file: &Sparse) -> bool {
    let (mut reader, len) = (file.clone(), file.len);
    matches!(read_from(&mut reader, len), Ok(Decision::Undecided { .. }))
}

fn write(file: &Sparse, path: &Path) -> std::io::Result<()> {
    let mut on_disk = std::fs::File::create(path)?;
    for (start, bytes) in &file.pieces {
        on_disk.seek(SeekFrom::Start(*start))?;
        on_disk.write_all(bytes)?;
    }
    on_disk.set_len(file.len)
}

#[test]
fn every_lying_video_has_a_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut seen, mut names) = (0, Vec::new());
    for base in bases() {
        mutants::mutants(&base, 20, |name, file| {
            seen += 1;
            if seen % STRIDE == 0 && names.len() < SAMPLE && undecided(&file) {
                write(&file, &folder.path().join(format!("{:03}.mp4", names.len()))).expect("it is written");
                names.push(format!("{}: {name}", base.name));
            }
        });
    }
    assert!(names.len() >= 50, "only {} were left to the worker", names.len());
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinpress"));
    command.args(["check", "--format", "json"]).arg(folder.path()).timeout(PATIENCE);
    let output = command.output().expect("pinpress starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
    let videos = report["videos"].as_array().expect("videos");
    assert_eq!(videos.len(), names.len(), "a verdict for each");
    for (video, name) in videos.iter().zip(&names) {
        let verdict = video["verdict"].as_str().expect("a verdict");
        let reason = video["error"].as_str().unwrap_or_default();
        assert_eq!(verdict == "error", !reason.is_empty(), "{name}: {video:#}");
        assert!(["pass", "fail", "error"].contains(&verdict), "{name}: {verdict}");
        // The sandbox and its limits are for what libav does here; none of these lies makes it die or hang.
        assert!(!reason.contains("set aside"), "{name}: {reason}");
    }
}
