//! The array script under `deploy/`, run by a real Slurm on this machine: what its tasks make is what one run makes.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod ground;

#[cfg(test)]
#[path = "slurm_array/cluster.rs"]
mod cluster;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cluster::{Cluster, PATIENCE};
use ground::{folder, ran};
use serde_json::Value;

/// A mixed folder: what fits, what is rewrapped, what is encoded, two of one name, and one that is no video.
const RAW: [(&str, &str); 7] = [
    ("conforming-9x16.mp4", "raw/ready.mp4"),
    ("pcm-sound.mov", "raw/clip.mov"),
    ("matroska-fit.mkv", "raw/clip.mkv"),
    ("film-24fps.mp4", "raw/edit/film.mp4"),
    ("upright-16x9.mp4", "raw/edit/wide.mp4"),
    ("black-head.mp4", "raw/edit/deep/dark.mp4"),
    ("not-a-video.mp4", "raw/broken.mp4"),
];

/// A cluster and a folder that has been done by one run; `None` where something is missing, which is said.
fn ground() -> Option<(Cluster, tempfile::TempDir)> {
    let dir = folder(&RAW)?;
    let doctor = ran(dir.path(), &["doctor"]);
    if doctor.code != 0 {
        println!("skipped: build the worker with `cargo build -p pinpress-worker`\n{}", doctor.stdout);
        return None;
    }
    let cluster = Cluster::start()?;
    let whole = ran(dir.path(), &["fix", "raw", "-o", "whole", "--jobs", "1", "--preset", "ultrafast"]);
    assert_eq!(whole.code, 1, "one is no video: {}{}", whole.stdout, whole.stderr);
    Some((cluster, dir))
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/slurm/pinpress-array.sbatch")
}

/// All files below a folder, our own apart, with their content.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(".pinpress") {
                folders.push(path);
            } else if path.is_file() {
                found.insert(path.strip_prefix(folder).unwrap().display().to_string(), std::fs::read(path).unwrap());
            }
        }
    }
    found
}

fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (tree(one), tree(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(other[name] == *bytes, "another content: {name}");
    }
}

#[test]
fn an_array_makes_what_one_run_makes() {
    let Some((cluster, dir)) = ground() else { return };
    let (out, whole) = (dir.path().join("out"), dir.path().join("whole"));
    // Not from 1, and not by 1.
    let array = ["--array=10-14:2", "--cpus-per-task=1", "--mem=0"];
    let job = cluster.sbatch(dir.path(), &array, &[]).arg(script()).args(["raw", "out"]).output().unwrap();
    let log = cluster.log(dir.path());
    assert!(job.status.success(), "{job:?}\n{log}");
    assert_eq!(log.matches("some videos could not be fixed").count(), 1, "of one part: {log}");
    assert_same(&out, &whole);

    // A part of it again is not taken for the whole.
    let before = tree(&out);
    let again = ["--array=12", "--cpus-per-task=1", "--mem=0"];
    let shards = [("PINPRESS_SHARDS", "3")];
    let job = cluster.sbatch(dir.path(), &again, &shards).arg(script()).args(["raw", "out"]).output().unwrap();
    assert_eq!(job.status.code(), Some(2), "{}", cluster.log(dir.path()));
    assert!(cluster.log(dir.path()).contains("submit the whole of it again"), "{}", cluster.log(dir.path()));
    assert_eq!(tree(&out), before);
}

#[test]
fn an_array_that_was_cancelled_is_submitted_again() {
    let Some((mut cluster, dir)) = ground() else { return };
    let array = ["--array=1-3", "--cpus-per-task=1", "--mem=0"];
    let submit = |cluster: &Cluster| {
        let mut sbatch = cluster.sbatch(dir.path(), &array, &[]);
        sbatch.arg(script()).args(["raw", "out"]);
        sbatch
    };
    let mut waiting = submit(&cluster).spawn().unwrap();
    // Once something of it is there, or all is over.
    let begun = Instant::now();
    while !dir.path().join("out").exists() && waiting.try_wait().unwrap().is_none() && begun.elapsed() < PATIENCE {
        std::thread::yield_now();
    }
    assert!(cluster.command("scancel").args(["--user", &cluster.user]).status().unwrap().success());
    waiting.wait().unwrap();
    cluster.wait_until_idle();
    let job = submit(&cluster).output().unwrap();
    assert!(job.status.success(), "{job:?}\n{}", cluster.log(dir.path()));
    let (out, whole) = (dir.path().join("out"), dir.path().join("whole"));
    let left: Vec<_> = tree(&out).into_keys().filter(|name| name.ends_with(".pinpress-tmp")).collect();
    for name in &left {
        // Whoever is killed outright leaves these, and only these; a run sweeps them.
        std::fs::remove_file(out.join(name)).unwrap();
    }
    assert_same(&out, &whole);
}

#[test]
fn the_runs_of_an_array_share_an_output_folder() {
    let Some((cluster, dir)) = ground() else { return };
    let run = "\"$PINPRESS\" run raw -o out --no-publish --shard auto --jobs 1 || [ $? -eq 1 ]";
    let array = ["--array=0-2", "--cpus-per-task=1", "--mem=0", "--wrap", run];
    let job = cluster.sbatch(dir.path(), &array, &[]).output().unwrap();
    assert!(job.status.success(), "{job:?}\n{}", cluster.log(dir.path()));
    let out = dir.path().join("out");
    let videos = |folder: &Path| -> BTreeMap<String, Vec<u8>> {
        tree(folder).into_iter().filter(|(name, _)| name.ends_with(".mp4")).collect()
    };
    assert!(videos(&out) == videos(&dir.path().join("whole")), "{:?}", tree(&out).keys());
    assert_eq!(tree(&out).keys().filter(|name| name.ends_with(".cover.jpg")).count(), RAW.len() - 1);
    let status = ran(dir.path(), &["status", "out", "--format", "json"]);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let totals = serde_json::json!({"videos": 7, "failed": 1, "states": {"covered": 6, "unreadable": 1}, "pins": {}});
    assert_eq!(status["totals"], totals);
}
