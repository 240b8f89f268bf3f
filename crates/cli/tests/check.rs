//! `pinpress check`: what people and programs get from it.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod ground;

use ground::{folder, output_of, pinpress, ran};
use serde_json::Value;

const MIXED: [(&str, &str); 3] = [
    ("conforming-9x16.mp4", "raw/fits.mp4"),
    ("upright-16x9.mp4", "raw/deep/wide.mp4"),
    ("film-24fps.mp4", "raw/film.mp4"),
];

fn mixed() -> Option<tempfile::TempDir> {
    let dir = folder(&MIXED)?;
    // Cut in its index, empty, and beside a text that nobody asked about.
    std::fs::write(dir.path().join("raw/empty.mov"), b"").unwrap();
    std::fs::write(dir.path().join("raw/notes.txt"), b"notes").unwrap();
    Some(dir)
}

#[test]
fn people_read_a_line_for_each_video_and_its_findings() {
    let Some(dir) = mixed() else { return };
    let ran = ran(dir.path(), &["check", "raw"]);
    insta::assert_snapshot!(ran.stdout);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
}

#[test]
fn who_read_each_file_is_told_when_asked() {
    let Some(dir) = folder(&[("conforming-9x16.mp4", "a.mp4"), ("matroska-fit.mkv", "b.mkv")]) else { return };
    let readers = |args: &[&str]| {
        let told = ran(dir.path(), args).stdout;
        let line = |name: &str| told.lines().find(|line| line.contains(name)).unwrap().to_owned();
        [line("a.mp4"), line("b.mkv")].map(|line| line.split_once("read by ").map(|(_, reader)| reader.to_owned()))
    };
    assert_eq!(readers(&["check", "."]), [None, None]);
    assert_eq!(readers(&["check", "-v", "."]), [Some("sample table".to_owned()), Some("libav".to_owned())]);
    let document: Value = serde_json::from_str(&ran(dir.path(), &["check", "--format", "json", "."]).stdout).unwrap();
    let reader = |index: usize| document["videos"][index]["media"]["reader"].clone();
    assert_eq!([reader(0), reader(1)], ["sample-table", "libav"]);
}

#[test]
fn quiet_says_only_what_fails() {
    let Some(dir) = mixed() else { return };
    let quiet = ran(dir.path(), &["check", "-q", "raw"]);
    assert_eq!(quiet.code, 1);
    assert!(!quiet.stdout.contains("fits.mp4") && !quiet.stdout.contains("videos:"), "{}", quiet.stdout);
    let silent = ran(dir.path(), &["check", "-q", "raw/fits.mp4"]);
    assert_eq!((silent.code, silent.stdout.as_str(), silent.stderr.as_str()), (0, "", ""));
}

