//! `pinpress check --deep`: what people and programs get from it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod ground;

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ground::{folder, output_of, pinpress, ran};
use serde_json::{Value, json};

/// Where the samples of a stream stand in the file, by ffprobe: offset and length.
fn samples(path: &Path, stream: &str) -> Vec<(usize, usize)> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", stream, "-show_entries", "packet=pos,size", "-of", "json"])
        .arg(path)
        .output()
        .unwrap();
    let packets: Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |value: &Value| value.as_str().unwrap().parse().unwrap();
    let packets = packets["packets"].as_array().unwrap();
    packets.iter().map(|packet| (number(&packet["pos"]), number(&packet["size"]))).collect()
}

/// Turns every bit of these samples, but for the length that stands in front of a picture.
fn spoil(path: &Path, samples: &[(usize, usize)]) {
    let mut bytes = std::fs::read(path).unwrap();
    for &(at, size) in samples {
        for byte in &mut bytes[at + 4..at + size] {
            *byte = !*byte;
        }
    }
    std::fs::write(path, bytes).unwrap();
}

/// A folder with one whole file and five that are broken, each in its way.
fn broken() -> Option<tempfile::TempDir> {
    let names = ["whole.mp4", "picture.mp4", "sound.mp4", "both.mp4", "nothing.mp4", "cut.mp4"];
    let dir = folder(&names.map(|name| ("conforming-9x16.mp4", name)))?;
    let path = |name: &str| dir.path().join(name);
    let (video, audio) = (samples(&path("whole.mp4"), "v:0"), samples(&path("whole.mp4"), "a:0"));
    spoil(&path("picture.mp4"), &video[149..]);
    spoil(&path("sound.mp4"), &audio[100..101]);
    spoil(&path("both.mp4"), &[video[60], video[61], audio[200]]);
    spoil(&path("nothing.mp4"), &video);
    let bytes = std::fs::read(path("cut.mp4")).unwrap();
    std::fs::write(path("cut.mp4"), &bytes[..video[100].0]).unwrap();
    Some(dir)
}

#[test]
fn people_read_what_is_whole_and_where_the_rest_breaks() {
    let Some(dir) = broken() else { return };
    let told = ran(dir.path(), &["check", "--deep", "--jobs", "1", "."]);
    insta::assert_snapshot!(told.stdout);
    assert_eq!(told.code, 1);
    // A pipe gets a plain line for each file.
    assert_eq!(told.stderr.lines().filter(|line| line.starts_with("decode   ")).count(), 6, "{}", told.stderr);
    let whole = ran(dir.path(), &["check", "--deep", "-q", "whole.mp4"]);
    assert_eq!((whole.code, whole.stdout.as_str(), whole.stderr.as_str()), (0, "", ""));
    // Without being asked, only the index is read: but a file that ends before its samples do fails all the same.
    let shallow = ran(dir.path(), &["check", "whole.mp4", "picture.mp4", "sound.mp4", "both.mp4", "nothing.mp4"]);
    assert_eq!(shallow.code, 0, "{}", shallow.stdout);
    assert!(!shallow.stdout.contains("decoded"), "{}", shallow.stdout);
}

#[test]
fn programs_read_each_stream() {
    let Some(dir) = broken() else { return };
    let deep = |name: &str| {
        let document: Value =
            serde_json::from_str(&ran(dir.path(), &["check", "--deep", "--format", "json", name]).stdout).unwrap();
        document["videos"][0].clone()
    };
    let whole = deep("whole.mp4");
    assert_eq!((&whole["verdict"], &whole["media"]["reader"]), (&json!("pass"), &json!("sample-table")));
    assert_eq!(
        whole["deep"],
        json!({"streams": [
            {"stream": 0, "kind": "video", "codec": "h264", "frames": 150, "faults": 0, "first_fault_ms": null},
            {"stream": 1, "kind": "audio", "codec": "aac", "samples": 240_640, "faults": 0, "first_fault_ms": null},
        ]})
    );
    let both = deep("both.mp4");
    assert_eq!(both["verdict"], "fail");
    let faults: Vec<_> = both["findings"].as_array().unwrap().iter().filter(|f| f["rule"] == "integrity").collect();
    assert_eq!(faults.iter().map(|f| &f["stream"]).collect::<Vec<_>>(), [0, 1]);
    assert!(faults.iter().all(|f| f["severity"] == "error" && f["remedy"] == "replace"), "{faults:?}");
    let streams = both["deep"]["streams"].as_array().unwrap();
    // Pictures 60 and 61 in the order of decoding, at 30 a second, within the reorder depth of x264; packet 200 of
    // sound, of 1,024 samples each, behind one of priming.
    let at = streams[0]["first_fault_ms"].as_i64().unwrap();
    assert!(streams[0]["faults"].as_u64().unwrap() >= 2 && (1_900..=2_150).contains(&at), "{streams:?}");
    assert_eq!(streams[1]["first_fault_ms"], 199 * 1_024 / 48);
    let plain = ran(dir.path(), &["check", "--format", "json", "whole.mp4"]).stdout;
    assert!(!plain.contains("\"deep\""), "only when it was asked for");
}

