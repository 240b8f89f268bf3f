//! A disk that cannot read all of a source.

use std::process::Command;

use super::ground::{Ground, ran};

/// Which of the reads of each thread fails: one time and never again, as with a bad cable, or all from then on, as with
/// a bad disk.
const WHEN: [&str; 6] = ["2", "6", "9", "14", "6+", "14+"];

#[test]
fn a_read_that_fails_is_told_as_such_and_has_no_output() {
    if !Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success()) {
        println!("skipped: strace is missing or may not trace");
        return;
    }
    let Some(ground) = Ground::new() else { return };
    // To be encoded, remuxed and copied as they are, by demuxers that take a failed read for other things.
    for (name, size) in [("encode.mp4", "480x270"), ("remux.mkv", "270x480"), ("fits.mp4", "270x480")] {
        let source = ground.clip(name, size, 6, 25);
        let before = std::fs::read(&source).unwrap();
        let out = ground.at("out");
        for when in WHEN {
            let log = ground.at("strace");
            let mut command = Command::new("strace");
            command.args(["-f", "-qq", "-o"]).arg(&log).arg("-P").arg(&source);
            command.args(["-e", "trace=read,pread64,copy_file_range", "-e"]);
            command.arg(format!("inject=read,pread64,copy_file_range:error=EIO:when={when}"));
            let fix = ground.pinpress(&["fix", "--preset", "ultrafast", "-o"]);
            command.arg(fix.get_program()).args(fix.get_args()).arg(&out).arg(&source);
            command.env("PINPRESS_MEDIA", ground.at("pinpress-media"));
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            let said = ran(&mut command);
            let failed = std::fs::read_to_string(&log).unwrap().contains("(INJECTED)");
            // What is copied as it is takes few reads.
            if !failed && name == "fits.mp4" {
                assert_eq!(said.code, Some(0), "{said:?}");
                std::fs::remove_dir_all(&out).unwrap();
                continue;
            }
            assert!(failed, "nothing failed in {name} at {when}: {said:?}");
            assert_eq!(said.code, Some(1), "{name} at {when}: {said:?}");
            assert!(said.stdout.contains("Input/output error"), "{name} at {when}: {said:?}");
            assert!(Ground::names(&out).is_empty(), "{name} at {when}: {:?}", Ground::names(&out));
        }
        assert_eq!(std::fs::read(&source).unwrap(), before);
    }
}
