//! The array script, with the variables that Slurm sets. `slurm_array.rs` runs it by a real Slurm.

use std::io::BufRead as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::files::{deployed, raw};
use crate::ground::ran;

const TASKS: u32 = 3;

/// Begins the task with this index of an array from 0 by step 2.
fn begin(dir: &Path, task: u32, variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new("bash");
    command.arg(deployed("slurm/pinpress-array.sbatch")).args(["raw", "out"]).current_dir(dir);
    command.env("PINPRESS", env!("CARGO_BIN_EXE_pinpress")).env("XDG_CONFIG_HOME", "/nowhere");
    command.env("SLURM_ARRAY_TASK_ID", (2 * task).to_string()).env("SLURM_ARRAY_TASK_MIN", "0");
    command.env("SLURM_ARRAY_TASK_MAX", (2 * (TASKS - 1)).to_string());
    command.env("SLURM_ARRAY_TASK_COUNT", TASKS.to_string()).env("PINPRESS_PRESET", "ultrafast");
    command.envs(variables.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_tasks_of_an_array_make_what_one_run_makes() {
    let Some(dir) = raw() else { return };
    let whole = ran(dir.path(), &["fix", "raw", "-o", "whole", "--jobs", "1", "--preset", "ultrafast"]);
    assert_eq!(whole.code, 1, "one is no video: {}{}", whole.stdout, whole.stderr);
    let tasks: Vec<Child> = (0..TASKS).map(|task| begin(dir.path(), task, &[])).collect();
    let mut complaints = 0;
    for task in tasks {
        let output = task.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "a task that did its part is done: {stderr}");
        complaints += stderr.matches("some videos could not be fixed").count();
    }
    assert_eq!(complaints, 1, "of the part with the one that is no video");
    let (out, whole) = (dir.path().join("out"), dir.path().join("whole"));
    assert_eq!(names(&out), names(&whole));
    for name in names(&whole) {
        assert!(std::fs::read(out.join(&name)).unwrap() == std::fs::read(whole.join(&name)).unwrap(), "{name}");
    }
}

#[test]
fn a_task_that_cannot_work_fails() {
    let Some(dir) = raw() else { return };
    std::fs::remove_dir_all(dir.path().join("raw")).unwrap();
    assert_eq!(begin(dir.path(), 0, &[]).wait().unwrap().code(), Some(2));
}

#[test]
fn a_task_that_is_ended_ends_its_work_and_leaves_nothing_half() {
    let Some(dir) = raw() else { return };
    for name in ["ready.mp4", "clip.mkv", "broken.mp4", "edit/film.mp4"] {
        std::fs::remove_file(dir.path().join("raw").join(name)).unwrap();
    }
    // The part that has the one that is left.
    let mut stopped = 0;
    for task in 0..TASKS {
        let mut child = begin(dir.path(), task, &[("PINPRESS_PRESET", "placebo")]);
        let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        if line.contains("no video belongs to shard") {
            assert_eq!(child.wait().unwrap().code(), Some(0));
            continue;
        }
        // Work has begun.
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{line}");
        stopped += 1;
    }
    assert_eq!(stopped, 1);
    assert_eq!(names(&dir.path().join("out")), Vec::<String>::new());
}
