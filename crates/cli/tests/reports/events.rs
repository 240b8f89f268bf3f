//! A run for programs: each line held by a schema that says what `pinpress help runs` does.

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::ground::{folder, ran};

/// One kind of line: its keys, each with its type.
fn kind(event: &str, keys: Value) -> Value {
    let mut properties = json!({
        "schema": {"const": "pinpress.event/1"}, "event": {"const": event},
        "at": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
    });
    properties.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    let required: Vec<&String> = properties.as_object().unwrap().keys().collect();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}

fn video_keys() -> Value {
    let text = json!({"type": ["string", "null"]});
    let ends = [
        "done",
        "up-to-date",
        "duplicate",
        "scheduled",
        "unlisted",
        "later",
        "unknown",
        "unfit",
        "failed",
        "set-aside",
        "interrupted",
    ];
    json!({
        "video": {"type": "string"}, "end": {"enum": ends}, "stage": {"enum": ["check", "fix", "cover", "publish", null]},
        "reason": text, "next_step": text, "due_at": text, "same_as": text, "output": text,
        "action": {"enum": ["passthrough", "remux", "edit", "encode", null]},
        "failed_rules": {"type": ["array", "null"], "items": {"type": "string"}},
        "cover": {
            "type": ["object", "null"], "required": ["file", "time_ms"], "additionalProperties": false,
            "properties": {"file": {"type": "string"}, "time_ms": {"type": ["integer", "null"]}},
        },
        "pin": {
            "type": ["object", "null"], "required": ["id", "url"], "additionalProperties": false,
            "properties": {"id": {"type": "string"}, "url": {"type": "string", "pattern": "^http"}},
        },
    })
}

fn summary_keys() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    json!({
        "videos": count, "ends": {"type": "object", "additionalProperties": count, "minProperties": 11},
        "published": count, "skipped": count, "unreadable": {"type": "array", "items": {"type": "string"}},
        "interrupted": {"type": "boolean"}, "exit_code": count, "report": {"type": ["string", "null"]},
        "log": {"type": "string"},
    })
}

fn line() -> Validator {
    let (count, maybe) = (json!({"type": "integer", "minimum": 0}), json!({"type": ["integer", "null"], "minimum": 0}));
    let (text, stage) = (json!({"type": "string"}), json!({"enum": ["check", "fix", "cover", "publish"]}));
    let percent = json!({"type": ["integer", "null"], "minimum": 0, "maximum": 100});
    let steps = json!({"enum": ["reading", "copying", "encoding", "verifying", "looking", "uploading"]});
    let kinds = [
        kind("discovered", json!({"videos": count, "skipped": count, "complete": {"type": "boolean"}})),
        kind("swept", json!({"files": count})),
        kind("started", json!({"video": text, "stage": stage})),
        kind(
            "progress",
            json!({
                "video": text, "stage": stage, "step": steps, "percent": percent, "done_ms": maybe, "total_ms": maybe,
                "done_bytes": maybe, "total_bytes": maybe, "per_second": maybe, "left_ms": maybe,
            }),
        ),
        kind("waiting", json!({"video": text, "stage": {"const": "publish"}, "reason": text, "wait_ms": count})),
        kind("idle", json!({"pins": count, "until": text})),
        kind("watching", json!({"pins": count, "until": {"type": ["string", "null"]}})),
        kind("warning", json!({"video": {"type": ["string", "null"]}, "message": text})),
        kind("finished", video_keys()),
        kind("summary", summary_keys()),
    ];
    jsonschema::draft202012::new(&json!({"oneOf": kinds})).unwrap()
}

#[track_caller]
fn held(validator: &Validator, text: &str) -> Value {
    let value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(validator.is_valid(&value), "the schema has no such line: {text}");
    value
}

