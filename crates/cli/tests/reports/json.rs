//! JSON and NDJSON, held by the published JSON Schema.

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::ground::{output_of, pinpress, ran};
use crate::raw::raw;

fn schema() -> Value {
    let dir = tempfile::tempdir().unwrap();
    let printed = ran(dir.path(), &["check", "--schema"]);
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    serde_json::from_str(&printed.stdout).unwrap()
}

fn document_validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

fn line_validator() -> Validator {
    let line = json!({"$ref": "#/$defs/Line", "$defs": schema()["$defs"]});
    jsonschema::draft202012::new(&line).unwrap()
}

#[track_caller]
fn assert_valid(validator: &Validator, document: &Value) {
    let wrong: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn the_schema_is_a_schema_and_refuses_what_it_does_not_name() {
    let schema = schema();
    jsonschema::meta::validate(&schema).unwrap();
    assert_eq!((&schema["$id"], &schema["title"]), (&json!("urn:pinpress:check:1"), &json!("pinpress.check/1")));
    let objects = schema["$defs"].as_object().unwrap().iter().filter(|(_, definition)| definition["type"] == "object");
    let open: Vec<_> = objects.filter(|(_, definition)| definition["additionalProperties"] != false).collect();
    assert!(open.is_empty() && schema["additionalProperties"] == false, "{open:?}");
}

/// The example of the contract, from before there was a schema: its keys are all known still.
#[test]
fn the_example_of_the_contract_uses_known_keys() {
    let media = json!({"container": "matroska", "size_bytes": 123, "duration_ms": 5000,
        "video": {"codec": "h264", "profile": "High", "pixel_format": "yuv420p", "coded_width": 1920, "coded_height": 1080,
                  "display_width": 1080, "display_height": 1920, "rotation": 90, "sample_aspect_ratio": "1:1",
                  "frame_rate": "30000/1001", "variable_frame_rate": false, "interlaced": false, "bit_rate": 4_000_000},
        "audio": {"codec": "aac", "profile": "LC", "sample_rate": 48000, "channels": 2}});
    let example = json!({"schema": "pinpress.check/1", "tool": {"name": "pinpress", "version": "0.1.0"},
        "spec": {"name": "pinterest", "version": "2026-01-23"}, "summary": {"pass": 1, "fail": 1, "error": 0},
        "videos": [{"path": "a.mkv", "verdict": "fail", "media": media,
            "findings": [{"rule": "container", "severity": "error", "measured": "matroska",
                          "required": "mp4, mov, m4v", "remedy": "remux"}]}]});
    let validator = document_validator();
    // The example leaves keys out; it may have none that is unknown, and no value of another kind.
    let wrong: Vec<String> = validator
        .iter_errors(&example)
        .map(|error| error.to_string())
        .filter(|error| !error.ends_with("is a required property"))
        .collect();
    assert!(wrong.iter().all(|error| error.contains("anyOf")), "{wrong:#?}");
    let facts = |part: &str, keys: &Value| {
        let known = &schema()["$defs"][part]["properties"];
        let unknown: Vec<_> = keys.as_object().unwrap().keys().filter(|key| known[key.as_str()].is_null()).collect();
        assert!(unknown.is_empty(), "{part}: {unknown:?}");
    };
    facts("Media", &media);
    facts("Video", &media["video"]);
    facts("Audio", &media["audio"]);
}

#[test]
fn every_verdict_and_name_is_written_by_the_schema() {
    let Some(dir) = raw() else { return };
    let (documents, lines) = (document_validator(), line_validator());
    for spec in ["pinterest", "pinterest-official"] {
        let whole = ran(dir.path(), &["check", "--spec", spec, "--format", "json", "raw"]);
        assert_eq!(whole.code, 1, "{}", whole.stderr);
        let document = parsed(&whole.stdout);
        assert_valid(&documents, &document);
        let verdicts: Vec<_> = document["videos"].as_array().unwrap().iter().map(|video| &video["verdict"]).collect();
        for verdict in ["pass", "fail", "error"] {
            assert!(verdicts.contains(&&json!(verdict)), "{verdicts:?}");
        }
        let each = ran(dir.path(), &["check", "--spec", spec, "--format", "ndjson", "raw"]);
        assert_eq!(each.stdout.lines().count(), verdicts.len());
        each.stdout.lines().for_each(|line| assert_valid(&lines, &parsed(line)));
    }
}

#[test]
fn a_document_of_one_pass_and_of_one_error_is_written_by_the_schema() {
    let Some(dir) = raw() else { return };
    for (path, code, summary) in [
        ("raw/fits.mp4", 0, json!({"pass": 1, "fail": 0, "error": 0})),
        ("raw/empty.mov", 1, json!({"pass": 0, "fail": 0, "error": 1})),
    ] {
        let ran = ran(dir.path(), &["check", "--format", "json", path]);
        assert_eq!((ran.code, &parsed(&ran.stdout)["summary"]), (code, &summary));
        assert_valid(&document_validator(), &parsed(&ran.stdout));
    }
}

#[test]
fn real_clips_and_broken_ones_are_written_by_the_schema() {
    let Some(clips) = pinpress_fixtures::real_clips() else {
        println!("skipped: no folder of real clips");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut list = Vec::new();
    for clip in &clips {
        list.extend(clip.path.as_os_str().as_encoded_bytes());
        list.push(0);
    }
    for format in ["json", "ndjson"] {
        let mut command = pinpress();
        command.args(["check", "--stdin0", "--format", format]).write_stdin(list.clone()).current_dir(dir.path());
        let ran = output_of(&mut command, dir.path());
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let videos = if format == "json" {
            let document = parsed(&ran.stdout);
            assert_valid(&document_validator(), &document);
            document["videos"].as_array().unwrap().clone()
        } else {
            let lines: Vec<Value> = ran.stdout.lines().map(parsed).collect();
            let validator = line_validator();
            lines.iter().for_each(|line| assert_valid(&validator, line));
            lines
        };
        assert_eq!(videos.len(), clips.len());
        let readers: Vec<_> = videos.iter().map(|video| &video["media"]["reader"]).collect();
        for reader in ["sample-table", "libav"] {
            assert!(readers.contains(&&json!(reader)), "{readers:?}");
        }
    }
}

#[test]
fn a_document_that_was_not_ended_is_none() {
    let Some(dir) = raw() else { return };
    let whole = ran(dir.path(), &["check", "--format", "json", "raw"]).stdout;
    let ends: Vec<usize> = whole.match_indices('\n').map(|(place, _)| place).collect();
    assert!(ends.len() > 5, "a line for each video");
    for end in &ends[..ends.len() - 1] {
        assert!(serde_json::from_str::<Value>(&whole[..*end]).is_err(), "{}", &whole[..*end]);
    }
}
