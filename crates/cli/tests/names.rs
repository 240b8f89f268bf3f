//! Hostile names and places: each ends in an exit code and a message that names the path, and none is followed for
//! ever. A run that takes 20 s is killed, and has then no exit code.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod ground;

use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command as System;
use std::time::Duration;

use assert_cmd::Command;
use ground::{Ran, folder, output_of, pinpress, ran};
use serde_json::Value;

/// A command that is not done by then follows something that has no end.
const WATCHDOG: Duration = Duration::from_secs(20);

/// Runs in `dir` under the watchdog.
fn watched(dir: &Path, args: &[&OsStr]) -> Ran {
    let mut command = pinpress();
    command.args(args).current_dir(dir).timeout(WATCHDOG);
    output_of(&mut command, dir)
}

fn check(dir: &Path, args: &[&str]) -> Ran {
    let args: Vec<&OsStr> = [&["check"], args].concat().into_iter().map(OsStr::new).collect();
    watched(dir, &args)
}

fn videos(ran: &Ran) -> Vec<Value> {
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    document["videos"].as_array().unwrap().clone()
}

fn mkfifo(path: &Path) {
    assert!(System::new("mkfifo").arg(path).status().unwrap().success());
}

/// Names that break lines, quotes, options, patterns and terminals.
const ODD: [&[u8]; 16] = [
    b"two words.mp4",
    b" leading and trailing .mp4",
    b"quotes'\"`.mp4",
    b"new\nline.mp4",
    b"forged\n\xe2\x9c\x93 pass.mp4",
    b"return\rto start.mp4",
    b"\x1b[2J\x1b]0;title\x07.mp4",
    b"caf\xe9.mp4",
    b"\xff\xfe.mp4",
    b"-rf.mp4",
    b"--format.mp4",
    b"%s%d%n.mp4",
    b"pattern-%03d*?[a-z].mp4",
    b"concat:a|b.mp4",
    b"back\\slash.mp4",
    "rtl-\u{202e}4pm.exe.mp4".as_bytes(),
];

/// The fixture under each odd name, and under one of 255 bytes.
fn odd_names(fixture: &str, ending: &str) -> Option<tempfile::TempDir> {
    let dir = folder(&[(fixture, "fit")])?;
    let long = [b'n'; 251];
    for name in ODD.iter().copied().chain([[&long, b".mp4".as_slice()].concat().as_slice()]) {
        let stem = name.strip_suffix(b".mp4").unwrap();
        let to = dir.path().join("odd").join(OsStr::from_bytes(&[stem, ending.as_bytes()].concat()));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(dir.path().join("fit"), to).unwrap();
    }
    Some(dir)
}

#[test]
fn a_name_has_one_line_in_every_format_and_drives_no_terminal() {
    let Some(dir) = odd_names("conforming-9x16.mp4", ".mp4") else { return };
    let count = ODD.len() + 1;
    let human = check(dir.path(), &["--color", "always", "odd"]);
    assert_eq!((human.code, human.stderr.as_str()), (0, ""), "{}", human.stdout);
    assert_eq!(human.stdout.lines().count(), count + 1, "{}", human.stdout);
    let passed = human.stdout.lines().filter(|line| line.contains('✓') && line.contains("odd/")).count();
    assert_eq!(passed, count, "a line that is no video's: {}", human.stdout);
    // The colours are ours; nothing else may be left of the names' own.
    let colourless = human.stdout.replace("\u{1b}[", "");
    assert!(!colourless.contains(['\u{1b}', '\u{7}', '\r', '\u{202e}']), "{:?}", human.stdout);

    let lines = check(dir.path(), &["--format", "ndjson", "odd"]);
    assert_eq!(lines.stdout.lines().count(), count);
    let document = check(dir.path(), &["--format", "json", "odd"]);
    for text in [&lines.stdout, &document.stdout] {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "raw control characters in JSON");
    }
    let mut told: Vec<Vec<u8>> = videos(&document).iter().map(bytes_of).collect();
    let mut there: Vec<Vec<u8>> = std::fs::read_dir(dir.path().join("odd"))
        .unwrap()
        .map(|entry| Path::new("odd").join(entry.unwrap().file_name()).as_os_str().as_bytes().to_vec())
        .collect();
    told.sort();
    there.sort();
    assert_eq!(told, there, "every name comes back byte by byte");
}

