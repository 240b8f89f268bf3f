//! Logs for programs: an object a line.

use std::path::Path;
use std::process::Stdio;

use pinpress_rehearsal::{Rehearsal, RehearsalOptions};
use serde_json::Value;

use crate::watched::{RAW, command, raw};

/// Every line as an object with the keys that are promised.
fn objects(text: &str) -> Vec<Value> {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| unreachable!("{line}")));
    let objects: Vec<Value> = lines.collect();
    for object in &objects {
        let time = object["timestamp"].as_str().unwrap();
        assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{object}");
        assert!(["DEBUG", "INFO", "WARN", "ERROR"].contains(&object["level"].as_str().unwrap()), "{object}");
        assert!(object["target"].is_string() && object["fields"]["message"].is_string(), "{object}");
    }
    objects
}

fn files(own: &Path) -> String {
    let entries = std::fs::read_dir(own.join("log")).unwrap();
    entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}

/// Messages about a video, by its span, each with the names of the spans within that.
fn about<'a>(objects: &'a [Value], video: &str) -> Vec<(Vec<&'a str>, &'a Value)> {
    let path = |object: &Value| object["spans"][0]["path"] == format!("raw/{video}");
    let within = |object: &'a Value| {
        let spans = object["spans"].as_array().unwrap();
        spans.iter().map(|span| span["name"].as_str().unwrap()).collect()
    };
    objects.iter().filter(|object| path(object)).map(|object| (within(object), &object["fields"])).collect()
}

#[test]
fn stderr_and_files_have_an_object_a_line() {
    let Some(dir) = raw(&RAW) else { return };
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let mut command = command(dir.path(), &pinterest);
    command.args(["run", "raw", "-o", "out", "--preset", "ultrafast", "--board", "rehearsal", "-q"]);
    command.args(["--log-format", "json"]).env("PINPRESS_LOG", "warn,pinpress=debug").stderr(Stdio::piped());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "one is no video");
    let stderr = String::from_utf8(output.stderr).unwrap();
    let file = files(&dir.path().join("out/.pinpress"));
    assert!(!stderr.contains(pinterest.token()) && !file.contains(pinterest.token()), "the token is in the log");
    for text in [stderr, file] {
        let all = objects(&text);
        let ready = about(&all, "ready.mp4");
        let says = |spans: &[&str], wanted: &dyn Fn(&Value) -> bool| {
            ready.iter().filter(|(within, fields)| within == spans && wanted(fields)).count()
        };
        assert_eq!(says(&["video"], &|fields| fields["message"] == "finished" && fields["end"] == "done"), 1, "{text}");
        assert_eq!(says(&["video"], &|fields| fields["message"] == "stage done"), 4, "{text}");
        assert_eq!(says(&["video", "publish"], &|fields| fields["state"] == "pinned"), 1, "{text}");
        assert_eq!(says(&["video", "publish", "call"], &|fields| fields["call"] == "CreatePin"), 1, "{text}");
        let broken = about(&all, "broken.mp4");
        let failed = broken.iter().filter(|(_, fields)| fields["end"] == "failed");
        assert_eq!(failed.count(), 1, "{text}");
    }
}

#[test]
fn a_file_of_options_can_ask_for_it() {
    let Some(dir) = raw(&RAW[3..]) else { return };
    std::fs::write(dir.path().join("pinpress.toml"), "log_format = \"json\"\n").unwrap();
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let run = |more: &[&str]| {
        let mut command = command(dir.path(), &pinterest);
        command.args(["run", "raw", "-o", "out", "--no-publish", "-q"]).args(more).output().unwrap();
        files(&dir.path().join("out/.pinpress"))
    };
    let json = run(&[]);
    assert!(!objects(&json).is_empty());
    let text = run(&["--log-format", "text"]);
    assert!(text.strip_prefix(&json).unwrap().contains("DEBUG video{path=\"raw/broken.mp4\"}: "), "{text}");
}
