//! Every rule at its exact limit and one unit on either side, on real files, by the real binary.
//!
//! The recipes under `fixtures/boundaries` say what each file is and what is to be found. ffprobe is asked first: a
//! file that is not what its recipe says would prove nothing.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pinpress_fixtures::{Recipe, boundaries, make_recipe};
use serde_json::Value;

fn ffprobe(path: &Path) -> Value {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_format", "-show_streams"])
        .arg(path)
        .output()
        .expect("ffprobe starts");
    serde_json::from_slice(&output.stdout).expect("ffprobe answers JSON")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A fact of ffprobe's by its name in the recipes.
fn fact(facts: &Value, name: &str) -> String {
    let streams = || facts["streams"].as_array().into_iter().flatten();
    // Where ffprobe knows no codec it still tells the track's four-character code.
    let codec = |stream: &Value| match &stream["codec_name"] {
        Value::Null => text(&stream["codec_tag_string"]),
        name => text(name),
    };
    if name == "streams" {
        return streams().map(codec).collect::<Vec<_>>().join(",");
    }
    let (of, key) = name.split_once('.').expect("v., a. or format.");
    let kind = match of {
        "v" => "video",
        "a" => "audio",
        _ => return text(facts["format"].pointer(&format!("/{}", key.replacen('.', "/", 1))).unwrap_or(&Value::Null)),
    };
    let Some(stream) = streams().find(|stream| stream["codec_type"] == kind) else {
        return format!("no {kind}");
    };
    let mut side_data = stream["side_data_list"].as_array().into_iter().flatten();
    match key {
        "side_data" => side_data.map(|side| text(&side["side_data_type"])).collect::<Vec<_>>().join(","),
        "rotation" => side_data.find_map(|side| side.get("rotation")).map_or_else(|| "none".to_owned(), text),
        key => text(&stream[key]),
    }
}

/// What `check` says by a rule set, as the recipes write it, and its verdict.
fn check(path: &Path, spec: &str) -> (Vec<String>, Value, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_pinpress"))
        .args(["check", "--format", "json", "--spec", spec])
        .arg(path)
        .output()
        .expect("pinpress starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON on stdout");
    let video = report["videos"][0].clone();
    let finding = |finding: &Value| {
        format!("{} {}: {}", text(&finding["severity"]), text(&finding["rule"]), text(&finding["measured"]))
    };
    let says = video["findings"].as_array().into_iter().flatten().map(finding).collect();
    (says, video, output.status.code())
}

/// What is not as the recipe says.
fn differences(recipe: &Recipe) -> Vec<String> {
    let path = match make_recipe(recipe) {
        Ok(path) => path,
        Err(error) => return vec![error.to_string()],
    };
    let facts = ffprobe(&path);
    let mut wrong = Vec::new();
    for (name, expected) in &recipe.ffprobe {
        let told = fact(&facts, name);
        if told != *expected {
            wrong.push(format!("it is not what it should be: {name} is {told}, not {expected}"));
        }
    }
    let official = recipe.official.as_ref().map(|says| ("pinterest-official", says));
    for (spec, expected) in [("pinterest", &recipe.says)].into_iter().chain(official) {
        let (says, video, code) = check(&path, spec);
        if says != *expected {
            wrong.push(format!("{spec} says {says:#?}, not {expected:#?}"));
        }
        let fails = expected.iter().any(|finding| finding.starts_with("error "));
        let (verdict, exit) = if fails { ("fail", 1) } else { ("pass", 0) };
        if video["verdict"] != verdict || code != Some(exit) {
            wrong.push(format!(
                "{spec}: {} with exit code {code:?}, not {verdict}: {}",
                video["verdict"], video["error"]
            ));
        }
    }
    wrong
}

fn videos() -> Vec<Recipe> {
    // The texts are what other recipes are made from.
    boundaries().expect("recipes that parse").into_iter().filter(|recipe| recipe.bytes.is_none()).collect()
}

#[test]
fn every_limit_holds_to_the_unit() {
    let recipes = videos();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(recipe) = recipes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let differences = differences(recipe);
                    if !differences.is_empty() {
                        wrong
                            .lock()
                            .expect("no panic")
                            .push(format!("{} ({}): {differences:#?}", recipe.name, recipe.about));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(recipes.len() >= 110, "only {} recipes", recipes.len());
}

#[test]
fn the_slowest_and_the_fastest_moment_are_told() {
    for (name, average, slowest, fastest) in [
        ("variable-over.mp4", "4425/113", "25/2", "50/1"),
        ("variable-at-25.mp4", "5100/203", "50/3", "50/1"),
        ("rate-29.97.mp4", "30000/1001", "30000/1001", "30000/1001"),
    ] {
        let path = pinpress_fixtures::make(name).expect("a recipe that works");
        let (_, video, _) = check(&path, "pinterest");
        let rates = &video["media"]["video"];
        let told = ["frame_rate", "min_frame_rate", "max_frame_rate"].map(|key| text(&rates[key]));
        assert_eq!(told, [average, slowest, fastest], "{name}");
        assert_eq!(rates["variable_frame_rate"], slowest != fastest, "{name}");
    }
}

/// 24 kHz and one channel in the file are heard as 48 kHz, and as two channels where there may be parametric stereo.
#[test]
fn he_aac_is_told_as_it_is_heard() {
    for name in ["sound-he-aac.mp4", "sound-he-aac-v2.mp4"] {
        let path = pinpress_fixtures::make(name).expect("a recipe that works");
        let (_, video, _) = check(&path, "pinterest");
        let (sound, facts) = (&video["media"]["audio"], ffprobe(&path));
        assert_eq!(text(&sound["sample_rate"]), fact(&facts, "a.sample_rate"), "{name}");
        assert_eq!(text(&sound["channels"]), fact(&facts, "a.channels"), "{name}");
    }
}