/// The path of a video as the bytes that it is.
fn bytes_of(video: &Value) -> Vec<u8> {
    let path = video["path"].as_str().unwrap();
    match &video["path_bytes"] {
        Value::Null => path.as_bytes().to_vec(),
        bytes => serde_json::from_value(bytes.clone()).unwrap(),
    }
}

/// The worker gets names over a pipe of JSON, and libav takes some for patterns or protocols.
#[test]
fn the_worker_reads_the_file_of_that_name() {
    let Some(dir) = odd_names("matroska-fit.mkv", ".mkv") else { return };
    let ran = check(dir.path(), &["--format", "json", "odd"]);
    let videos = videos(&ran);
    assert_eq!((ran.code, videos.len()), (1, ODD.len() + 1), "{}", ran.stderr);
    for video in videos {
        assert_eq!(video["verdict"], "fail", "{video:#}");
        assert_eq!(video["findings"][0]["rule"], "container", "{video:#}");
        assert_eq!(video["media"]["reader"], "libav");
    }
}

#[test]
fn names_are_taken_from_arguments_and_from_stdin() {
    let Some(dir) = odd_names("conforming-9x16.mp4", ".mp4") else { return };
    let odd = dir.path().join("odd");
    let names: Vec<&OsStr> = ODD.iter().map(|name| OsStr::from_bytes(name)).collect();
    let as_arguments = watched(&odd, &[&[OsStr::new("check"), OsStr::new("--")], names.as_slice()].concat());
    assert_eq!(as_arguments.code, 0, "{}{}", as_arguments.stdout, as_arguments.stderr);
    let mut command = pinpress();
    command.args(["check", "--stdin0"]).current_dir(&odd).timeout(WATCHDOG);
    command.write_stdin(ODD.join(&0));
    let from_stdin = output_of(&mut command, &odd);
    assert_eq!((from_stdin.code, &from_stdin.stdout), (0, &as_arguments.stdout));
    let mut nothing = pinpress();
    nothing.args(["check", "--stdin0"]).current_dir(&odd).timeout(WATCHDOG).write_stdin("");
    let nothing = output_of(&mut nothing, &odd);
    assert_eq!(nothing.code, 2);
    assert!(nothing.stderr.contains("no video in the list"), "{}", nothing.stderr);
}

#[test]
fn errors_name_the_path_and_drive_no_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let missing =
        watched(dir.path(), &["check", "--color", "always", "gone\x1b[2J\nerror: forged.mp4"].map(OsStr::new));
    assert_eq!((missing.code, missing.stdout.as_str()), (2, ""));
    assert!(missing.stderr.contains("gone\\u{1b}[2J"), "{:?}", missing.stderr);
    assert!(!missing.stderr.lines().any(|line| line.starts_with("error: forged")), "{:?}", missing.stderr);
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    let empty = check(dir.path(), &["empty"]);
    assert_eq!((empty.code, empty.stdout.as_str()), (2, ""));
    assert!(empty.stderr.contains("no video in empty"), "{}", empty.stderr);
}

#[test]
fn what_is_no_file_is_an_error_of_its_own_and_is_not_waited_for() {
    let Some(dir) = folder(&[("conforming-9x16.mp4", "fits.mp4")]) else { return };
    mkfifo(&dir.path().join("pipe.mp4"));
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket.mp4")).unwrap();
    symlink("/dev/zero", dir.path().join("zero.mp4")).unwrap();
    let given = ["pipe.mp4", "socket.mp4", "zero.mp4", "/dev/null", "/dev/zero"];
    let ran = check(dir.path(), &[&["--format", "json"], given.as_slice(), &["fits.mp4"]].concat());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let videos = videos(&ran);
    assert_eq!(videos.len(), given.len(), "/dev/zero and the link to it are one");
    for (video, name) in videos.iter().zip(["pipe.mp4", "socket.mp4", "zero.mp4", "/dev/null"]) {
        assert_eq!((&video["path"], &video["verdict"]), (&Value::from(name), &Value::from("error")));
        let error = video["error"].as_str().unwrap();
        assert!(error.contains("not a regular file") && error.ends_with(name), "{error}");
    }
    assert_eq!(videos[4]["verdict"], "pass", "the others are checked all the same");

    // Met in a folder they are passed over.
    let met = check(dir.path(), &["--format", "json", "."]);
    assert_eq!((met.code, self::videos(&met).len()), (0, 1), "{}", met.stdout);
}

