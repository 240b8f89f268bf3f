//! The whole job on real clips, by the real binaries, with ffprobe as the judge of what is read and what is written.
//!
//! Needs the folder of real clips beside the checkout; without it these tests skip and say so.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pinpress_fixtures::{Clip, real_clips};
use pinpress_probe::Rational;
use pinpress_rehearsal::{Rehearsal, RehearsalOptions};
use serde_json::Value;

#[path = "real_clips/judge.rs"]
mod judge;

#[path = "real_clips/small.rs"]
mod small;

use judge::{duration_ms, ffprobe, rational, rotation_of, start_ms, stream_of};
use small::{place, small_clips};

/// ffprobe averages Matroska's and MPEG-TS's rounded timestamps: within this part.
const RATE_TOLERANCE: (i64, i64) = (1, 50);
/// Durations by declared headers (ffprobe) against timestamps (ours): the last frame, or the priming of the sound.
const DURATION_TOLERANCE_MS: u64 = 120;

fn pinpress(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinpress"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PINPRESS_")) {
        command.env_remove(name);
    }
    command.args(args);
    command
}

fn output_of(mut command: Command) -> Output {
    command.output().expect("pinpress starts")
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON on stdout")
}

#[expect(clippy::print_stdout, reason = "a test that skips says so")]
fn clips() -> Option<(PathBuf, Vec<Clip>)> {
    let clips = real_clips();
    if clips.is_none() {
        println!("skipped: no folder of real clips");
    }
    let clips = clips?;
    let folder = clips.iter().find(|clip| !clip.malformed)?.path.parent()?.to_owned();
    Some((folder, clips))
}

fn differences(media: &Value, facts: &Value) -> Vec<String> {
    let (ours, theirs) = (&media["video"], stream_of(facts, "video").expect("ffprobe sees the picture"));
    let mut differences = Vec::new();
    let mut same = |what: &str, left: String, right: String| {
        if left != right {
            differences.push(format!("{what}: ours {left}, ffprobe {right}"));
        }
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    same("codec", text(&ours["codec"]), text(&theirs["codec_name"]));
    same("width", ours["coded_width"].to_string(), theirs["width"].to_string());
    same("height", ours["coded_height"].to_string(), theirs["height"].to_string());
    same("rotation", ours["rotation"].to_string(), rotation_of(theirs).to_string());
    // What ffprobe does not know, it leaves out or calls unknown; of a profile without a name it gives the number.
    let known = |value: &Value| value.as_str().is_some_and(|text| text != "unknown" && text.parse::<i64>().is_err());
    if known(&theirs["profile"]) {
        same("profile", text(&ours["profile"]), text(&theirs["profile"]));
    }
    same("pixel format", text(&ours["pixel_format"]), text(&theirs["pix_fmt"]).replace("yuvj", "yuv"));
    if known(&theirs["sample_aspect_ratio"]) {
        same("sample aspect", text(&ours["sample_aspect_ratio"]), text(&theirs["sample_aspect_ratio"]));
    }
    if known(&theirs["field_order"]) {
        same("interlaced", ours["interlaced"].to_string(), (theirs["field_order"] != "progressive").to_string());
    }
    for (key, name) in [("color_primaries", "primaries"), ("color_transfer", "transfer"), ("color_space", "matrix")] {
        if known(&theirs[key]) {
            same(key, text(&ours["colour"][name]), text(&theirs[key]));
        }
    }
    if known(&theirs["color_range"]) {
        same("range", ours["colour"]["full_range"].to_string(), (theirs["color_range"] == "pc").to_string());
    }
    if let Some(theirs) = stream_of(facts, "audio") {
        let ours = &media["audio"];
        same("sound", text(&ours["codec"]), text(&theirs["codec_name"]));
        if known(&theirs["profile"]) {
            same("sound's profile", text(&ours["profile"]), text(&theirs["profile"]));
        }
        same("sample rate", ours["sample_rate"].to_string(), text(&theirs["sample_rate"]));
        // Where a program config element counts the channels, `moov` does not tell.
        if !(ours["channels"].is_null() && media["reader"] == "sample-table") {
            same("channels", ours["channels"].to_string(), theirs["channels"].to_string());
        }
    } else {
        same("sound", media["audio"].to_string(), "null".to_owned());
    }
    // Ogg's rate is what its header declares; the packets that ffprobe counts tell how many pictures there are.
    let counted = rational(&theirs["nb_read_packets"]).zip(duration_ms(facts)).and_then(|(packets, millis)| {
        packets.checked_mul(Rational::whole(1000))?.checked_div(Rational::whole(i64::try_from(millis).ok()?))
    });
    let declared = rational(&theirs["avg_frame_rate"]);
    let near = |left: Rational, right: Rational| {
        let off = left.max(right).checked_sub(left.min(right)).expect("near");
        let tolerance = Rational::new(RATE_TOLERANCE.0, RATE_TOLERANCE.1).and_then(|part| right.checked_mul(part));
        off <= tolerance.expect("small")
    };
    if let Some(left) = rational(&ours["frame_rate"])
        && ![declared, counted].into_iter().flatten().any(|right| near(left, right))
    {
        differences.push(format!("frame rate: ours {left}, ffprobe {declared:?}, by its packets {counted:?}"));
    }
    if let (Some(left), Some(right)) = (media["duration_ms"].as_u64(), duration_ms(facts)) {
        // A header may count from zero where nothing is shown before the start (movie fragments, transport streams).
        let from_start = right.saturating_sub(start_ms(facts));
        if left.abs_diff(right).min(left.abs_diff(from_start)) > DURATION_TOLERANCE_MS {
            differences.push(format!("duration: ours {left} ms, ffprobe {right} ms, or {from_start} ms"));
        }
    } else if duration_ms(facts).is_some() {
        differences.push("duration: unknown to us alone".to_owned());
    }
    differences
}

#[test]
fn check_tells_what_ffprobe_tells() {
    let Some((folder, clips)) = clips() else { return };
    let folder_name = folder.to_str().expect("a UTF-8 path");
    let output = output_of(pinpress(&["check", "--format", "json", folder_name]));
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report = json_of(&output);
    let videos: BTreeMap<&str, &Value> = report["videos"]
        .as_array()
        .expect("videos")
        .iter()
        .map(|video| (video["path"].as_str().expect("a path"), video))
        .collect();
    let mut all_differences = Vec::new();
    for clip in &clips {
        let path = clip.path.to_str().expect("a UTF-8 path");
        let video = videos.get(path).unwrap_or_else(|| panic!("{path} was not checked"));
        if clip.malformed {
            assert_ne!(video["verdict"], "pass", "{path} passed");
        } else {
            assert!(video["verdict"] != "error", "{path}: {}", video["error"]);
            let differences = differences(&video["media"], &ffprobe(&clip.path));
            all_differences.extend(differences.iter().map(|difference| format!("{}: {difference}", clip.name())));
        }
    }
    assert!(all_differences.is_empty(), "{all_differences:#?}");
}

fn files_under(folder: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path);
            }
        }
    }
    files
}

