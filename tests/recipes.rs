//! Every made video, judged by the command line: it fails the rules it is named for, and no others.

use std::process::Command;

use pinpress_fixtures::{make_recipe, recipes};
use serde_json::Value;

#[test]
fn made_videos_fail_the_rules_they_are_named_for() {
    for recipe in recipes().expect("recipes that parse") {
        let path = make_recipe(&recipe).expect("a recipe that works");
        let output = Command::new(env!("CARGO_BIN_EXE_pinpress"))
            .args(["check", "--format", "json"])
            .arg(&path)
            .output()
            .expect("pinpress starts");
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
        let video = &report["videos"][0];
        let findings = video["findings"].as_array().into_iter().flatten();
        let mut failed: Vec<_> = findings
            .filter(|finding| finding["severity"] == "error")
            .filter_map(|finding| finding["rule"].as_str())
            .collect();
        failed.dedup();
        assert_eq!(failed, recipe.fails, "{}: {video:#}", recipe.name);
        let (verdict, code) = match (&recipe.bytes, recipe.fails.is_empty()) {
            (Some(_), _) => ("error", 1),
            (None, false) => ("fail", 1),
            (None, true) => ("pass", 0),
        };
        assert_eq!((video["verdict"].as_str(), output.status.code()), (Some(verdict), Some(code)), "{}", recipe.name);
    }
}
