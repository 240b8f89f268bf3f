//! The real worker behind the real client: good files, broken ones, and workers that are killed at their work.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pinpress_media::{
    CoverOptions, Failure, FailureKind, Observer, PictureFiles, PictureFormat, Request, Workers, WorkersConfig,
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const WORKER: &str = env!("CARGO_BIN_EXE_pinpress-media");

fn workers(change: impl FnOnce(&mut WorkersConfig)) -> Workers {
    let mut config = WorkersConfig::new(PathBuf::from(WORKER));
    config.max_workers = 1;
    change(&mut config);
    Workers::new(config)
}

fn clip(folder: &TempDir, name: &str, seconds: u32) -> PathBuf {
    let path = folder.path().join(name);
    let graph = format!("testsrc2=s=160x240:d={seconds}:r=25");
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", &graph, "-c:v", "libx264", "-preset", "ultrafast"])
        .args(["-pix_fmt", "yuv420p", "-g", "25"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(done.success());
    path
}

fn cover_options(folder: &Path) -> CoverOptions {
    let pictures = PictureFiles {
        folder: folder.into(),
        stem: Path::new("cover").into(),
        format: PictureFormat::Jpeg,
        max_side: None,
    };
    let sheet = folder.join("sheet.png");
    CoverOptions {
        count: 2,
        at: None,
        pictures: Some(pictures),
        contact_sheet: Some(sheet.as_path().into()),
        overwrite: false,
    }
}

/// The processes that `parent` has started and that still run.
fn children(parent: u32) -> Vec<u32> {
    let mut children = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{parent}/task")).unwrap().flatten() {
        let listed = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.extend(listed.split_whitespace().filter_map(|number| number.parse::<u32>().ok()));
    }
    children
}

fn kill(process: u32, signal: Signal) {
    let _ = kill_process(Pid::from_raw(i32::try_from(process).unwrap()).unwrap(), signal);
}

/// Kills the worker of this test, or its job, as soon as the job is at work. The worker is told apart from those of
/// other tests by its memory limit, which is in its arguments.
struct Killer {
    memory_limit: u64,
    job: Option<Signal>,
    struck: AtomicBool,
}

impl Killer {
    fn new(memory_limit: u64, job: Option<Signal>) -> Self {
        Self { memory_limit, job, struck: AtomicBool::new(false) }
    }

    fn worker(&self) -> Option<u32> {
        let mark = self.memory_limit.to_string();
        children(std::process::id()).into_iter().find(|&child| {
            let line = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            line.split(|&byte| byte == 0).any(|argument| argument == mark.as_bytes())
        })
    }
}

impl Observer for Killer {
    fn cancelled(&self) -> bool {
        let Some(worker) = self.worker() else { return false };
        let jobs = children(worker);
        // A child is the job once it is detached from the protocol: its standard input is empty.
        let job = jobs.into_iter().find(|job| {
            std::fs::read_link(format!("/proc/{job}/fd/0")).is_ok_and(|input| input == Path::new("/dev/null"))
        });
        if let Some(job) = job
            && !self.struck.swap(true, Ordering::SeqCst)
        {
            match self.job {
                Some(signal) => kill(job, signal),
                None => kill(worker, Signal::KILL),
            }
        }
        false
    }
}

/// The priority of a job of the worker with this memory limit, as the system has it.
struct Priority {
    killer: Killer,
    seen: std::sync::Mutex<Vec<i32>>,
}

impl Observer for Priority {
    fn progress(&self, _: pinpress_media::Progress) {
        for job in self.killer.worker().map(children).unwrap_or_default() {
            let pid = Pid::from_raw(i32::try_from(job).unwrap());
            self.seen.lock().unwrap().extend(rustix::process::getpriority_process(pid));
        }
    }
}

/// A clip whose cover takes a second or more, as every frame must be decoded: twenty times as long as the killer
/// sleeps between two looks.
fn long_clip(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("long.mp4");
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=640x480:d=60:r=25", "-c:v", "libx264"])
        .args(["-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "100000", "-sc_threshold", "0"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(done.success());
    path
}

fn rank(workers: &Workers, source: &Path, observer: &dyn Observer) -> Failure {
    let options = CoverOptions { count: 1, at: None, pictures: None, contact_sheet: None, overwrite: false };
    workers.cover(source, &options, observer).unwrap_err()
}

#[test]
fn it_says_what_it_is() {
    let about = workers(|_| {}).about().unwrap();
    assert_eq!(about.version, env!("CARGO_PKG_VERSION"));
    assert!(about.libraries.iter().any(|library| library.starts_with("libavcodec ")), "{:?}", about.libraries);
    assert!(about.encoders.iter().any(|encoder| encoder == "libx264"), "{:?}", about.encoders);
    for wall in ["address space 4096 MiB", "dies with its parent", "seccomp"] {
        assert!(about.sandbox.iter().any(|stands| stands.starts_with(wall)), "{wall}: {:?}", about.sandbox);
    }
}

#[test]
fn facts_and_covers_come_through_the_walls() {
    let folder = tempfile::tempdir().unwrap();
    let source = clip(&folder, "a.mp4", 3);
    let workers = workers(|_| {});
    let info = workers.probe(&source, &()).unwrap();
    let video = info.primary_video().unwrap();
    assert_eq!((video.coded.width, video.coded.height), (160, 240));
    assert_eq!(info.duration.map(|duration| duration.millis()), Some(3_000));

    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let covers = workers.cover(&source, &cover_options(&out), &()).unwrap();
    let file = PathBuf::from(covers.candidates[0].file.as_ref().unwrap());
    assert_eq!(file, out.join("cover.1.jpg"));
    assert!(std::fs::read(file).unwrap().starts_with(&[0xff, 0xd8, 0xff]), "no JPEG");
    assert!(std::fs::read(out.join("sheet.png")).unwrap().starts_with(b"\x89PNG"), "no PNG");

    let again = workers.cover(&source, &cover_options(&out), &()).unwrap_err();
    assert_eq!(again.kind, FailureKind::OutputExists);
}

#[test]
fn what_is_no_video_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let workers = workers(|_| {});
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let noise: Vec<u8> =
        (0..100_000_u32).map(|at| u8::try_from(at.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
    let text = file("text.mp4", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n");
    for path in [file("noise.mp4", &noise), text, file("empty.mp4", b"")] {
        let failure = workers.probe(&path, &()).unwrap_err();
        let kinds = [FailureKind::NotAVideo, FailureKind::Corrupt, FailureKind::Incomplete];
        assert!(kinds.contains(&failure.kind), "{}: {failure:?}", path.display());
        let failure = workers.cover(&path, &cover_options(folder.path()), &()).unwrap_err();
        assert!(kinds.contains(&failure.kind), "{}: {failure:?}", path.display());
    }
    let gone = workers.probe(&folder.path().join("gone.mp4"), &()).unwrap_err();
    assert_eq!(gone.kind, FailureKind::Io, "{gone:?}");
    let a_folder = workers.probe(folder.path(), &()).unwrap_err();
    assert!(!a_folder.message.is_empty(), "{a_folder:?}");
}

#[test]
fn jobs_give_way_to_other_programs_as_far_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let long = long_clip(&folder);
    let own = rustix::process::getpriority_process(None).unwrap();
    let workers = workers(|config| {
        config.memory_limit_bytes = 3_000_000_004;
        config.nice = 3;
    });
    let watch = Priority { killer: Killer::new(3_000_000_004, None), seen: std::sync::Mutex::default() };
    let options = CoverOptions { count: 1, at: None, pictures: None, contact_sheet: None, overwrite: false };
    workers.cover(&long, &options, &watch).unwrap();
    let seen = watch.seen.into_inner().unwrap();
    assert!(!seen.is_empty() && seen.iter().all(|nice| *nice == (own + 3).min(19)), "{own}: {seen:?}");
}

#[test]
fn a_worker_killed_at_its_work_costs_that_video_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (good, long) = (clip(&folder, "a.mp4", 1), long_clip(&folder));
    let workers = workers(|config| config.memory_limit_bytes = 3_000_000_001);
    let failure = rank(&workers, &long, &Killer::new(3_000_000_001, None));
    assert_eq!(failure.kind, FailureKind::Crashed, "{failure:?}");
    assert!(failure.message.contains("SIGKILL"), "{}", failure.message);
    assert!(workers.probe(&good, &()).is_ok());
}

#[test]
fn a_job_that_dies_is_told_by_its_signal_and_the_worker_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let (good, long) = (clip(&folder, "a.mp4", 1), long_clip(&folder));
    let workers = workers(|config| config.memory_limit_bytes = 3_000_000_002);
    let killer = Killer::new(3_000_000_002, Some(Signal::ILL));
    let failure = rank(&workers, &long, &killer);
    assert_eq!(failure.kind, FailureKind::Crashed, "{failure:?}");
    assert!(failure.message.contains("SIGILL"), "{}", failure.message);
    let worker = killer.worker().unwrap();
    assert!(workers.probe(&good, &()).is_ok());
    assert_eq!(killer.worker(), Some(worker), "the worker was thrown away");
}

#[test]
fn a_job_that_hangs_is_stopped_and_its_process_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let long = long_clip(&folder);
    let workers = workers(|config| {
        config.memory_limit_bytes = 3_000_000_003;
        config.stall = Duration::from_secs(2);
    });
    let killer = Killer::new(3_000_000_003, Some(Signal::STOP));
    assert_eq!(rank(&workers, &long, &killer).kind, FailureKind::Stalled);
    assert_eq!(killer.worker(), None, "the worker was kept");
    assert!(workers.about().is_ok());
}

#[test]
fn too_little_memory_is_a_failure_with_words() {
    let folder = tempfile::tempdir().unwrap();
    let source = clip(&folder, "a.mp4", 1);
    // Less than the libraries take by themselves: nothing can be allocated any more.
    let workers = workers(|config| config.memory_limit_bytes = 16 << 20);
    let failure = workers.cover(&source, &cover_options(folder.path()), &()).unwrap_err();
    assert!(!failure.message.is_empty(), "{failure:?}");
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["a.mp4"], "something was left over");
}

