//! The client against a worker that crashes, hangs and talks nonsense on request.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pinpress_media::{
    CoverOptions, Failure, FailureKind, Observer, PictureFiles, PictureFormat, Progress, Stage, Workers, WorkersConfig,
    temp_name,
};
use pinpress_probe::{DeepReader as _, ProbeError};

fn workers(change: impl FnOnce(&mut WorkersConfig)) -> Workers {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake-worker.sh");
    let mut config = WorkersConfig::new(program);
    config.max_workers = 1;
    change(&mut config);
    Workers::new(config)
}

fn ask(workers: &Workers, name: &str, observer: &dyn Observer) -> Failure {
    let source = Path::new("/nowhere").join(name);
    workers.probe(&source, observer).expect_err("the fake worker knows no video")
}

/// The process that answers: its number and its arguments.
fn identity(workers: &Workers) -> String {
    workers.about().unwrap().version
}

#[derive(Default)]
struct Notes {
    progress: Mutex<Vec<Progress>>,
    warnings: Mutex<Vec<String>>,
    stop_at_first: bool,
    stopped: AtomicBool,
}

impl Observer for Notes {
    fn progress(&self, progress: Progress) {
        self.progress.lock().unwrap().push(progress);
        self.stopped.store(self.stop_at_first, Ordering::SeqCst);
    }

    fn warning(&self, message: &str) {
        self.warnings.lock().unwrap().push(message.to_owned());
        self.stopped.store(self.stop_at_first, Ordering::SeqCst);
    }

    fn cancelled(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}

#[test]
fn one_worker_serves_many_requests_and_has_its_limit() {
    let workers = workers(|config| {
        config.memory_limit_bytes = 123_456;
        config.threads = 3;
        config.nice = 7;
    });
    let first = identity(&workers);
    assert!(first.ends_with(" --memory-limit 123456 --threads 3 --nice 7"), "{first}");
    assert_eq!(ask(&workers, "a", &()).kind, FailureKind::NotAVideo);
    assert_eq!(identity(&workers), first, "the worker did not stay warm");
}

#[test]
fn a_worker_that_served_its_requests_is_replaced() {
    let workers = workers(|config| config.requests_per_worker = NonZeroU32::new(3).unwrap());
    let seen: Vec<String> = (0..7).map(|_| identity(&workers)).collect();
    assert!(seen[0] == seen[2] && seen[3] == seen[5], "{seen:?}");
    assert!(seen[2] != seen[3] && seen[5] != seen[6], "{seen:?}");
    // It is gone, not just left alone.
    let number = seen[0].split(' ').next().unwrap();
    assert!(!Path::new("/proc").join(number).join("fd").exists() || !cfg!(target_os = "linux"), "{number} lives");
}

#[test]
fn what_fits_no_memory_together_runs_one_after_the_other() {
    let workers = workers(|config| {
        config.max_workers = 2;
        config.memory_budget_bytes = Some(1);
    });
    let mut seen = std::collections::BTreeSet::new();
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..6).map(|_| scope.spawn(|| identity(&workers))).collect();
        seen.extend(asking.into_iter().map(|asked| asked.join().unwrap()));
    });
    // A second worker was never needed.
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn a_worker_that_dies_costs_one_request() {
    for (name, message) in [("segfault", "died by SIGSEGV"), ("exit3", "ended with exit code 3")] {
        let workers = workers(|_| {});
        let first = identity(&workers);
        let failure = ask(&workers, name, &());
        assert_eq!(failure.kind, FailureKind::Crashed, "{name}");
        assert!(failure.message.contains(message), "{name}: {}", failure.message);
        assert_ne!(identity(&workers), first, "{name}: a dead worker answered");
        if name == "segfault" {
            assert!(failure.log.iter().any(|line| line == "the last words"), "{:?}", failure.log);
        }
    }
}