#[test]
fn each_line_is_an_event_and_the_last_the_summary() {
    let Some(dir) = folder(&[
        ("film-24fps.mp4", "raw/film.mp4"),
        ("conforming-9x16.mp4", "raw/fits.mp4"),
        ("not-a-video.mp4", "raw/notes.mp4"),
    ]) else {
        return;
    };
    let told = ran(dir.path(), &["rehearse", "raw", "-o", "out", "--preset", "ultrafast", "--format", "ndjson"]);
    assert_eq!(told.code, 1, "{}{}", told.stdout, told.stderr);
    let validator = line();
    let lines: Vec<Value> = told.stdout.lines().map(|line| held(&validator, line)).collect();
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    assert!(lines.iter().map(|line| line["at"].as_str().unwrap()).is_sorted());
    assert_eq!(of("discovered")[0]["videos"], 3);
    assert_eq!(of("finished").len(), 3);
    let film = |line: &&&Value| line["video"] == "raw/film.mp4";
    let stages: Vec<_> = of("started").iter().filter(film).map(|line| line["stage"].clone()).collect();
    assert_eq!(stages, ["check", "fix", "cover", "publish"]);
    let steps: Vec<_> = of("progress").iter().filter(film).map(|line| line["step"].clone()).collect();
    assert!(
        ["encoding", "verifying", "looking", "uploading"].iter().all(|step| steps.contains(&json!(step))),
        "{steps:?}"
    );
    let finished = *of("finished").iter().find(film).unwrap();
    assert_eq!((&finished["end"], &finished["action"]), (&json!("done"), &json!("encode")));
    assert_eq!(finished["failed_rules"], json!(["frame-rate"]));
    assert!(finished["pin"]["id"].is_string() && finished["cover"]["file"] == "out/film.cover.jpg", "{finished}");
    let notes = *of("finished").iter().find(|line| line["video"] == "raw/notes.mp4").unwrap();
    assert_eq!((&notes["end"], &notes["stage"], &notes["pin"]), (&json!("failed"), &json!("check"), &Value::Null));
    assert!(notes["reason"].as_str().unwrap().contains("not a video"), "{notes}");
    let summary = lines.last().unwrap();
    assert_eq!(
        (&summary["event"], &summary["exit_code"], &summary["published"]),
        (&json!("summary"), &json!(1), &json!(2))
    );
    assert_eq!((&summary["ends"]["done"], &summary["ends"]["failed"]), (&json!(2), &json!(1)));
    assert_eq!(summary["report"], "out/.pinpress/report.html");
    assert!(dir.path().join("out/.pinpress/report.html").is_file());
    // The schema is one that refuses.
    for wrong in [json!({"schema": "pinpress.event/1", "event": "swept", "at": "now", "files": 1}), json!({})] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}

#[test]
fn the_document_has_every_video_and_stdout_nothing_else() {
    let Some(dir) = folder(&[("conforming-9x16.mp4", "raw/a.mp4"), ("conforming-9x16.mp4", "raw/b.mp4")]) else {
        return;
    };
    let told = ran(dir.path(), &["rehearse", "raw", "-o", "out", "--format", "json"]);
    assert_eq!(told.code, 0, "{}{}", told.stdout, told.stderr);
    let mut video = kind("", video_keys());
    for key in ["schema", "event", "at"] {
        video["properties"].as_object_mut().unwrap().remove(key);
    }
    video["required"] = json!(video["properties"].as_object().unwrap().keys().collect::<Vec<_>>());
    let document = json!({
        "type": "object", "required": ["schema", "tool", "summary", "videos"], "additionalProperties": false,
        "properties": {
            "schema": {"const": "pinpress.run/1"}, "tool": {"type": "object", "required": ["name", "version"]},
            "summary": {"properties": summary_keys(), "additionalProperties": false},
            "videos": {"type": "array", "items": video},
        },
    });
    let document = held(&jsonschema::draft202012::new(&document).unwrap(), &told.stdout);
    let ends: Vec<_> = document["videos"].as_array().unwrap().iter().map(|video| video["end"].clone()).collect();
    assert_eq!(ends, ["done", "duplicate"]);
    assert_eq!(document["videos"][1]["same_as"], "raw/a.mp4");
}