#[test]
fn a_run_over_a_folder_publishes_every_good_clip() {
    let Some((_, clips)) = clips() else { return };
    let sources = tempfile::tempdir().expect("a folder for the clips");
    let (folder, clips) = small_clips(sources.path(), clips);
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let out = scratch.path().join("out");
    let (folder_name, out_name) = (folder.to_str().expect("UTF-8"), out.to_str().expect("UTF-8"));
    let before: BTreeMap<_, _> = clips
        .iter()
        .map(|clip| folder.join(place(clip)))
        .map(|path| (path.clone(), std::fs::metadata(path).ok()))
        .collect();
    let rehearsal = Rehearsal::start(RehearsalOptions::new(scratch.path().join("pinterest"))).expect("a stand-in");

    let run = || {
        let mut run = pinpress(&["run", folder_name, "-o", out_name, "--board", "Rehearsal", "--preset", "ultrafast"]);
        run.env("PINPRESS_ACCESS_TOKEN", rehearsal.token()).env("PINPRESS_API", rehearsal.api_base());
        output_of(run)
    };
    let first = run();
    let said = String::from_utf8_lossy(&first.stderr).into_owned() + &String::from_utf8_lossy(&first.stdout);
    assert_eq!(first.status.code(), Some(1), "malformed clips are told by the exit code\n{said}");
    for clip in clips.iter().filter(|clip| clip.malformed) {
        assert!(said.contains(&clip.name()), "{} is not named:\n{said}", clip.name());
    }
    assert!(!said.contains("pina_"), "the token was shown");

    let good = clips.iter().filter(|clip| !clip.malformed).count();
    let files = files_under(&out);
    let of = |ending: &str| files.iter().filter(|path| path.to_string_lossy().ends_with(ending)).collect::<Vec<_>>();
    assert_eq!(of(".mp4").len(), good, "an output for every good clip and for no other\n{said}");
    assert_eq!((of(".cover.jpg").len(), of(".pin.json").len()), (good, good), "{said}");
    assert!(of(".pinpress-tmp").is_empty(), "left over: {:?}", of(".pinpress-tmp"));
    assert_eq!(rehearsal.pins().len(), good, "a Pin for every good clip");

    let check = output_of(pinpress(&["check", "--format", "json", out_name]));
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stdout));
    assert_eq!(json_of(&check)["summary"]["pass"].as_u64(), u64::try_from(good).ok());

    // What ffprobe, ffmpeg and a browser make of such outputs, the large clips' too, is asked in `real_fixes`.

    // A second run does nothing and says so.
    let requests = rehearsal.requests().len();
    let second = run();
    let said = String::from_utf8_lossy(&second.stderr).into_owned() + &String::from_utf8_lossy(&second.stdout);
    assert_eq!(rehearsal.pins().len(), good, "a second run made Pins\n{said}");
    let uploads = rehearsal.requests().iter().skip(requests).filter(|request| request.method != "GET").count();
    assert_eq!(uploads, 0, "a second run sent something\n{said}");
    assert_eq!(files_under(&out), files, "a second run changed the output");

    for (path, metadata) in before {
        let after = std::fs::metadata(&path).ok();
        let told = |metadata: &Option<std::fs::Metadata>| {
            metadata.as_ref().map(|metadata| (metadata.len(), metadata.modified().ok()))
        };
        assert_eq!(told(&after), told(&metadata), "the source was touched: {}", path.display());
    }
}