#[test]
fn programs_read_the_contract() {
    let Some(dir) = mixed() else { return };
    let ran = ran(dir.path(), &["check", "--format", "json", "raw"]);
    assert_eq!(ran.code, 1);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["schema"], "pinpress.check/1");
    assert_eq!(document["tool"]["name"], "pinpress");
    assert_eq!(document["spec"], serde_json::json!({"name": "pinterest", "version": "2026-01-23"}));
    assert_eq!(document["summary"], serde_json::json!({"pass": 1, "fail": 2, "error": 1}));
    let videos = document["videos"].as_array().unwrap();
    let paths: Vec<_> = videos.iter().map(|video| video["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["raw/deep/wide.mp4", "raw/empty.mov", "raw/film.mp4", "raw/fits.mp4"]);
    let verdicts: Vec<_> = videos.iter().map(|video| video["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["fail", "error", "fail", "pass"]);

    let wide = &videos[0];
    let finding = &wide["findings"][0];
    assert_eq!((&finding["rule"], &finding["severity"]), (&Value::from("aspect-ratio"), &Value::from("error")));
    assert_eq!(finding["remedy"], "reframe");
    assert!(finding["measured"].as_str().unwrap().contains("1280"), "{finding}");
    assert_eq!(finding["stream"], 0);

    let empty = &videos[1];
    assert!(empty["error"].as_str().unwrap().contains("empty"), "{empty}");
    assert_eq!((&empty["media"], empty["findings"].as_array().unwrap().len()), (&Value::Null, 0));

    let media = &videos[3]["media"];
    assert_eq!(media["container"], "mp4");
    assert_eq!(media["size_bytes"], std::fs::metadata(dir.path().join("raw/fits.mp4")).unwrap().len());
    let video = &media["video"];
    for (key, value) in [
        ("codec", "h264".into()),
        ("profile", "High".into()),
        ("pixel_format", "yuv420p".into()),
        ("coded_width", 540.into()),
        ("coded_height", 960.into()),
        ("display_width", 540.into()),
        ("display_height", 960.into()),
        ("rotation", 0.into()),
        ("frame_rate", "30/1".into()),
        ("variable_frame_rate", false.into()),
        ("interlaced", false.into()),
    ] as [(&str, Value); 11]
    {
        assert_eq!(video[key], value, "{key}");
    }
    assert!(video["bit_rate"].as_u64().unwrap() > 1_000);
    assert!(video.as_object().unwrap().contains_key("sample_aspect_ratio"));
    let audio = &media["audio"];
    assert_eq!((&audio["codec"], &audio["profile"]), (&Value::from("aac"), &Value::from("LC")));
    assert_eq!((&audio["sample_rate"], &audio["channels"]), (&Value::from(48_000), &Value::from(1)));
    assert!((media["duration_ms"].as_i64().unwrap() - 5_000).abs() <= 50);
}

#[test]
fn a_line_for_each_video_is_the_same_as_the_document() {
    let Some(dir) = mixed() else { return };
    let document: Value = serde_json::from_str(&ran(dir.path(), &["check", "--format", "json", "raw"]).stdout).unwrap();
    let lines = ran(dir.path(), &["check", "--format", "ndjson", "raw"]).stdout;
    let videos: Vec<Value> = lines
        .lines()
        .map(|line| {
            let mut video: Value = serde_json::from_str(line).unwrap();
            assert_eq!(video.as_object_mut().unwrap().remove("schema"), Some("pinpress.check/1".into()));
            video
        })
        .collect();
    assert_eq!(document["videos"], Value::from(videos));
}

#[test]
fn any_number_of_jobs_gives_the_same_report() {
    let Some(dir) = mixed() else { return };
    let one = ran(dir.path(), &["check", "--jobs", "1", "raw"]).stdout;
    assert_eq!(ran(dir.path(), &["check", "--jobs", "7", "raw"]).stdout, one);
}

#[test]
fn a_report_goes_into_a_file_without_colours() {
    let Some(dir) = mixed() else { return };
    let to_file = ran(dir.path(), &["check", "--color", "always", "-o", "report.txt", "raw"]);
    assert_eq!((to_file.code, to_file.stdout.as_str()), (1, ""));
    let report = std::fs::read_to_string(dir.path().join("report.txt")).unwrap();
    assert_eq!(report, ran(dir.path(), &["check", "raw"]).stdout);
    let colored = ran(dir.path(), &["check", "--color", "always", "raw"]).stdout;
    assert!(colored.contains("\u{1b}[32m✓"), "{colored:?}");
    let refused = ran(dir.path(), &["check", "-o", "no/such/folder/report.txt", "raw"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("cannot write the report") && refused.stderr.contains("report.txt"));
}

#[test]
fn advice_fails_only_when_asked() {
    let Some(dir) = folder(&[("conforming-9x16.mp4", "fits.mp4")]) else { return };
    // Without being asked, ffmpeg writes the index last.
    let mut ffmpeg = std::process::Command::new("ffmpeg");
    ffmpeg.args(["-loglevel", "error", "-i", "fits.mp4", "-c", "copy", "late.mp4"]).current_dir(dir.path());
    assert!(ffmpeg.status().unwrap().success());
    assert_eq!(ran(dir.path(), &["check", "fits.mp4", "late.mp4"]).code, 0);
    assert_eq!(ran(dir.path(), &["check", "--fail-on", "advice", "late.mp4"]).code, 1);
    assert_eq!(ran(dir.path(), &["check", "--fail-on", "advice", "fits.mp4"]).code, 0);
}

#[test]
fn another_rule_set_judges_otherwise() {
    let Some(dir) = mixed() else { return };
    assert_eq!(ran(dir.path(), &["check", "raw/film.mp4"]).code, 1);
    assert_eq!(ran(dir.path(), &["check", "--spec", "pinterest-official", "raw/film.mp4"]).code, 0);
    let mut named = pinpress();
    named.env("PINPRESS_SPEC", "pinterest-official").args(["check", "raw/film.mp4"]).current_dir(dir.path());
    assert_eq!(output_of(&mut named, dir.path()).code, 0);
    let unknown = ran(dir.path(), &["check", "--spec", "nosuch", "raw"]);
    assert_eq!(unknown.code, 2);
    insta::assert_snapshot!(unknown.stderr, @r#"error: cannot use --spec: no rule set "nosuch": use pinterest, pinterest-official, or the path of a TOML file"#);
}

#[test]
fn work_that_cannot_be_done_is_two() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("nothing")).unwrap();
    let missing = ran(dir.path(), &["check", "gone.mp4"]);
    assert_eq!(missing.code, 2);
    insta::assert_snapshot!(missing.stderr, @"error: cannot be read: No such file or directory (os error 2): gone.mp4");
    let nothing = ran(dir.path(), &["check", "nothing"]);
    assert_eq!(nothing.code, 2);
    insta::assert_snapshot!(nothing.stderr, @"error: no video in nothing");
    assert_eq!(ran(dir.path(), &["check"]).code, 2);
    assert_eq!(ran(dir.path(), &["check", "--format", "yaml", "x"]).code, 2);
}

#[test]
fn paths_come_from_stdin() {
    let Some(dir) = mixed() else { return };
    let mut command = pinpress();
    command.args(["check", "--stdin0", "--format", "ndjson"]).current_dir(dir.path());
    command.write_stdin(b"raw/fits.mp4\0raw/film.mp4\0".as_slice());
    let ran = output_of(&mut command, dir.path());
    assert_eq!((ran.code, ran.stdout.lines().count()), (1, 2));
}

#[cfg(unix)]
#[test]
fn odd_names_are_told_safely_and_whole() {
    use std::os::unix::ffi::OsStrExt as _;
    let Some(dir) = mixed() else { return };
    let odd: [&[u8]; 4] = [b"line\nbreak.mp4", b"esc\x1b[2J.mp4", b"caf\xe9.mp4", b" 'quote\".mp4"];
    for name in odd {
        let to = dir.path().join("odd").join(std::ffi::OsStr::from_bytes(name));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(dir.path().join("raw/fits.mp4"), to).unwrap();
    }
    let human = ran(dir.path(), &["check", "odd"]);
    assert_eq!((human.code, human.stdout.lines().count()), (0, 5), "{}", human.stdout);
    assert!(!human.stdout.contains('\u{1b}'), "{:?}", human.stdout);
    let document: Value = serde_json::from_str(&ran(dir.path(), &["check", "--format", "json", "odd"]).stdout).unwrap();
    let videos = document["videos"].as_array().unwrap();
    let bytes: Vec<u8> =
        videos.iter().find_map(|video| serde_json::from_value(video["path_bytes"].clone()).ok()).unwrap();
    assert_eq!(bytes, b"odd/caf\xe9.mp4");
    assert!(videos.iter().any(|video| video["path"] == "odd/line\nbreak.mp4"));
}

#[cfg(unix)]
#[test]
fn a_place_that_cannot_be_looked_into_is_no_pass() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(dir) = folder(&[("conforming-9x16.mp4", "raw/fits.mp4")]) else { return };
    let closed = dir.path().join("raw/closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read_dir(&closed).is_ok() {
        println!("skipped: this user may look into everything");
        return;
    }
    let ran = ran(dir.path(), &["check", "raw"]);
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("raw/closed"), "{}", ran.stderr);
}

#[test]
fn a_missing_worker_is_told_once_something_needs_it() {
    let Some(dir) = mixed() else { return };
    std::fs::write(dir.path().join("raw/other.mkv"), b"\x1A\x45\xDF\xA3 Matroska by its first bytes").unwrap();
    let with_gone_worker = |path: &str| {
        let mut command = pinpress();
        command.env("PINPRESS_MEDIA", "/nowhere/pinpress-media").args(["check", path]).current_dir(dir.path());
        output_of(&mut command, dir.path())
    };
    assert_eq!(with_gone_worker("raw/fits.mp4").code, 0, "the fast path needs no worker");
    let needed = with_gone_worker("raw/other.mkv");
    assert_eq!(needed.code, 2);
    assert!(needed.stderr.contains("/nowhere/pinpress-media"), "{}", needed.stderr);
}
