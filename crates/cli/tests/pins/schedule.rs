//! `publish_at`, `--every`, `--due` and `--watch`.

use std::io::BufRead as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::account::Account;

#[test]
fn pins_are_spaced_out_and_the_rest_waits_in_the_ledger() {
    let Some(account) = Account::with(&["clips/a.mp4", "clips/b.mp4", "clips/c.mp4"], Vec::new()) else { return };
    let first = account.ran(&["publish", "clips", "--board", "rehearsal", "--every", "30m"]);
    assert_eq!(first.code, 0, "what waits is no failure: {}{}", first.stdout, first.stderr);
    assert!(first.stdout.contains("3 videos: 1 done, 2 waiting for their time"), "{}", first.stdout);
    // What a pipeline sets for every command is no obstacle.
    let mut due = account.command(&["publish", "--due", "-o", "clips"]);
    let due = account.ran_with(due.env("PINPRESS_BOARD", "Nosuch").env("PINPRESS_MANIFEST", "nosuch.csv"));
    assert_eq!((due.code, account.pinterest.pins().len()), (0, 1), "{}", due.stderr);
    let status = account.ran(&["status", "clips", "--format", "json"]);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let waiting = |video: &&Value| video["pins"][0]["status"] == "waiting" && video["pins"][0]["due_at"].is_string();
    assert_eq!(status["videos"].as_array().unwrap().iter().filter(waiting).count(), 2, "{status:#}");
    assert_eq!(status["totals"]["pins"], serde_json::json!({"published": 1, "waiting": 2}));
    let waits_for =
        |wanted: &str| status["videos"].as_array().unwrap().iter().filter(|video| video["waits_for"] == wanted).count();
    assert_eq!((waits_for("time"), waits_for("run")), (2, 0), "{status:#}");
    let told = account.ran(&["status", "clips"]).stdout;
    assert!(told.contains("to publish what waits (2 Pins, from "), "{told}");
    let at_once = account.ran(&["publish", "--due", "-o", "clips", "--every", "0"]);
    assert_eq!((at_once.code, account.pinterest.pins().len()), (0, 3), "{}", at_once.stdout);
    let nothing = account.ran(&["publish", "--due", "-o", "clips"]);
    assert!(nothing.code == 0 && nothing.stderr.contains("nothing waits"), "{}", nothing.stderr);
}

#[test]
fn watching_goes_on_until_all_are_out() {
    let Some(account) = Account::with(&["clips/a.mp4", "clips/b.mp4"], Vec::new()) else { return };
    let watched = account.ran(&["publish", "clips", "--board", "rehearsal", "--every", "1s", "--watch"]);
    assert_eq!((watched.code, account.pinterest.pins().len()), (0, 2), "{}{}", watched.stdout, watched.stderr);
    assert!(watched.stdout.contains("2 videos: 2 done"), "{}", watched.stdout);
    assert!(watched.stderr.contains("a Pin waits for its time: the next is due at "), "{}", watched.stderr);
}

#[cfg(unix)]
#[test]
fn an_interrupted_watch_is_130_and_what_waits_still_does() {
    let Some(account) = Account::with(&["clips/a.mp4", "clips/b.mp4"], Vec::new()) else { return };
    let mut child = Command::new(env!("CARGO_BIN_EXE_pinpress"))
        .env("PINPRESS_ACCESS_TOKEN", account.pinterest.token())
        .env("PINPRESS_API", account.pinterest.api_base())
        .args(["publish", "clips", "--board", "rehearsal", "--every", "1h", "--watch"])
        .current_dir(account.dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("waits for its time") {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0, "it ended");
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(account.pinterest.pins().len(), 1);
    let report = std::fs::read_to_string(account.path("clips/.pinpress/report.html")).unwrap();
    assert!(report.contains("The run was stopped") && report.contains("<article class=\"waiting\""), "it was told");
    // The lock is not held while nothing is done.
    assert_eq!(account.ran(&["publish", "--due", "-o", "clips", "--every", "0"]).code, 0);
    assert_eq!(account.pinterest.pins().len(), 2);
}

#[test]
fn due_takes_no_paths() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["publish", "--due", "clips"] as &[&str],
        &["publish", "--due", "--dry-run"],
        &["publish"],
        &["publish", "clips", "--board", "B", "--every", "soon"],
    ] {
        assert_eq!(crate::ground::ran(dir.path(), args).code, 2, "{args:?}");
    }
}
