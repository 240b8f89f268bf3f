//! The whole job by the real programs: raw videos in, Pins on a Pinterest on loopback out. Needs the media worker
//! (`cargo build -p pinpress-worker`); where it is not built, the tests skip and say so.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

#[cfg(target_os = "linux")]
#[path = "flow/cut_off.rs"]
mod cut_off;
mod ground;
#[path = "flow/queue.rs"]
mod queue;
#[path = "flow/shared_ledger.rs"]
mod shared_ledger;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ground::{Ran, folder, output_of, pinpress, ran};
use pinpress_rehearsal::{Rehearsal, RehearsalOptions};
use serde_json::Value;

/// One of each kind of trouble, and one that is no video.
const RAW: [(&str, &str); 6] = [
    ("conforming-9x16.mp4", "raw/ready.mp4"),
    ("film-24fps.mp4", "raw/film.mp4"),
    ("pcm-sound.mov", "raw/edit/pcm.mov"),
    ("matroska-fit.mkv", "raw/camera.mkv"),
    ("upright-16x9.mp4", "raw/wide_clip-1.mp4"),
    ("not-a-video.mp4", "raw/broken.mp4"),
];
const GOOD: usize = RAW.len() - 1;

fn raw() -> Option<tempfile::TempDir> {
    let dir = folder(&RAW)?;
    let doctor = ran(dir.path(), &["doctor"]);
    if doctor.code != 0 {
        println!("skipped: build the worker with `cargo build -p pinpress-worker`\n{}", doctor.stdout);
        return None;
    }
    Some(dir)
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

/// What an outside judge says of the first stream of a kind: `key=value` lines.
fn ffprobe(file: &Path, stream: &str, entries: &str) -> String {
    let entries = format!("stream={entries}:format=duration");
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", stream, "-show_entries", &entries, "-of", "default=nw=1"])
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A prepared command, begun in `folder`; nobody hears what it says.
fn in_background(command: &assert_cmd::Command, folder: &Path) -> Child {
    let mut plain = Command::new(command.get_program());
    plain.args(command.get_args()).current_dir(folder);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => plain.env(name, value),
            None => plain.env_remove(name),
        };
    }
    plain.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn files(folder: &Path, suffix: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(".pinpress") {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_rehearsal_takes_raw_videos_to_pins_once() {
    let Some(dir) = raw() else { return };
    let first = ran(dir.path(), &["rehearse", "raw", "-o", "out", "--preset", "ultrafast"]);
    assert_eq!(first.code, 1, "one is no video\n{}{}", first.stdout, first.stderr);
    assert!(first.stdout.contains("broken.mp4") && first.stdout.contains("not a video"), "{}", first.stdout);
    assert!(first.stdout.contains("6 videos: 5 done, 1 failed"), "{}", first.stdout);
    let out = dir.path().join("out");
    assert_eq!(files(&out, ".mp4").len(), GOOD);
    assert_eq!(files(&out, ".cover.jpg").len(), GOOD);
    assert_eq!(files(&out, ".pin.json").len(), GOOD);
    assert_eq!(files(&out, "tmp").len(), 0);
    let page = out.join(".pinpress/rehearsal/board.html");
    assert!(first.stdout.contains("board page: file://") && page.is_file(), "{}", first.stdout);
    let html = std::fs::read_to_string(page).unwrap();
    assert!(html.contains("wide clip 1"), "titles come from the names");

    let check = ran(dir.path(), &["check", "--format", "json", "out"]);
    assert_eq!((check.code, json(&check)["summary"]["pass"].as_u64()), (0, Some(GOOD as u64)), "{}", check.stdout);
    for output in files(&out, ".mp4") {
        let video = ffprobe(&output, "v", "codec_name,pix_fmt,width,height,avg_frame_rate");
        assert!(video.contains("codec_name=h264\n") && video.contains("pix_fmt=yuv420p\n"), "{video}");
        let audio = ffprobe(&output, "a", "codec_name");
        assert!(!audio.contains("codec_name=") || audio.contains("codec_name=aac\n"), "{audio}");
    }

    let second = ran(dir.path(), &["rehearse", "raw", "-o", "out", "--preset", "ultrafast"]);
    assert_eq!(second.code, 1);
    assert!(second.stdout.contains("6 videos: 5 done before, 1 failed"), "{}", second.stdout);
    std::fs::remove_file(dir.path().join("raw/broken.mp4")).unwrap();
    let third = ran(dir.path(), &["rehearse", "raw", "-o", "out", "--preset", "ultrafast"]);
    assert_eq!(third.code, 0);
    assert!(third.stdout.contains("5 videos: nothing to do, all was done before"), "{}", third.stdout);

    let status = ran(dir.path(), &["status", "out", "--format", "json"]);
    assert_eq!(json(&status)["videos"].as_array().unwrap().len(), RAW.len());
    assert_eq!(ran(dir.path(), &["status", "out"]).code, 1, "the broken one is in the ledger");
}

#[test]
fn a_real_run_after_it_only_publishes() {
    let Some(dir) = raw() else { return };
    ran(dir.path(), &["rehearse", "raw", "-o", "out", "--preset", "ultrafast"]);
    let before: Vec<_> = files(&dir.path().join("out"), ".mp4")
        .iter()
        .map(|path| path.metadata().unwrap().modified().unwrap())
        .collect();
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let run = || {
        let mut command = pinpress();
        command.env("PINPRESS_ACCESS_TOKEN", pinterest.token()).env("PINPRESS_API", pinterest.api_base());
        command.args(["run", "raw", "-o", "out", "--preset", "ultrafast", "--board", "rehearsal", "-vv"]);
        output_of(command.current_dir(dir.path()), dir.path())
    };
    let first = run();
    assert!(first.stdout.contains("5 done, 1 failed"), "{}{}", first.stdout, first.stderr);
    assert_eq!(pinterest.pins().len(), GOOD);
    let again = run();
    assert!(again.stdout.contains("5 done before, 1 failed"), "{}", again.stdout);
    assert_eq!(pinterest.pins().len(), GOOD);
    let after: Vec<_> = files(&dir.path().join("out"), ".mp4")
        .iter()
        .map(|path| path.metadata().unwrap().modified().unwrap())
        .collect();
    assert_eq!(before, after, "nothing was fixed again");
    for text in [&first.stdout, &first.stderr, &again.stderr] {
        assert!(!text.contains(pinterest.token()), "the token is in a log");
    }
}

#[test]
fn a_run_that_is_killed_goes_on_and_pins_once() {
    let Some(dir) = raw() else { return };
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinpress"));
        command.env("PINPRESS_ACCESS_TOKEN", pinterest.token()).env("PINPRESS_API", pinterest.api_base());
        command.args(["run", "raw", "-o", "out", "--preset", "ultrafast", "--board", "rehearsal"]);
        command.current_dir(dir.path()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    // Killed when so many Pins are there: each time in the middle of something else.
    for pins in 0..GOOD {
        let mut child = command().spawn().unwrap();
        let started = Instant::now();
        while pinterest.pins().len() < pins && started.elapsed() < Duration::from_secs(120) {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let code = command().status().unwrap().code();
    assert_eq!(code, Some(1), "one is no video");
    let mut titles: Vec<_> = pinterest.pins().into_iter().map(|pin| pin.title.unwrap()).collect();
    titles.sort();
    let all = titles.len();
    titles.dedup();
    assert_eq!(titles.len(), all, "a Pin came twice");
    // Killed between the intent and the call, nobody can know whether the Pin is there; then it is named.
    let status = json(&ran(dir.path(), &["status", "out", "--format", "json"]));
    let pins = status["videos"].as_array().unwrap().iter().flat_map(|video| video["pins"].as_array().unwrap());
    let of = |wanted: &str| pins.clone().filter(|pin| pin["status"] == wanted).count();
    assert_eq!(of("published") + of("unknown"), GOOD, "{status:#}");
    assert_eq!(of("published"), all);
    let out = dir.path().join("out");
    assert_eq!((files(&out, ".pin.json").len(), files(&out, "tmp").len()), (all, 0));
}

#[cfg(unix)]
#[test]
fn an_interruption_is_130_and_loses_nothing() {
    let Some(dir) = raw() else { return };
    let mut child = Command::new(env!("CARGO_BIN_EXE_pinpress"))
        .args(["rehearse", "raw", "-o", "out", "--preset", "ultrafast", "--serve"])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Once the board page is served, the run is over and Ctrl-C ends it.
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("board page: http://") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut stdout, &mut line).unwrap() > 0, "it ended without its page");
    }
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(1), "the run was over: its own code");

    let mut child = Command::new(env!("CARGO_BIN_EXE_pinpress"))
        .args(["fix", "raw/wide_clip-1.mp4", "-o", "slow", "--preset", "placebo"])
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(files(&dir.path().join("slow"), "").len(), 0, "no output and no temp file");
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
}

#[test]
fn fix_changes_what_is_needed_and_tells_programs() {
    let Some(dir) = raw() else { return };
    let plan = ran(dir.path(), &["fix", "--plan", "--format", "json", "raw"]);
    assert_eq!(plan.code, 1, "one is no video");
    assert!(!dir.path().join("out").exists());
    let fixed = ran(dir.path(), &["fix", "raw", "-o", "out", "--preset", "ultrafast", "--format", "json"]);
    assert_eq!(fixed.code, 1);
    let document = json(&fixed);
    assert_eq!(document["schema"], "pinpress.fix/1");
    let video = |name: &str| {
        let videos = document["videos"].as_array().unwrap().iter();
        videos.clone().find(|video| video["path"] == format!("raw/{name}")).unwrap().clone()
    };
    for (name, action, status) in [
        ("ready.mp4", Value::from("passthrough"), "fixed"),
        ("camera.mkv", Value::from("remux"), "fixed"),
        ("film.mp4", Value::from("encode"), "fixed"),
        ("edit/pcm.mov", Value::from("encode"), "fixed"),
        ("wide_clip-1.mp4", Value::from("encode"), "fixed"),
        ("broken.mp4", Value::Null, "failed"),
    ] {
        let video = video(name);
        assert_eq!((&video["action"], &video["status"]), (&action, &Value::from(status)), "{name}: {video:#}");
    }
    let pcm = video("edit/pcm.mov");
    assert_eq!(pcm["output"], "out/edit/pcm.mp4");
    let done: Vec<_> = pcm["streams"].as_array().unwrap().iter().map(|stream| stream["done"].clone()).collect();
    assert_eq!(done, ["copy", "encode"], "only the sound");
    assert_eq!(pcm["streams"][1]["rules"], serde_json::json!(["audio-codec"]));
    assert_eq!(pcm["check"]["verdict"], "pass");
    let planned: Vec<_> = json(&plan)["videos"].as_array().unwrap().iter().map(|v| v["action"].clone()).collect();
    let carried: Vec<_> = document["videos"].as_array().unwrap().iter().map(|v| v["action"].clone()).collect();
    assert_eq!(planned, carried, "what is planned is what is done");

    let again = ran(dir.path(), &["fix", "raw", "-o", "out", "--format", "json"]);
    assert_eq!(json(&again)["summary"], serde_json::json!({"fixed": 0, "kept": 5, "planned": 0, "failed": 1}));
    assert_eq!(ran(dir.path(), &["check", "-q", "out"]).code, 0);
    let fixed_again = ran(dir.path(), &["fix", "--plan", "--format", "json", "out"]);
    for video in json(&fixed_again)["videos"].as_array().unwrap() {
        assert_eq!(video["action"], "passthrough", "a fixed file needs nothing: {video:#}");
    }
}

#[test]
fn a_source_is_never_replaced() {
    let Some(dir) = raw() else { return };
    let before = std::fs::read(dir.path().join("raw/ready.mp4")).unwrap();
    let ran = ran(dir.path(), &["fix", "raw/ready.mp4", "-o", "raw", "--overwrite"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("would replace a source"), "{}", ran.stdout);
    assert_eq!(std::fs::read(dir.path().join("raw/ready.mp4")).unwrap(), before);
}

#[test]
fn covers_are_ranked_and_written() {
    let Some(dir) = raw() else { return };
    let several = ran(dir.path(), &["cover", "raw/wide_clip-1.mp4", "-o", "covers", "-n", "3", "--json"]);
    assert_eq!(several.code, 0, "{}", several.stderr);
    let document = json(&several);
    let candidates = document["videos"][0]["candidates"].as_array().unwrap().clone();
    assert!((1..=3).contains(&candidates.len()));
    let scores: Vec<f64> = candidates.iter().map(|candidate| candidate["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    for candidate in &candidates {
        let picture = dir.path().join(candidate["file"].as_str().unwrap());
        let size = ffprobe(&picture, "v", "width,height");
        assert!(size.contains("width=1280\n") && size.contains("height=720\n"), "{size}");
    }
    let one = ran(dir.path(), &["cover", "raw/ready.mp4", "-o", "covers", "--at", "1500", "--format", "png", "--json"]);
    let candidate = json(&one)["videos"][0]["candidates"][0].clone();
    assert_eq!(candidate["file"], "covers/ready.cover.png");
    assert!((candidate["time_ms"].as_i64().unwrap() - 1_500).abs() <= 34, "the frame shown then: {candidate}");
    let sheets = ran(dir.path(), &["cover", "raw", "-o", "covers", "--contact-sheet", "sheet.jpg"]);
    assert_eq!(sheets.code, 2, "one sheet for one video");
}

#[test]
fn a_cover_of_a_file_that_is_cut_off_says_so() {
    let Some(dir) = raw() else { return };
    let whole = std::fs::read(dir.path().join("raw/ready.mp4")).unwrap();
    std::fs::write(dir.path().join("raw/cut.mp4"), &whole[..whole.len() * 7 / 10]).unwrap();
    let told = ran(dir.path(), &["cover", "raw/cut.mp4", "-o", "covers", "-n", "1"]);
    assert_eq!(told.code, 0, "there are frames: {}{}", told.stdout, told.stderr);
    assert!(dir.path().join("covers/cut.cover.jpg").is_file());
    assert!(told.stdout.contains("integrity"), "{}", told.stdout);
    let listed = ran(dir.path(), &["cover", "raw", "-o", "more", "-n", "1", "--json"]);
    let listed = json(&listed);
    for video in listed["videos"].as_array().unwrap() {
        let cut = video["path"] == "raw/cut.mp4";
        let rules: Vec<_> = video["findings"].as_array().unwrap().iter().map(|finding| &finding["rule"]).collect();
        assert_eq!(rules, if cut { vec!["integrity"] } else { Vec::new() }, "{video}");
    }
}
