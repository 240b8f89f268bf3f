//! Fixes through the real client and the real worker: what comes out, what is left when the worker is killed.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use pinpress_media::{
    Action, Failure, FailureKind, Fix, FixOptions, Fixed, LinkMode, Observer, Progress, Stage, Workers, WorkersConfig,
};
use pinpress_probe::Spec;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

fn workers(memory_limit_bytes: u64) -> Workers {
    let mut config = WorkersConfig::new(PathBuf::from(env!("CARGO_BIN_EXE_pinpress-media")));
    (config.max_workers, config.memory_limit_bytes) = (1, memory_limit_bytes);
    Workers::new(config)
}

/// A source and an output folder.
struct Bench {
    folder: TempDir,
    spec: Spec,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("out")).unwrap();
        Self { folder, spec: Spec::load("pinterest").unwrap() }
    }

    fn clip(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let path = self.folder.path().join(name);
        let done =
            Command::new("ffmpeg").args(["-v", "error", "-nostdin"]).args(arguments).arg(&path).status().unwrap();
        assert!(done.success());
        path
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("out/a.mp4")
    }

    fn fix(&self, workers: &Workers, source: &Path, link: LinkMode, observer: &dyn Observer) -> Result<Fixed, Failure> {
        let info = workers.probe(source, &())?;
        let options = FixOptions { preset: "ultrafast".to_owned(), link, threads: 2, ..FixOptions::default() };
        workers.fix(
            Fix { source, info: &info, spec: &self.spec, options: &options, output: &self.output(), part: None },
            observer,
        )
    }

    fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join("out")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

const FITS: [&str; 12] = [
    "-f",
    "lavfi",
    "-i",
    "testsrc2=s=270x480:d=5:r=25",
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
    "-movflags",
    "+faststart",
];

const WIDE: [&str; 10] = [
    "-f",
    "lavfi",
    "-i",
    "testsrc2=s=640x360:d=5:r=25",
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
];

#[test]
fn a_wide_video_becomes_a_tall_one_behind_the_walls() {
    let bench = Bench::new();
    let source = bench.clip("a.mkv", &WIDE);
    let before = std::fs::read(&source).unwrap();
    let fixed = bench.fix(&workers(4 << 30), &source, LinkMode::Copy, &()).unwrap();
    assert_eq!(fixed.plan.action, Action::Encode);
    assert!(fixed.report.passes() && fixed.frames_decoded >= 125, "{fixed:?}");
    assert_eq!(bench.left(), ["a.mp4"]);
    assert_eq!(std::fs::read(&source).unwrap(), before, "the source was touched");
}

#[test]
fn what_fits_gets_a_second_name_when_that_is_asked_for() {
    let bench = Bench::new();
    let source = bench.clip("a.mp4", &FITS);
    let workers = workers(4 << 30);
    let inode = |path: &Path| std::fs::metadata(path).unwrap().ino();
    let linked = bench.fix(&workers, &source, LinkMode::Hard, &()).unwrap();
    assert_eq!(linked.plan.action, Action::Passthrough);
    assert_eq!(inode(&bench.output()), inode(&source));

    let again = bench.fix(&workers, &source, LinkMode::Copy, &()).unwrap_err();
    assert_eq!(again.kind, FailureKind::OutputExists);
    std::fs::remove_file(bench.output()).unwrap();
    bench.fix(&workers, &source, LinkMode::Copy, &()).unwrap();
    assert_ne!(inode(&bench.output()), inode(&source));
    assert_eq!(std::fs::read(bench.output()).unwrap(), std::fs::read(&source).unwrap());
}

#[test]
fn a_plan_names_the_encoder_that_is_used_and_one_that_is_not_here_is_refused() {
    use pinpress_media::{Encoder, EncoderState, VideoStep};
    let bench = Bench::new();
    let source = bench.clip("a.mkv", &WIDE);
    let workers = workers(4 << 30);
    let about = workers.about().unwrap();
    let info = workers.probe(&source, &()).unwrap();
    let plan = |encoder| {
        let options = FixOptions { encoder, ..FixOptions::default() };
        workers.plan(&source, &info, &bench.spec, &options, &()).map(|plans| match plans[0].video.clone() {
            Some(VideoStep::Encode(encode)) => encode.encoder,
            other => panic!("no encode: {other:?}"),
        })
    };
    let default = about.video_encoders.iter().find(|entry| entry.state == EncoderState::Default).unwrap();
    assert_eq!(plan(Encoder::Auto), Ok(default.encoder));
    for entry in &about.video_encoders {
        match &entry.state {
            EncoderState::Default | EncoderState::Usable => assert_eq!(plan(entry.encoder), Ok(entry.encoder)),
            EncoderState::CannotOpen(_) | EncoderState::NotCompiledIn => {
                let failure = plan(entry.encoder).unwrap_err();
                assert_eq!(failure.kind, FailureKind::Encoder);
                assert!(
                    failure.message.contains(&entry.name) && failure.message.contains("--encoder auto"),
                    "{failure}"
                );
            }
        }
    }
}

/// Kills the worker with this memory limit at the first sign of an encode.
struct KillAtEncode {
    memory_limit: u64,
    struck: AtomicBool,
    left_at_the_time: std::sync::Mutex<Vec<String>>,
    bench: Bench,
}

impl Observer for KillAtEncode {
    fn progress(&self, progress: Progress) {
        if progress.stage != Stage::Encoding || self.struck.swap(true, Ordering::SeqCst) {
            return;
        }
        *self.left_at_the_time.lock().unwrap() = self.bench.left();
        let mark = self.memory_limit.to_string();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let is_ours = line.split(|&byte| byte == 0).any(|argument| argument == mark.as_bytes());
            let number = entry.file_name().into_string().ok().and_then(|name| name.parse().ok());
            if let (true, Some(pid)) = (is_ours, number.and_then(Pid::from_raw)) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

#[test]
fn a_worker_killed_in_mid_encode_leaves_nothing_and_the_next_fix_succeeds() {
    let bench = Bench::new();
    let slow =
        bench.clip("slow.mkv", &["-f", "lavfi", "-i", "testsrc2=s=1280x720:d=20:r=25", "-c:v", "mpeg4", "-q:v", "5"]);
    let killer = KillAtEncode {
        memory_limit: 3_900_000_007,
        struck: AtomicBool::new(false),
        left_at_the_time: std::sync::Mutex::default(),
        bench,
    };
    let workers = workers(killer.memory_limit);
    let failure = killer.bench.fix(&workers, &slow, LinkMode::Copy, &killer).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Crashed, "{failure:?}");
    let during = killer.left_at_the_time.lock().unwrap().clone();
    let aside = during.len() == 1 && during[0].ends_with(".pinpress-tmp");
    assert!(aside, "it does not write in a folder of its own: {during:?}");
    assert!(killer.bench.left().is_empty(), "{:?}", killer.bench.left());

    let source = killer.bench.clip("a.mkv", &WIDE);
    assert!(killer.bench.fix(&workers, &source, LinkMode::Copy, &()).is_ok());
    assert_eq!(killer.bench.left(), ["a.mp4"]);
}
