//! SARIF, judged by the schema of OASIS.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::ground::{Ran, ran};
use crate::raw::{judged, raw};

fn log(ran: &Ran) -> Value {
    let log: Value = serde_json::from_str(&ran.stdout).unwrap();
    let schema = pinpress_fixtures::workspace_root().join("tests/schemas/sarif-schema-2.1.0.json");
    let mut schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    // One pattern in it is no regular expression: a bracket is closed that was never opened. It belongs to a property
    // that is not written.
    for part in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{part}/properties/language")).unwrap();
        let pattern = language.as_object_mut().unwrap().remove("pattern").unwrap();
        assert_eq!(pattern, "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$");
    }
    assert!(!ran.stdout.contains("\"language\""));
    let validator = jsonschema::draft7::options().should_validate_formats(true).build(&schema).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    log
}

#[test]
fn results_are_what_code_scanning_shows() {
    let Some(dir) = judged() else { return };
    let ran = ran(dir.path(), &["check", "--format", "sarif", "raw"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    let log = log(&ran);
    insta::assert_snapshot!(serde_json::to_string_pretty(&log["runs"][0]["results"]).unwrap());
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn every_name_makes_a_valid_log() {
    let Some(dir) = raw() else { return };
    let ran = ran(dir.path(), &["check", "--format", "sarif", "raw"]);
    let log = log(&ran);
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    let mut fingerprints = BTreeSet::new();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let location = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(location["uriBaseId"], "%SRCROOT%");
        let uri = location["uri"].as_str().unwrap();
        assert!(uri.starts_with("raw/") && uri.is_ascii(), "{uri}");
        fingerprints.insert(result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap());
    }
    assert_eq!(fingerprints.len(), results.len(), "no two findings are taken for one");
    let unreadable = results.iter().filter(|result| result["ruleId"] == "unreadable").count();
    assert_eq!(unreadable, 3);
    #[cfg(unix)]
    assert!(ran.stdout.contains("raw/odd/caf%E9.mp4") && ran.stdout.contains("%1B%5B31m%0A%3A%3Aerror"));
}

#[test]
fn a_finding_keeps_its_fingerprint() {
    let Some(dir) = judged() else { return };
    let of = |arguments: &[&str]| {
        let log = log(&ran(dir.path(), arguments));
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        let wide = results.iter().find(|result| result["ruleId"] == "aspect-ratio").unwrap();
        wide["partialFingerprints"].clone()
    };
    let alone = of(&["check", "--format", "sarif", "./raw/deep/wide.mp4"]);
    assert_eq!(alone, of(&["check", "--format", "sarif", "raw"]), "the same file by another path");
}

#[test]
fn advice_is_a_note_until_it_fails_the_check() {
    let Some(dir) = judged() else { return };
    for (level, code, expected) in [("error", 0, "note"), ("advice", 1, "error")] {
        let ran = ran(dir.path(), &["check", "--format", "sarif", "--fail-on", level, "raw/advised.mov"]);
        assert_eq!(ran.code, code);
        let log = log(&ran);
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert!(!results.is_empty() && results.iter().all(|result| result["level"] == json!(expected)), "{results:?}");
    }
}