#[test]
fn recipes_decode_whole_where_ffmpeg_finds_no_fault() {
    for recipe in pinpress_fixtures::recipes().unwrap() {
        let path = match pinpress_fixtures::make_recipe(&recipe) {
            Err(error @ pinpress_fixtures::FixtureError::NoFfmpeg(_)) => return println!("skipped: {error}"),
            made => made.unwrap(),
        };
        let mut judge = Command::new("ffmpeg");
        judge.args(["-v", "error", "-nostdin", "-xerror", "-i"]).arg(&path).args(["-map", "0:V", "-map", "0:a?"]);
        let judged = judge.args(["-f", "null", "-"]).output().unwrap();
        let told = ran(path.parent().unwrap(), &["check", "--deep", path.file_name().unwrap().to_str().unwrap()]);
        let clean = judged.status.success() && judged.stderr.is_empty();
        assert_eq!(told.stdout.contains(", decoded whole"), clean, "{}: {}", recipe.name, told.stdout);
        assert_eq!(clean, recipe.bytes.is_none(), "{}", recipe.name);
        assert_eq!(told.code, i32::from(!recipe.fails.is_empty() || !clean), "{}: {}", recipe.name, told.stdout);
    }
}

/// A worker that does as `on_bad` says when it is to decode a file of the name `bad`, and else hands on to the real one.
fn worker(dir: &Path, on_bad: &str) -> PathBuf {
    let real = Path::new(env!("CARGO_BIN_EXE_pinpress")).with_file_name("pinpress-media");
    let script = format!(
        "#!/bin/sh\nwhile read -r line; do\n  case \"$line\" in\n    *'\"decode\"'*bad*) {on_bad} ;;\n    *) printf '%s\\n' \
         \"$line\" | '{}' --threads 1 ;;\n  esac\ndone\n",
        real.display()
    );
    let path = dir.join("worker.sh");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

const THREE: [(&str, &str); 3] =
    [("conforming-9x16.mp4", "a.mp4"), ("conforming-9x16.mp4", "bad.mp4"), ("conforming-9x16.mp4", "c.mp4")];

#[test]
fn a_decoder_that_dies_costs_its_file_alone() {
    let Some(dir) = folder(&THREE) else { return };
    let mut command = pinpress();
    command.env("PINPRESS_MEDIA", worker(dir.path(), "kill -SEGV $$")).current_dir(dir.path());
    command.args(["check", "--deep", "--format", "json", "a.mp4", "bad.mp4", "c.mp4"]);
    let told = output_of(&mut command, dir.path());
    assert_eq!(told.code, 1, "{}", told.stderr);
    let document: Value = serde_json::from_str(&told.stdout).unwrap();
    let verdicts: Vec<_> = document["videos"].as_array().unwrap().iter().map(|video| &video["verdict"]).collect();
    assert_eq!(verdicts, ["pass", "error", "pass"]);
    let reason = document["videos"][1]["error"].as_str().unwrap();
    assert!(reason.contains("SIGSEGV") && reason.ends_with("bad.mp4"), "{reason}");
}

#[test]
fn an_interruption_ends_decoding_and_what_is_done_is_told() {
    let Some(dir) = folder(&THREE) else { return };
    let mut running = Command::new(env!("CARGO_BIN_EXE_pinpress"))
        .args(["check", "--deep", "--jobs", "1", "a.mp4", "bad.mp4", "c.mp4"])
        .env("PINPRESS_MEDIA", worker(dir.path(), "exec sleep 600"))
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(running.stderr.take().unwrap()).lines();
    // It hangs there, for longer than anybody waits.
    told.find(|line| line.as_ref().unwrap().ends_with("bad.mp4")).unwrap().unwrap();
    assert!(Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap().success());
    let status = running.wait().unwrap();
    let mut results = String::new();
    running.stdout.take().unwrap().read_to_string(&mut results).unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(results.contains("a.mp4") && results.trim_end().ends_with("decoded whole"), "{results}");
    assert!(!results.contains("bad.mp4") && !results.contains("c.mp4"), "{results}");
    let last = told.map_while(Result::ok).last().unwrap();
    assert!(last.contains("interrupted after 1 of 3 videos"), "{last}");
}