#[test]
fn no_command_reads_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    mkfifo(&dir.path().join("pipe.mp4"));
    for path in ["pipe.mp4", "/dev/zero", "/dev/null"] {
        for args in [
            ["check", path, "-o", "report.txt"],
            ["fix", path, "-o", "out"],
            ["cover", path, "-o", "out"],
            ["run", path, "-o", "out"],
            ["publish", path, "--board", "b"],
            ["rehearse", path, "-o", "out"],
        ] {
            let ran = watched(dir.path(), &args.map(OsStr::new));
            assert!(ran.code == 1 || ran.code == 2, "{args:?} ended with {}: {}", ran.code, ran.stderr);
        }
    }
}

#[test]
fn links_are_followed_once_and_loops_are_not() {
    let Some(dir) = folder(&[("conforming-9x16.mp4", "raw/fits.mp4")]) else { return };
    let at = |name: &str| dir.path().join(name);
    symlink("..", at("raw/up")).unwrap();
    symlink(".", at("raw/here")).unwrap();
    symlink("fits.mp4", at("raw/again.mp4")).unwrap();
    symlink("nowhere", at("raw/not-a-video")).unwrap();
    let ran = check(dir.path(), &["--format", "json", "raw"]);
    assert_eq!((ran.code, videos(&ran).len(), ran.stderr.as_str()), (0, 1, ""), "{}", ran.stdout);
    let verbose = check(dir.path(), &["-v", "raw"]);
    for link in ["raw/up", "raw/here"] {
        assert!(verbose.stderr.contains(link), "{} is not named: {}", link, verbose.stderr);
    }

    // Links with a video's name that lead to nothing are videos that cannot be read.
    symlink("nowhere.mp4", at("raw/dangling.mp4")).unwrap();
    symlink("loop.mp4", at("raw/loop.mp4")).unwrap();
    let broken = check(dir.path(), &["--format", "json", "raw"]);
    assert_eq!(broken.code, 1, "{}", broken.stderr);
    let told: Vec<_> = videos(&broken)
        .iter()
        .map(|video| (video["path"].as_str().unwrap().to_owned(), video["verdict"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [("raw/again.mp4", "pass"), ("raw/dangling.mp4", "error"), ("raw/loop.mp4", "error")];
    assert_eq!(told, expected.map(|(path, verdict)| (path.to_owned(), verdict.to_owned())));
    for given in ["raw/dangling.mp4", "raw/loop.mp4"] {
        let ran = check(dir.path(), &[given]);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.trim_end().ends_with(given), "{}", ran.stderr);
    }
}

/// `pinpress` for a user that is not the administrator, who may read everything.
fn as_nobody(dir: &Path, args: &[&str]) -> Option<Ran> {
    if !rustix::process::geteuid().is_root() {
        return Some(check(dir, &args[1..]));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--", env!("CARGO_BIN_EXE_pinpress")]);
    command.args(args).current_dir(dir).timeout(WATCHDOG);
    let able = System::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--", env!("CARGO_BIN_EXE_pinpress"), "spec"])
        .output();
    if !able.is_ok_and(|output| output.status.success()) {
        println!("skipped: nobody else can start the program here");
        return None;
    }
    Some(output_of(&mut command, dir))
}

#[test]
fn what_may_not_be_read_is_no_pass() {
    let Some(dir) =
        folder(&[("conforming-9x16.mp4", "raw/closed/hidden.mp4"), ("conforming-9x16.mp4", "raw/fits.mp4")])
    else {
        return;
    };
    let mode =
        |name: &str, mode| std::fs::set_permissions(dir.path().join(name), Permissions::from_mode(mode)).unwrap();
    for (name, open) in [("", 0o755), ("raw", 0o755), ("raw/fits.mp4", 0o644)] {
        mode(name, open);
    }
    std::fs::copy(dir.path().join("raw/fits.mp4"), dir.path().join("raw/secret.mp4")).unwrap();
    mode("raw/secret.mp4", 0o000);
    mode("raw/closed", 0o000);
    let in_folder = as_nobody(dir.path(), &["check", "--format", "json", "raw"]);
    let given = as_nobody(dir.path(), &["check", "raw/secret.mp4"]);
    let below = as_nobody(dir.path(), &["check", "raw/closed/hidden.mp4"]);
    mode("raw/closed", 0o755);
    let (Some(in_folder), Some(given), Some(below)) = (in_folder, given, below) else { return };
    assert_eq!(in_folder.code, 2, "a gate that could not look everywhere: {}", in_folder.stderr);
    assert!(in_folder.stderr.contains("raw/closed") && in_folder.stderr.contains("ermission"), "{}", in_folder.stderr);
    let verdicts: Vec<_> = videos(&in_folder).iter().map(|video| video["verdict"].clone()).collect();
    assert_eq!(verdicts, ["pass", "error"]);
    assert_eq!(given.code, 1, "{}", given.stderr);
    assert!(given.stdout.contains("raw/secret.mp4") && given.stdout.contains("ermission"), "{}", given.stdout);
    assert_eq!(below.code, 2);
    assert!(below.stderr.contains("raw/closed/hidden.mp4"), "{}", below.stderr);
}

#[test]
fn a_file_of_our_own_process_is_read_wherever_it_is_read() {
    let Some(dir) = folder(&[("conforming-9x16.mp4", "fits.mp4"), ("matroska-fit.mkv", "fits.mkv")]) else { return };
    // The second needs the worker, whose descriptors are others.
    for (file, container) in [("fits.mp4", "mp4"), ("fits.mkv", "matroska")] {
        for path in ["/proc/self/fd/7", "/dev/fd/7", "/dev/stdin"] {
            let script = format!("exec \"$0\" check --format json {path} 7<{file} <{file}");
            let mut command = Command::new("sh");
            command.args(["-c", &script, env!("CARGO_BIN_EXE_pinpress")]).current_dir(dir.path()).timeout(WATCHDOG);
            let ran = output_of(&mut command, dir.path());
            let video = &videos(&ran)[0];
            assert!(video["error"].is_null(), "{path} to {file}: {}", video["error"]);
            assert_eq!((&video["path"], &video["media"]["container"]), (&Value::from(path), &Value::from(container)));
        }
    }
}

#[test]
fn a_mistake_in_an_ignore_file_is_told_with_its_line_before_work_begins() {
    let Some(dir) = folder(&[("conforming-9x16.mp4", "raw/fits.mp4")]) else { return };
    let ignore = dir.path().join("raw/.pinpressignore");
    std::fs::write(&ignore, "*.mov\n[draft\n").unwrap();
    let commands: [&[&str]; 4] = [
        &["check", "raw"],
        &["fix", "raw", "-o", "out"],
        &["cover", "raw", "-o", "out"],
        &["run", "raw", "-o", "out", "--no-publish"],
    ];
    for command in commands {
        let ran = ran(dir.path(), command);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command:?}: {}", ran.stderr);
        let told = "line 2: \"[draft\" is no pattern of file names";
        assert!(ran.stderr.contains(told) && ran.stderr.contains("raw/.pinpressignore"), "{}", ran.stderr);
        assert!(!dir.path().join("out").exists(), "{command:?} began");
    }
    std::fs::write(&ignore, "*.mov\n\\[draft\n").unwrap();
    assert_eq!(ran(dir.path(), &["check", "raw"]).code, 0);
}

#[test]
fn hidden_files_and_our_own_are_passed_over() {
    let Some(dir) = folder(&[("conforming-9x16.mp4", "raw/fits.mp4")]) else { return };
    let at = |name: &str| dir.path().join("raw").join(name);
    std::fs::create_dir_all(at(".pinpress")).unwrap();
    std::fs::create_dir_all(at(".hidden")).unwrap();
    for name in [
        ".hidden.mp4",
        ".hidden/inside.mp4",
        ".pinpress/inside.mp4",
        "fits.cover.jpg",
        "fits.cover.1.jpg",
        "fits.pin.json",
        ".fits.mp4.4711.pinpress-tmp",
        "fits.mp4.pinpress-tmp",
    ] {
        std::fs::copy(at("fits.mp4"), at(name)).unwrap();
    }
    let all = ran(dir.path(), &["check", "--format", "json", "raw"]);
    let paths: Vec<_> = videos(&all).iter().map(|video| video["path"].clone()).collect();
    assert_eq!((all.code, paths), (0, vec![Value::from("raw/fits.mp4")]));
    // Whoever names one means it.
    assert_eq!(ran(dir.path(), &["check", "raw/.hidden.mp4"]).code, 0);
    assert_eq!(ran(dir.path(), &["check", "raw/.hidden"]).code, 0);
}
