//! The Job, by the schemas of Kubernetes itself.

use crate::files::{changed, deployed, judge, text, told};

const FILE: &str = "kubernetes/indexed-job.yaml";

#[test]
fn kubernetes_takes_the_job() {
    let validate = |file: &std::path::Path| {
        let mut command = judge("kubernetes-validate")?;
        Some(command.arg("--strict").arg(file).output().unwrap())
    };
    let Some(output) = validate(&deployed(FILE)) else { return };
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains("job/pinpress"), "it was looked at: {}", told(&output));
    let dir = tempfile::tempdir().unwrap();
    for (from, to) in [("completionMode:", "completionsMode:"), ("completions: 8", "completions: eight")] {
        let output = validate(&changed(dir.path(), FILE, from, to)).unwrap();
        assert!(!output.status.success(), "{to} passes: {}", told(&output));
    }
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