#[test]
fn every_broken_clip_has_an_answer_and_none_takes_the_worker_along() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/media/malformed");
    if !folder.is_dir() {
        println!("skipped: no broken videos in {}", folder.display());
        return;
    }
    let workers = workers(|_| {});
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if let Err(failure) = workers.probe(&path, &()) {
            assert!(!failure.message.is_empty(), "{}", path.display());
            assert_ne!(failure.kind, FailureKind::Crashed, "{failure:?}: {}", path.display());
        }
    }
    assert!(workers.about().is_ok());
}

/// Runs the worker as a program with `input` on its standard input, which then ends.
fn program(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(WORKER)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn by_hand_it_tells_that_pinpress_starts_it() {
    let (code, out, _) = program(&["--help"], "");
    assert_eq!(code, Some(0));
    assert!(out.contains("pinpress, which starts it"), "{out}");
    let (code, out, _) = program(&["--version"], "");
    assert_eq!((code, out.as_str()), (Some(0), concat!("pinpress-media ", env!("CARGO_PKG_VERSION"), "\n")));
    let (code, _, error) = program(&["--serve"], "");
    assert_eq!(code, Some(2));
    assert!(error.contains("--help"), "{error}");
}

#[test]
fn a_line_that_is_no_request_is_answered_and_the_next_one_served() {
    let (code, out, _) = program(&[], "{\"request\":\"dance\"}\n\n{\"request\":\"about\"}\n");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((code, lines.len()), (Some(0), 2), "{out}");
    assert!(lines[0].contains("\"protocol\"") && lines[0].contains("dance"), "{}", lines[0]);
    assert!(lines[1].contains("\"about\""), "{}", lines[1]);
}

#[test]
fn a_job_that_nobody_waits_for_is_stopped() {
    use std::io::{BufRead as _, BufReader};

    let folder = tempfile::tempdir().unwrap();
    let source = long_clip(&folder);
    let options = CoverOptions { count: 1, at: None, pictures: None, contact_sheet: None, overwrite: false };
    let request = Request::Cover { source: source.as_path().into(), options };
    let mut worker =
        Command::new(WORKER).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut requests, mut events) = (worker.stdin.take().unwrap(), BufReader::new(worker.stdout.take().unwrap()));
    writeln!(requests, "{}", serde_json::to_string(&request).unwrap()).unwrap();
    let mut line = String::new();
    events.read_line(&mut line).unwrap();
    assert!(line.contains("\"progress\""), "{line}");
    // The front dies.
    drop((requests, events));
    // With code 0 it would have worked to the end.
    assert_eq!(worker.wait().unwrap().code(), Some(2));
}
