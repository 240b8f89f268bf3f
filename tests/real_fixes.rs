//! `pinpress fix` over the folder of real clips: every good one comes out fit, whatever is preferred, needs nothing
//! more, and plays; ffprobe, the ffmpeg command line and headless Chromium are the judges.
//!
//! Needs the folder of real clips beside the checkout; without it these tests skip and say so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests are tests, which the lints' exception for tests does not see"
)]

#[path = "../crates/cli/tests/ground/mod.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod ground;

#[path = "../crates/transcode/tests/browser/mod.rs"]
#[allow(dead_code, reason = "each test file uses its part")]
mod browser;

#[path = "real_clips/judge.rs"]
mod judge;

#[path = "real_clips/small.rs"]
mod small;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ground::ran;
use judge::{broken_rules, decode_complaints, duration_ms, ffprobe, shown_size};
use pinpress_fixtures::{Clip, real_clips};
use serde_json::Value;
use small::{place, small_clips};

fn clips() -> Option<(PathBuf, Vec<Clip>)> {
    let Some(clips) = real_clips() else {
        println!("skipped: no folder of real clips");
        return None;
    };
    let folder = clips.iter().find(|clip| !clip.malformed)?.path.parent()?.canonicalize().ok()?;
    Some((folder, clips))
}

/// One fix of the folder, judged: what was done with each clip, by its path below the folder.
struct Fixed {
    out: PathBuf,
    videos: BTreeMap<String, Value>,
    /// What ffprobe says of each output.
    facts: BTreeMap<PathBuf, Value>,
}

/// The rules with an end at 8 s, and the default for what is longer, which ends it there: eight clips of 139 s at most
/// are two thirds of what there is to encode.
fn short_rules(scratch: &Path) -> PathBuf {
    let rules = include_str!("../crates/probe/specs/pinterest.toml");
    let short = rules.replace("max = \"900\"", "max = \"8\"");
    assert_ne!(short, rules, "the longest that a video may be is written otherwise");
    let path = scratch.join("short.toml");
    std::fs::write(&path, short).unwrap();
    path
}

/// Fixes the folder and asks everything of the outputs that can be asked without looking at them.
fn fixed(scratch: &Path, folder: &Path, clips: &[Clip], options: &[&str]) -> Fixed {
    let (out, rules) = (scratch.join("out"), short_rules(scratch));
    let options = &[options, &["--spec", rules.to_str().unwrap()]].concat()[..];
    let (folder, out_name) = (folder.to_str().unwrap(), out.to_str().unwrap());
    let fix = ["fix", folder, "-o", out_name, "--preset", "ultrafast", "--format", "json"];
    let first = ran(scratch, &[&fix, options].concat());
    assert_eq!(first.code, 1, "malformed clips are told by the exit code: {}", first.stderr);
    let document: Value = serde_json::from_str(&first.stdout).unwrap();
    let videos: BTreeMap<String, Value> = document["videos"]
        .as_array()
        .unwrap()
        .iter()
        .map(|video| {
            (video["path"].as_str().unwrap().trim_start_matches(folder).trim_matches('/').to_owned(), video.clone())
        })
        .collect();
    assert_eq!(videos.len(), clips.len(), "every clip is named");
    let mut failed = Vec::new();
    for clip in clips {
        let place = place(clip);
        let video = &videos[&place];
        if clip.malformed {
            assert!(video["status"] == "fixed" || video["error"].is_string(), "{place}: neither fixed nor explained");
        } else if video["status"] != "fixed" {
            failed.push(format!("{place}: {}", video["error"]));
        }
    }
    assert!(failed.is_empty(), "{options:?}: {failed:#?}");

    let check = ran(scratch, &["check", "-q", out_name]);
    assert_eq!(check.code, 0, "{options:?}: {}", check.stdout);
    let plan = ran(scratch, &[&["fix", "--plan", "--format", "json", out_name], options].concat());
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let again: Vec<_> =
        plan["videos"].as_array().unwrap().iter().filter(|video| video["action"] != "passthrough").collect();
    assert!(again.is_empty(), "{options:?}: what is fixed is to be fixed again: {again:#?}");
    let (mut mistakes, mut facts) = (Vec::new(), BTreeMap::new());
    for video in videos.values().filter(|video| video["status"] == "fixed") {
        let output = PathBuf::from(video["output"].as_str().unwrap().replace("[DIR]", scratch.to_str().unwrap()));
        let told = ffprobe(&output);
        mistakes.extend(broken_rules(&told).iter().map(|rule| format!("{}: {rule}", output.display())));
        // A copy of what was made malformed holds the damage of its source, which `check --deep` finds.
        let complaints =
            if output.parent() == Some(out.as_path()) { decode_complaints(&output) } else { String::new() };
        if !complaints.is_empty() {
            mistakes.push(format!("{}: {complaints}", output.display()));
        }
        facts.insert(output, told);
    }
    assert!(mistakes.is_empty(), "{options:?}: {mistakes:#?}");
    Fixed { out, videos, facts }
}

