//! The action and the workflow, by the schemas of GitHub's files; the script of the action is run.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::files::{changed, deployed, judge, raw, text, told};

const ACTION: &str = "github/action.yml";
const WORKFLOW: &str = "github/workflow.yml";

#[test]
fn github_takes_both_files() {
    let dir = tempfile::tempdir().unwrap();
    for (file, schema, from, to) in [
        (ACTION, "vendor.github-actions", "using: composite", "uses: composite"),
        (WORKFLOW, "vendor.github-workflows", "runs-on:", "run-on:"),
    ] {
        let check = |file: &Path| {
            let mut command = judge("check-jsonschema")?;
            Some(command.args(["--builtin-schema", schema]).arg(file).output().unwrap())
        };
        let Some(output) = check(&deployed(file)) else { return };
        assert!(output.status.success(), "{file}: {}", told(&output));
        let output = check(&changed(dir.path(), file, from, to)).unwrap();
        assert!(!output.status.success(), "{file} with {to} passes: {}", told(&output));
    }
}

/// The text of the only `run: |`, as the runner would write it to a file.
fn script() -> String {
    let action = text(ACTION);
    let (before, block) = action.split_once("run: |\n").unwrap();
    let indent = before.rsplit('\n').next().unwrap().len() + 2;
    block.lines().map(|line| line.get(indent..).unwrap_or_default().to_owned() + "\n").collect()
}

/// Runs it as the runner runs a step with `shell: bash`.
fn step(dir: &Path, variables: &[(&str, &str)]) -> Output {
    let file = dir.join("step.sh");
    std::fs::write(&file, script()).unwrap();
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(file).current_dir(dir);
    command.env("CHECK_PROGRAM", env!("CARGO_BIN_EXE_pinpress")).env("CHECK_IMAGE", "");
    command.env("PINPRESS_SPEC", "pinterest").env("PINPRESS_FAIL_ON", "error").env("PINPRESS_SHARD", "1/1");
    command.env("GITHUB_STEP_SUMMARY", dir.join("summary.md")).env("XDG_CONFIG_HOME", "/nowhere");
    command.envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn the_action_annotates_what_does_not_fit() {
    let Some(dir) = raw() else { return };
    let all = step(dir.path(), &[("CHECK_PATHS", "raw/edit\nraw/ready.mp4\n\n")]);
    let lines = told(&all);
    assert_eq!(all.status.code(), Some(1), "{lines}");
    assert!(lines.contains("::error file=raw/edit/film.mp4") && !lines.contains("broken"), "{lines}");
    assert!(std::fs::read_to_string(dir.path().join("summary.md")).unwrap().contains("film.mp4"));
    assert_eq!(step(dir.path(), &[("CHECK_PATHS", "raw/ready.mp4")]).status.code(), Some(0));
    let hostile = step(dir.path(), &[("CHECK_PATHS", "--help\n$(touch run).mp4\n`touch run`")]);
    assert_eq!(hostile.status.code(), Some(2), "paths and nothing else: {}", told(&hostile));
    assert!(!dir.path().join("run").exists());
}

/// There is no engine here: what it would be told is seen by a stand-in.
#[test]
fn an_image_sees_the_checkout_and_no_network() {
    let dir = tempfile::tempdir().unwrap();
    let docker = dir.path().join("docker");
    std::fs::write(&docker, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
    std::fs::set_permissions(&docker, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let output = step(
        dir.path(),
        &[("CHECK_PATHS", "a b.mp4"), ("CHECK_IMAGE", "registry.example.com/pinpress"), ("PATH", &path)],
    );
    let lines = told(&output);
    let words: Vec<&str> = lines.lines().collect();
    let after = |word: &str| words.iter().position(|known| *known == word).and_then(|at| words.get(at + 1)).copied();
    assert_eq!(after("--network"), Some("none"));
    assert!(after("--volume").is_some_and(|volume| volume.ends_with(":/work:ro")), "{lines}");
    let command = ["registry.example.com/pinpress", "check", "--format", "github", "--", "a b.mp4"];
    assert!(words.ends_with(&command), "{lines}");
}
