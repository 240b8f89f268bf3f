//! The alerts, by Prometheus' own tool where it is, and by the list of metrics.

use std::collections::BTreeSet;
use std::process::Command;

use crate::files::{deployed, text, told};
use crate::ground::ran;

const ALERTS: &str = "prometheus/alerts.yaml";

/// What some series come to, and which alerts they raise.
const SERIES: &str = include_str!("alerts.yaml");

#[test]
fn alerts_go_by_metrics_that_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let help = ran(dir.path(), &["help", "metrics"]).stdout;
    let listed: BTreeSet<&str> = help
        .lines()
        .filter_map(|line| line.strip_prefix("  pinpress_"))
        .map(|line| line.split(['{', ',']).next().unwrap())
        .collect();
    let alerts = text(ALERTS);
    let used: BTreeSet<&str> = alerts
        .split("pinpress_")
        .skip(1)
        .map(|rest| rest.split(|sign: char| sign != '_' && !sign.is_ascii_lowercase()).next().unwrap())
        .collect();
    assert!(used.len() > 4, "{used:?}");
    assert!(used.is_subset(&listed), "{:?} are no metrics", used.difference(&listed));
}

#[test]
fn prometheus_takes_them_and_raises_them_when_it_should() {
    let promtool = |arguments: &[&str]| Command::new("promtool").args(arguments).output();
    let Ok(output) = promtool(&["check", "rules", deployed(ALERTS).to_str().unwrap()]) else {
        println!("skipped: no promtool here: the package prometheus has it");
        return;
    };
    assert!(output.status.success() && told(&output).contains("7 rules found"), "{}", told(&output));
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(deployed(ALERTS), dir.path().join("alerts.yaml")).unwrap();
    let run = |series: &str| {
        let test = dir.path().join("test.yaml");
        std::fs::write(&test, series).unwrap();
        promtool(&["test", "rules", test.to_str().unwrap()]).unwrap()
    };
    let output = run(SERIES);
    assert!(output.status.success(), "{}", told(&output));
    let output = run(&SERIES.replace("'0x20 2x300'", "'0x320'"));
    assert!(!output.status.success(), "no video fails, and an alert is raised: {}", told(&output));
}