impl Fixed {
    /// The output of a clip.
    fn output(&self, place: &str) -> PathBuf {
        let stem = Path::new(place).with_extension("mp4");
        self.out.join(stem)
    }

    /// The first clips of which the report says so.
    fn of(&self, most: usize, says: impl Fn(&Value) -> bool) -> Vec<&str> {
        let fixed = self.videos.iter().filter(|(_, video)| video["status"] == "fixed" && says(video));
        let mut found: Vec<&str> = fixed.map(|(place, _)| place.as_str()).collect();
        // The shortest are the quickest to play.
        found.sort_by_key(|place| duration_ms(&self.facts[&self.output(place)]));
        found.truncate(most);
        found
    }
}

/// Plays outputs to their ends in a browser: lengths and sizes are those that ffprobe tells, and there is a picture.
fn browser_plays(fixed: &Fixed, paths: &[PathBuf]) {
    for (path, played) in paths.iter().zip(browser::play_all(paths)) {
        let facts = &fixed.facts[path];
        let expected = duration_ms(facts).unwrap();
        assert_eq!(played.size, shown_size(facts), "{}", path.display());
        for (what, millis) in [("length", played.duration_ms), ("end", played.ended_ms)] {
            assert!(millis.abs_diff(expected) <= 100, "{what} {millis} ms, ffprobe {expected} ms: {}", path.display());
        }
        assert!(played.spread > 16, "one flat colour all along: {}", path.display());
    }
}

/// A kind of fix by its name, and whether what the report says of a video is of that kind.
type Kind<'a> = (&'a str, &'a dyn Fn(&Value) -> bool);

/// Plays the shortest of each kind.
fn browser_plays_each(fixed: &Fixed, kinds: &[Kind<'_>]) {
    let mut outputs = Vec::new();
    for (kind, is_it) in kinds {
        let found = fixed.of(1, is_it);
        assert!(!found.is_empty(), "no clip was {kind}");
        for place in found {
            println!("{kind}: {place}");
            outputs.push(fixed.output(place));
        }
    }
    browser_plays(fixed, &outputs);
}

#[test]
fn every_good_clip_is_fixed_and_needs_nothing_more_and_a_browser_plays_it() {
    let Some((folder, clips)) = clips() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let fixed = fixed(scratch.path(), &folder, &clips, &[]);
    // A picture of one colour plays as any other, but nobody can see that it does.
    let seen = |video: &Value| video["source"]["media"]["video"]["coded_width"].as_u64() > Some(1);
    let encoded = |video: &Value| seen(video) && video["plan"]["video"]["step"] == "encode";
    browser_plays_each(
        &fixed,
        &[
            ("passed on", &|video| video["action"] == "passthrough"),
            ("remuxed", &|video| video["action"] == "remux"),
            ("looped", &|video| seen(video) && video["plan"]["repeat"].as_u64() > Some(1)),
            ("blurred", &|video| encoded(video) && video["plan"]["video"]["fill"].to_string().contains("blur")),
            // The one there is that says it is made of fields is not, which a look at it tells.
            ("said to be of fields", &|video| {
                encoded(video) && video["source"]["media"]["video"]["interlaced"] == true
            }),
            ("tone-mapped", &|video| encoded(video) && video["plan"]["video"]["tone_map"] == true),
        ],
    );
}

#[test]
fn every_good_clip_is_fixed_by_crops_other_rates_and_held_pictures_too() {
    let Some((_, clips)) = clips() else { return };
    let (scratch, sources) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (folder, clips) = small_clips(sources.path(), clips);
    let fixed = fixed(scratch.path(), &folder, &clips, &["--aspect", "crop", "--fps", "retime", "--short", "hold"]);
    let step = |video: &Value, step: &str| video["plan"]["video"]["step"] == step;
    browser_plays_each(
        &fixed,
        &[
            ("cropped by its headers", &|video| step(video, "edit") && !video["plan"]["video"]["cropping"].is_null()),
            ("retimed", &|video| !video["plan"]["retime"].is_null()),
            ("held, encoded", &|video| step(video, "encode") && !video["plan"]["hold_until"].is_null()),
            ("cropped and encoded", &|video| {
                step(video, "encode") && video["plan"]["video"]["fill"].to_string().contains("crop")
            }),
        ],
    );
}
