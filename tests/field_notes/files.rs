//! The file that results: whole or not there, quick to start, and nothing left over.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::stage::{H264, Stage, plays};

/// The longest that something is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Takes a while to encode.
fn long_clip(stage: &Stage, name: &str) -> PathBuf {
    stage.drawn(name, "testsrc2=s=640x360:r=25:d=12", &["-c:v", "mpeg4", "-q:v", "5"])
}

fn start(stage: &Stage, options: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinpress"));
    command.args(["fix", "raw", "-o", "out", "--format", "json"]).args(options);
    command.current_dir(stage.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The temp files and temp folders.
fn temp_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with(".pinpress-tmp")).collect()
}

/// The worker whose job writes in a temp folder: its id stands in the name.
fn worker_of(temp: &Path) -> u32 {
    let name = temp.file_name().unwrap().to_str().unwrap();
    name.strip_suffix(".pinpress-tmp").unwrap().rsplit('.').next().unwrap().parse().unwrap()
}

/// The parent of a process that runs or is stopped, by `/proc/PID/stat`. None of one that has ended, though nobody may
/// have waited for it yet.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut behind_name = stat.rsplit(") ").next()?.split(' ');
    let ended = ["Z", "X"].contains(&behind_name.next()?);
    behind_name.next().filter(|_| !ended)?.parse().ok()
}

/// The processes that a process has started.
fn children_of(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|&pid| parent_of(pid) == Some(parent)).collect()
}

fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

/// Stuck at 99 %: a worker that makes no progress is ended, its video is named, and the others are done.
#[cfg(target_os = "linux")]
#[test]
fn row_05_a_worker_that_stands_still_is_ended_and_the_rest_goes_on() {
    let stage = Stage::new();
    long_clip(&stage, "a-stuck.avi");
    stage.drawn("b-next.mkv", "testsrc2=s=240x240:r=25:d=4", &H264);
    let child = start(&stage, &["--jobs", "1", "--preset", "veryslow"]);
    let worker = worker_of(&until("a temp folder", || temp_files(&stage.path().join("out")).pop()));
    let stuck = until("a job", || children_of(worker).pop());
    signal("-STOP", stuck);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("no progress"), "{said}");
    assert_eq!(parent_of(stuck), None, "it is still there");
    assert!(!stage.out("a-stuck.avi").exists(), "a name without a video");
    assert_eq!(temp_files(&stage.path().join("out")), Vec::<PathBuf>::new());
    plays(&stage.out("b-next.mkv"));
}

/// Half a file taken for a whole one: a name appears when what it names is proven, and the source is as it was.
#[test]
fn row_06_a_name_appears_when_its_file_is_whole_and_the_source_is_untouched() {
    let stage = Stage::new();
    let source = long_clip(&stage, "a.avi");
    let told = |path: &Path| (std::fs::read(path).unwrap(), path.metadata().unwrap().modified().unwrap());
    let before = told(&source);
    let child = start(&stage, &["--preset", "ultrafast"]);
    let mut seen_unfinished = false;
    let at_once = stage.path().join("as-it-appeared.mp4");
    until("the output", || {
        seen_unfinished |= !temp_files(&stage.path().join("out")).is_empty();
        std::fs::copy(stage.out("a.avi"), &at_once).ok()
    });
    assert!(child.wait_with_output().unwrap().status.success());
    assert!(seen_unfinished, "it is written under another name beside its own");
    assert_eq!(std::fs::read(&at_once).unwrap(), std::fs::read(stage.out("a.avi")).unwrap());
    plays(&at_once);
    assert_eq!(told(&source), before);
    assert!(temp_files(&stage.path().join("out")).is_empty());
}

/// Threads of one job that are ours, whatever it has to spend: muxer, demuxer, decoder, filters, encoder, sound, and the
/// one that makes the file durable.
const STAGES: usize = 7;