#[test]
fn what_libav_said_of_a_video_is_known_however_its_job_ends() {
    let of = |name: &str| {
        let workers = workers(|config| config.stall = Duration::from_millis(300));
        ask(&workers, name, &()).log
    };
    let told = ["[h264] error 1", "[h264] error 2", "[h264] error 3"];
    for name in ["told/job", "told/stalls", "told/else"] {
        assert_eq!(of(name), told, "{name}");
    }
    assert_eq!(of("told/worker"), [&told[..], &["the last words"]].concat());
    let much = of("much-told");
    assert_eq!((much.len(), much[0].as_str(), much[49].as_str()), (50, "[h264] error 151", "[h264] error 200"));
}

#[test]
fn nonsense_ends_the_worker() {
    for (name, sign) in [("garbage", "hello there"), ("half", "event"), ("endless", "more than")] {
        let workers = workers(|_| {});
        let first = identity(&workers);
        let failure = ask(&workers, name, &());
        assert_eq!(failure.kind, FailureKind::Protocol, "{name}");
        assert!(failure.message.contains(sign), "{name}: {}", failure.message);
        assert!(failure.message.len() < 400, "{name}: the message holds the nonsense");
        assert_ne!(identity(&workers), first, "{name}: the worker was kept");
    }
}

#[test]
fn an_answer_to_another_question_is_no_answer() {
    let failure = ask(&workers(|_| {}), "wrong", &());
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert!(failure.message.contains("different versions"), "{}", failure.message);
}

#[test]
fn warnings_do_not_feed_the_watchdog() {
    let workers = workers(|config| config.stall = Duration::from_secs(1));
    let notes = Notes::default();
    let failure = ask(&workers, "stall", &notes);
    assert_eq!(failure.kind, FailureKind::Stalled);
    assert_eq!(notes.progress.lock().unwrap().len(), 1);
    assert!(notes.warnings.lock().unwrap().iter().any(|warning| warning == "busy"));
    assert_eq!(ask(&workers, "a", &()).kind, FailureKind::NotAVideo);
}

#[test]
fn progress_feeds_the_watchdog() {
    let workers = workers(|config| config.stall = Duration::from_secs(2));
    let notes = Notes::default();
    // Six steps of half a second: longer than the watchdog in all, far from it between two.
    assert_eq!(ask(&workers, "slow", &notes).kind, FailureKind::NotAVideo);
    let progress = notes.progress.lock().unwrap();
    assert_eq!(progress.iter().map(|progress| progress.done_ms).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(progress[0].stage, Stage::Probing);
}

#[test]
fn progress_without_end_ends_at_the_wall() {
    let workers = workers(|config| config.wall = Duration::from_secs(1));
    let notes = Notes::default();
    let failure = ask(&workers, "for-ever", &notes);
    assert_eq!(failure.kind, FailureKind::Endless);
    assert!(failure.message.contains("not done after 1 s"), "{}", failure.message);
    assert!(notes.progress.lock().unwrap().len() > 1);
    // Such a video is not tried again: it would take as long again.
    assert!(!workers.read(Path::new("/nowhere/for-ever")).unwrap_err().to_string().contains("set aside"));
    assert_eq!(ask(&workers, "a", &()).kind, FailureKind::NotAVideo);
}

#[test]
fn a_worker_that_reads_no_more_stalls() {
    let workers = workers(|config| config.stall = Duration::from_millis(200));
    assert_eq!(ask(&workers, "deaf", &()).kind, FailureKind::Stalled);
}

#[test]
fn a_cancelled_request_takes_the_whole_group_with_it() {
    let workers = workers(|_| {});
    let notes = Notes { stop_at_first: true, ..Notes::default() };
    assert_eq!(ask(&workers, "child", &notes).kind, FailureKind::Cancelled);
    let grandchild = notes.warnings.lock().unwrap()[0].clone();
    let stat = Path::new("/proc").join(&grandchild).join("stat");
    let lives = || {
        let state = std::fs::read_to_string(&stat).unwrap_or_default();
        state.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['R', 'S', 'D', 'T']))
    };
    // A killed process closes its files, which the client waits for, a moment before the system calls it dead.
    let patience = Instant::now();
    while lives() && patience.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!lives(), "process {grandchild} outlived its worker");
}

