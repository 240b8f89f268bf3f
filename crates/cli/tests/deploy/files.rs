//! The files themselves, and the programs that judge them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::ground::{folder, ran};

/// A file under `deploy/`.
pub(crate) fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

pub(crate) fn text(name: &str) -> String {
    std::fs::read_to_string(deployed(name)).unwrap()
}

/// A judge that `cargo xtask test` installs; `None` where it is not, which it says.
pub(crate) fn judge(name: &str) -> Option<Command> {
    let program = pinpress_fixtures::tools_folder().join("deploy/bin").join(name);
    if !program.is_file() {
        println!("skipped: no {name}: `cargo xtask test` installs it");
        return None;
    }
    Some(Command::new(program))
}

pub(crate) fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A copy in which `from` is `to`, to see that its judge does not let everything pass.
pub(crate) fn changed(dir: &Path, name: &str, from: &str, to: &str) -> PathBuf {
    let before = text(name);
    assert!(before.contains(from), "{name} has no {from:?}");
    let copy = dir.join(Path::new(name).file_name().unwrap());
    std::fs::write(&copy, before.replace(from, to)).unwrap();
    copy
}

/// Two that have to be encoded, one to be rewrapped, one that fits, and one that is no video.
const RAW: [(&str, &str); 5] = [
    ("conforming-9x16.mp4", "raw/ready.mp4"),
    ("matroska-fit.mkv", "raw/clip.mkv"),
    ("film-24fps.mp4", "raw/edit/film.mp4"),
    ("upright-16x9.mp4", "raw/edit/wide.mp4"),
    ("not-a-video.mp4", "raw/broken.mp4"),
];

/// A folder of raw videos; `None` where there is no ffmpeg or no worker, which it says.
pub(crate) fn raw() -> Option<tempfile::TempDir> {
    let dir = folder(&RAW)?;
    let doctor = ran(dir.path(), &["doctor"]);
    if doctor.code != 0 {
        println!("skipped: build the worker with `cargo build -p pinpress-worker`\n{}", doctor.stdout);
        return None;
    }
    Some(dir)
}
