//! `-o FILE`, stdin and interruptions, for every format.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::ground::{output_of, pinpress, ran};
use crate::raw::raw;

const FORMATS: [&str; 7] = ["human", "json", "ndjson", "junit", "sarif", "github", "html"];

#[test]
fn a_file_holds_what_stdout_would() {
    let Some(dir) = raw() else { return };
    for format in FORMATS {
        let shown = ran(dir.path(), &["check", "--format", format, "raw"]);
        let file = dir.path().join(format!("report.{format}"));
        let written = ran(dir.path(), &["check", "--format", format, "-o", file.to_str().unwrap(), "raw"]);
        assert_eq!((written.code, written.stdout.as_str(), written.stderr.as_str()), (1, "", ""), "{format}");
        let text = std::fs::read(&file).unwrap();
        assert!(!text.is_empty() && String::from_utf8_lossy(&text) == shown.stdout, "{format}");
    }
}

#[test]
fn paths_from_stdin_give_the_same_report() {
    let Some(dir) = raw() else { return };
    for format in FORMATS {
        let mut command = pinpress();
        command.args(["check", "--stdin0", "--format", format]).current_dir(dir.path());
        command.write_stdin(b"raw/film.mp4\0raw/fits.mp4\0".as_slice());
        let piped = output_of(&mut command, dir.path());
        let given = ran(dir.path(), &["check", "--format", format, "raw/film.mp4", "raw/fits.mp4"]);
        assert_eq!((piped.code, piped.stdout), (1, given.stdout), "{format}");
    }
}

#[test]
fn fail_on_advice_is_the_exit_code_of_every_format() {
    let Some(dir) = crate::raw::judged() else { return };
    for format in FORMATS {
        for (level, code) in [("error", 0), ("advice", 1)] {
            let ran = ran(dir.path(), &["check", "--format", format, "--fail-on", level, "raw/advised.mov"]);
            assert_eq!(ran.code, code, "{format} {level}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_device_is_written_to_and_not_replaced() {
    use std::os::unix::fs::FileTypeExt as _;
    let Some(dir) = raw() else { return };
    assert_eq!(ran(dir.path(), &["check", "--format", "json", "-o", "/dev/null", "raw/fits.mp4"]).code, 0);
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let shown = ran(dir.path(), &["check", "--format", "json", "-o", "/dev/stdout", "raw/fits.mp4"]);
    assert!(serde_json::from_str::<serde_json::Value>(&shown.stdout).is_ok(), "{}", shown.stdout);
}

/// The worker is a script that says when it was begun and ends when it is told to, so that the interruption comes in
/// the middle of the first of two videos.
#[cfg(unix)]
#[test]
fn an_interrupted_report_gets_no_name() {
    use std::os::unix::fs::PermissionsExt as _;
    for format in FORMATS {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("raw")).unwrap();
        for name in ["a.mkv", "b.mkv"] {
            std::fs::write(dir.path().join("raw").join(name), b"\x1A\x45\xDF\xA3 Matroska by its first bytes").unwrap();
        }
        let worker = dir.path().join("worker");
        std::fs::write(&worker, "#!/bin/sh\necho >begun\nwhile [ ! -e go ]; do sleep 0.02; done\n").unwrap();
        std::fs::set_permissions(&worker, std::fs::Permissions::from_mode(0o755)).unwrap();
        let before = std::fs::read_dir(dir.path()).unwrap().count();

        let mut command = Command::new(env!("CARGO_BIN_EXE_pinpress"));
        command.args(["check", "--jobs", "1", "--format", format, "-o", "report", "raw"]).current_dir(dir.path());
        command.env("PINPRESS_MEDIA", &worker).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        while !dir.path().join("begun").exists() {
            std::thread::yield_now();
        }
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert!(line.contains("stopping"), "{line}");
        std::fs::write(dir.path().join("go"), b"").unwrap();
        let rest: Vec<String> = said.lines().map(Result::unwrap).collect();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{format}");
        assert!(
            rest.iter().any(|line| line.contains("interrupted after 1 of 2 videos; not written: report")),
            "{rest:?}"
        );
        let after = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(after, before + 2, "{format}: only `begun` and `go` came, no report and no temp file");
    }
}