#[test]
fn who_is_cancelled_before_a_worker_is_free_does_not_wait() {
    let workers = workers(|_| {});
    let busy = Notes { stop_at_first: true, ..Notes::default() };
    let gone = Notes { stopped: AtomicBool::new(true), ..Notes::default() };
    std::thread::scope(|scope| {
        scope.spawn(|| ask(&workers, "child", &busy));
        assert_eq!(ask(&workers, "a", &gone).kind, FailureKind::Cancelled);
    });
}

#[test]
fn calls_from_many_threads_share_two_workers() {
    let workers = workers(|config| config.max_workers = 2);
    let seen = Mutex::new(std::collections::BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    seen.lock().unwrap().insert(identity(&workers));
                }
            });
        }
    });
    let seen = seen.into_inner().unwrap();
    assert!((1..=2).contains(&seen.len()), "{seen:?}");
}

#[test]
fn a_worker_that_cannot_start_is_a_clear_failure() {
    let workers = workers(|config| config.program = PathBuf::from("/nowhere/pinpress-media"));
    for _ in 0..2 {
        let failure = workers.about().unwrap_err();
        assert_eq!(failure.kind, FailureKind::Protocol);
        assert!(failure.message.contains("/nowhere/pinpress-media"), "{}", failure.message);
    }
}

#[test]
fn temp_files_of_a_dead_job_are_removed_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("clip.jpg");
    let options = CoverOptions {
        count: 1,
        at: None,
        pictures: Some(PictureFiles {
            folder: folder.path().into(),
            stem: Path::new("clip").into(),
            format: PictureFormat::Jpeg,
            max_side: None,
        }),
        contact_sheet: None,
        overwrite: false,
    };
    let (mine, other) = (temp_name(&output, 1), temp_name(&folder.path().join("other.jpg"), 1));
    for file in [&mine, &other] {
        std::fs::write(file, "half a picture").unwrap();
    }
    let failure = workers(|_| {}).cover(Path::new("/nowhere/segfault"), &options, &()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Crashed);
    assert!(!mine.exists() && other.exists());
}

#[test]
fn the_worker_gets_no_secret_from_the_environment() {
    let notes = Notes::default();
    ask(&workers(|_| {}), "environment", &notes);
    let seen = notes.warnings.lock().unwrap()[0].clone();
    assert!(seen.contains("PATH="), "{seen}");
    // Cargo sets this one for every test: it stands for all that the front's environment holds.
    assert!(!seen.contains("CARGO_MANIFEST_DIR"), "{seen}");
}

#[test]
fn failures_become_probe_errors() {
    let workers = workers(|_| {});
    let read = |name: &str| workers.read(&Path::new("/nowhere").join(name)).unwrap_err();
    assert!(matches!(read("a"), ProbeError::NotAVideo { reason, .. } if reason == "as asked"));
    assert!(matches!(read("exit3"), ProbeError::Reader { reason, .. } if reason.contains("exit code 3")));
}

#[test]
fn a_video_that_kills_three_workers_is_set_aside_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let videos = folder.path().join("dies-over");
    std::fs::create_dir(&videos).unwrap();
    let workers = workers(|_| {});
    let read = |name: &str| workers.read(&videos.join(name)).unwrap_err();
    let deaths = |name: &str| std::fs::read_to_string(videos.join(name)).unwrap().lines().count();
    let error = read("always");
    let sign = "set aside after 3 attempts: the media worker died by SIGSEGV";
    assert!(matches!(&error, ProbeError::Reader { reason, .. } if reason == sign), "{error}");
    assert_eq!(deaths("always.deaths"), 3);
    // One that dies twice has its answer the third time, and others never knew.
    assert!(matches!(read("twice"), ProbeError::NotAVideo { .. }));
    assert_eq!(deaths("twice.deaths"), 3);
    assert!(matches!(workers.read(Path::new("/nowhere/a")).unwrap_err(), ProbeError::NotAVideo { .. }));
}

#[test]
fn a_video_that_stalls_is_set_aside() {
    let workers = workers(|config| config.stall = Duration::from_millis(100));
    let error = workers.read(Path::new("/nowhere/deaf")).unwrap_err();
    assert!(error.to_string().contains("set aside after 3 attempts: no progress"), "{error}");
}
