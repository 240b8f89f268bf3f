//! The Job and the Deployment, by the schemas of Kubernetes itself.

use crate::files::{changed, deployed, judge, text, told};
use crate::ground::ran;

const FILE: &str = "kubernetes/indexed-job.yaml";
const WATCH: &str = "kubernetes/watch.yaml";

#[test]
fn kubernetes_takes_both_files() {
    let validate = |file: &std::path::Path| {
        let mut command = judge("kubernetes-validate")?;
        Some(command.arg("--strict").arg(file).output().unwrap())
    };
    for (file, name, mistakes) in [
        (FILE, "job/pinpress", [("completionMode:", "completionsMode:"), ("completions: 8", "completions: eight")]),
        (WATCH, "deployment/pinpress-watch", [("readinessProbe:", "readyProbe:"), ("replicas: 1", "replicas: one")]),
    ] {
        let Some(output) = validate(&deployed(file)) else { return };
        assert!(output.status.success(), "{}", told(&output));
        assert!(told(&output).contains(name), "it was looked at: {}", told(&output));
        let dir = tempfile::tempdir().unwrap();
        for (from, to) in mistakes {
            let output = validate(&changed(dir.path(), file, from, to)).unwrap();
            assert!(!output.status.success(), "{to} passes: {}", told(&output));
        }
    }
}

/// The words of `args:` are a command that pinpress takes, and the probes ask where it serves.
#[test]
fn the_watcher_is_started_with_options_that_there_are() {
    let file = text(WATCH);
    let line = file.lines().find_map(|line| line.trim().strip_prefix("args: [")?.strip_suffix(']')).unwrap();
    let args: Vec<&str> = line.split(", ").map(|word| word.trim_matches('"')).collect();
    let dir = tempfile::tempdir().unwrap();
    let told = ran(dir.path(), &args);
    // There is neither a token nor a folder here; what is wrong with the options is told before.
    assert!(told.code == 2 && !told.stderr.contains("Usage:"), "{}", told.stderr);
    assert!(told.stderr.contains("token"), "{}", told.stderr);
    let port = args.iter().find_map(|word| word.strip_prefix(':')).unwrap();
    assert!(file.contains(&format!("containerPort: {port}\n")) && file.contains(&format!("port: \"{port}\"\n")));
}

#[test]
fn as_many_shards_as_completions() {
    let file = text(FILE);
    let number = |after: &str| -> u32 {
        let rest = file.split_once(after).unwrap().1.trim_start_matches([' ', '"']);
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    assert_eq!(number("\n  completions:"), number("name: PINPRESS_SHARDS\n              value:"));
    assert_eq!(number("\n  maxFailedIndexes:"), number("\n  completions:"), "one bad part ends no other");
}