/// Too many threads: over all videos that are done at the same time, libav and x264 start no more than twice the cores.
/// How many work at a moment is a measurement, and stands in `cargo xtask bench fix --only threads`.
#[cfg(target_os = "linux")]
#[test]
fn row_17_threads_fit_twice_the_cores_at_any_number_of_jobs() {
    let cores = std::thread::available_parallelism().unwrap().get();
    let stage = Stage::new();
    let first = stage.drawn("0.avi", "testsrc2=s=640x360:r=25:d=4", &["-c:v", "mpeg4", "-q:v", "5"]);
    for number in 1..4 {
        std::fs::copy(&first, stage.raw(&format!("{number}.avi"))).unwrap();
    }
    for jobs in [1, 2, 8] {
        let mut child = start(&stage, &["--jobs", &jobs.to_string(), "--preset", "veryfast"]);
        let (mut most_jobs, mut most_threads) = (0, 0);
        let status = until("the end", || {
            // A worker forks a process for each video.
            let running: Vec<u32> = children_of(child.id()).into_iter().flat_map(children_of).collect();
            let threads = |pid: &u32| std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
            most_jobs = most_jobs.max(running.len());
            most_threads = most_threads.max(running.iter().map(threads).sum());
            child.try_wait().unwrap()
        });
        assert!(status.success());
        assert!((1..=jobs.min(2 * cores)).contains(&most_jobs), "{most_jobs} videos at once with --jobs {jobs}");
        let limit = most_jobs * STAGES + 2 * cores;
        assert!((2..=limit).contains(&most_threads), "{most_threads} threads with --jobs {jobs} on {cores} cores");
        println!("--jobs {jobs}: at most {most_threads} threads, {limit} allowed, on {cores} cores");
        stage.again();
    }
}

/// Temp files left over: what a killed run leaves goes with the next one.
#[cfg(unix)]
#[test]
fn row_22_what_a_killed_run_left_is_swept_by_the_next() {
    let stage = Stage::new();
    long_clip(&stage, "a.avi");
    let out = stage.path().join("out");
    let mut child = start(&stage, &["--preset", "veryslow"]);
    until("a temp folder", || temp_files(&out).pop());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!stage.out("a.avi").exists(), "half a file under its final name");
    // As when the machine went down: nobody tidies up. The number is above what Linux gives.
    std::fs::write(out.join(".a.mp4.4194305.pinpress-tmp"), b"half").unwrap();
    std::fs::create_dir(out.join(".a.mp4.4194306.pinpress-tmp")).unwrap();
    std::fs::write(out.join(".a.mp4.4194306.pinpress-tmp/a.mp4"), b"half").unwrap();
    let others = [".a.mp4.tmp", ".notes.pinpress-tmp", "a.pinpress-tmp"];
    for name in others {
        std::fs::write(out.join(name), b"somebody's").unwrap();
    }
    stage.tried(&[]);
    plays(&stage.out("a.avi"));
    let left: Vec<_> = temp_files(&out).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert!(left.iter().all(|name| others.iter().any(|other| name == other)), "{left:?}");
    assert!(others.iter().all(|name| out.join(name).exists()), "another's file was taken");
}

/// The kinds of the boxes at the top of an MP4.
fn boxes(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    let (mut at, mut kinds) = (0, Vec::new());
    while let Some(head) = bytes.get(at..at + 8) {
        kinds.push(String::from_utf8_lossy(&head[4..]).into_owned());
        let size = u32::from_be_bytes(head[..4].try_into().unwrap()) as usize;
        assert!(size >= 8, "{kinds:?}");
        at += size;
    }
    kinds
}

/// `moov` behind the media: advice where nothing else is wrong, mended where the file is written anyway.
#[test]
fn row_23_the_index_comes_first_wherever_a_file_is_written() {
    let stage = Stage::new();
    let picture = "testsrc2=s=240x240:r=25:d=4";
    stage.drawn("last.mp4", picture, &H264);
    stage.drawn("place.mp4", picture, &[&H264[..], &["-metadata", "location=+48.8577+002.2950/"]].concat());
    stage.drawn("container.mkv", picture, &H264);
    stage.drawn("shape.mp4", "testsrc2=s=426x240:r=25:d=4", &H264);
    let first = |path: &Path| {
        let boxes = boxes(path);
        boxes.iter().position(|kind| kind == "moov") < boxes.iter().position(|kind| kind == "mdat")
    };
    assert!(!first(&stage.raw("last.mp4")), "ffmpeg writes it last unless asked");
    let check = stage.ran(&["check", "raw/last.mp4"]);
    assert_eq!(check.code, 0, "it is advice");
    assert!(check.stdout.contains("faststart"), "{}", check.stdout);
    let report = stage.fixed(&[]);
    assert_eq!(report.action("last.mp4"), "passthrough");
    for (name, action) in [("place.mp4", "remux"), ("container.mkv", "remux"), ("shape.mp4", "encode")] {
        assert_eq!(report.action(name), action, "{name}");
        assert!(first(&stage.out(name)), "{name}: {:?}", boxes(&stage.out(name)));
    }
}
