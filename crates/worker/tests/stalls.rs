//! Jobs that stop getting on, as over a disk that hangs.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pinpress_media::{Failure, FailureKind, Fix, FixOptions, Fixed, Observer, Progress, Stage, Workers, WorkersConfig};
use pinpress_probe::Spec;
use rustix::process::{Pid, Signal, kill_process};

/// Address spaces of their own number, by which the workers of a test are told from others.
const MARKS: [u64; 2] = [3_900_000_011, 3_900_000_013];

fn clip(path: &Path) {
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=1280x720:d=6:r=25"])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"])
        .arg(path)
        .status();
    assert!(done.unwrap().success());
}

fn fix(workers: &Workers, source: &Path, output: &Path, observer: &dyn Observer) -> Result<Fixed, Failure> {
    let info = workers.probe(source, &())?;
    let spec = Spec::load("pinterest").unwrap();
    let options = FixOptions { preset: "ultrafast".to_owned(), threads: 1, ..FixOptions::default() };
    workers.fix(Fix { source, info: &info, spec: &spec, options: &options, output, part: None }, observer)
}

/// Stops every process of the one worker with this mark, as if its disk hung, at the first sign of an encode.
struct Hang {
    mark: u64,
    struck: AtomicBool,
}

impl Hang {
    const fn new(mark: u64) -> Self {
        Self { mark, struck: AtomicBool::new(false) }
    }

    fn struck(&self) -> bool {
        self.struck.load(Ordering::SeqCst)
    }
}

impl Observer for Hang {
    fn progress(&self, progress: Progress) {
        if progress.stage != Stage::Encoding || self.struck() {
            return;
        }
        let mark = self.mark.to_string();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let number = entry.file_name().into_string().ok().and_then(|name| name.parse().ok());
            if line.split(|&byte| byte == 0).any(|argument| argument == mark.as_bytes())
                && let Some(process) = number.and_then(Pid::from_raw)
            {
                let _ = kill_process(process, Signal::STOP);
            }
        }
        self.struck.store(true, Ordering::SeqCst);
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn a_job_that_gets_no_further_is_stopped_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("a.mkv");
    clip(&source);
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let mut config = WorkersConfig::new(PathBuf::from(env!("CARGO_BIN_EXE_pinpress-media")));
    (config.max_workers, config.memory_limit_bytes, config.stall) = (2, MARKS[0], Duration::from_secs(5));
    let workers = Workers::new(config);

    let hang = Hang::new(MARKS[0]);
    let failure = fix(&workers, &source, &out.join("hung.mp4"), &hang).unwrap_err();
    assert!(hang.struck(), "it never encoded: {failure:?}");
    assert_eq!(failure.kind, FailureKind::Stalled, "{failure:?}");
    assert!(failure.message.contains("no progress for 5 s"), "{failure}");
    assert!(names(&out).is_empty(), "{:?}", names(&out));

    let fixed = fix(&workers, &source, &out.join("next.mp4"), &()).unwrap();
    assert!(fixed.report.passes());
    assert_eq!(names(&out), ["next.mp4"]);
}

#[test]
fn a_job_that_hangs_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("a.mkv");
    clip(&source);
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let mut config = WorkersConfig::new(PathBuf::from(env!("CARGO_BIN_EXE_pinpress-media")));
    (config.max_workers, config.memory_limit_bytes, config.stall) = (2, MARKS[1], Duration::from_secs(8));
    let workers = Workers::new(config);
    let hang = Hang::new(MARKS[1]);
    let fixed = std::thread::scope(|scope| {
        let hung = scope.spawn(|| fix(&workers, &source, &out.join("hung.mp4"), &hang));
        while !hang.struck() {
            assert!(!hung.is_finished(), "it never encoded");
            std::thread::sleep(Duration::from_millis(5));
        }
        let fixed = fix(&workers, &source, &out.join("next.mp4"), &());
        assert_eq!(hung.join().unwrap().unwrap_err().kind, FailureKind::Stalled);
        fixed
    });
    assert!(fixed.unwrap().report.passes());
    assert_eq!(names(&out), ["next.mp4"]);
}
