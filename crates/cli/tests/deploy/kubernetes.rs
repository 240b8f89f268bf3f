//! The Job and the Deployment, by the schemas of Kubernetes itself.

use crate::files::{changed, deployed, judge, text, told};
use crate::ground::{output_of, pinpress};

const JOB: &str = "kubernetes/indexed-job.yaml";
const WORK: &str = "kubernetes/work.yaml";
const WATCH: &str = "kubernetes/watch.yaml";

/// Has `file` judged, which says that it is `kind`, and copies of it with mistakes refused.
fn taken(file: &str, kind: &str, mistakes: &[(&str, &str)]) {
    let validate = |file: &std::path::Path| {
        let mut command = judge("kubernetes-validate")?;
        Some(command.arg("--strict").arg(file).output().unwrap())
    };
    let Some(output) = validate(&deployed(file)) else { return };
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains(kind), "it was looked at: {}", told(&output));
    let dir = tempfile::tempdir().unwrap();
    for (from, to) in mistakes {
        let output = validate(&changed(dir.path(), file, from, to)).unwrap();
        assert!(!output.status.success(), "{to} passes: {}", told(&output));
    }
}

#[test]
fn kubernetes_takes_the_job() {
    taken(JOB, "job/pinpress", &[("completionMode:", "completionsMode:"), ("completions: 8", "completions: eight")]);
}

#[test]
fn kubernetes_takes_the_deployments() {
    let mistakes =
        [("matchLabels:", "matchLabel:"), ("replicas: 4", "replicas: four"), ("secretKeyRef:", "secretRef:")];
    taken(WORK, "deployment/pinpress-work", &mistakes);
    taken(WATCH, "deployment/pinpress-watch", &[("readinessProbe:", "readyProbe:"), ("replicas: 1", "replicas: one")]);
}

/// The words of `args:` are a command that pinpress takes, and the probes ask where it serves.
#[test]
fn pods_are_started_with_options_that_there_are() {
    // There is neither a token nor a ledger here; what is wrong with the options is told before.
    for (file, wants) in [(WATCH, "token"), (WORK, "cannot be reached")] {
        let file = text(file);
        let line = file.lines().find_map(|line| line.trim().strip_prefix("args: [")?.strip_suffix(']')).unwrap();
        let args: Vec<&str> = line.split(", ").map(|word| word.trim_matches('"')).collect();
        let dir = tempfile::tempdir().unwrap();
        let mut command = pinpress();
        command
            .current_dir(dir.path())
            .args(&args)
            .env("PINPRESS_LEDGER", "postgres://a@127.0.0.1:1/x?sslmode=disable");
        let told = output_of(&mut command, dir.path());
        assert!(told.code == 2 && !told.stderr.contains("Usage:"), "{}", told.stderr);
        assert!(told.stderr.contains(wants), "{}", told.stderr);
        let port = args.iter().find_map(|word| word.strip_prefix(':')).unwrap();
        assert!(file.contains(&format!("containerPort: {port}\n")) && file.contains(&format!("port: \"{port}\"\n")));
    }
}

#[test]
fn as_many_shards_as_completions() {
    let file = text(JOB);
    let number = |after: &str| -> u32 {
        let rest = file.split_once(after).unwrap().1.trim_start_matches([' ', '"']);
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    assert_eq!(number("\n  completions:"), number("name: PINPRESS_SHARDS\n              value:"));
    assert_eq!(number("\n  maxFailedIndexes:"), number("\n  completions:"), "one bad part ends no other");
}
