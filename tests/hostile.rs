//! Hostile files among a hundred good ones, by the real programs: each costs itself, and the good ones are all done.
//! The media worker has to be built (`cargo build -p pinpress-worker`), else the test skips and says so.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]
#![expect(dead_code, reason = "the ground serves another suite too")]

#[path = "nothing_lost/ground.rs"]
mod ground;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ground::{Ground, ran, signal};
use rustix::process::Signal;

const GOOD: usize = 100;

/// Hostile files, and what has to be said of each.
const HOSTILE: [(&str, &str); 7] = [
    ("counts-to-four-billion.mp4", "its index (moov) does not make sense"),
    ("crashes.mkv", "the decoder died by SIGSEGV"),
    ("hangs.mkv", "no progress for 5 s"),
    ("is-a-playlist.mp4", "its content is of no format that pinpress reads"),
    ("loops.mp4", "it holds sound alone"),
    ("too-large.mkv", "libx264 failed"),
    ("wants-all-memory.mp4", "Cannot allocate memory"),
];

/// A good video with content of its own: a `free` box behind it that nobody reads (ISO/IEC 14496-12 §8.1.2).
fn good(bytes: &[u8], number: usize) -> Vec<u8> {
    let text = format!("{number:08}");
    let size = u32::try_from(8 + text.len()).unwrap().to_be_bytes();
    [bytes, &size, b"free", text.as_bytes()].concat()
}

/// The same with four bytes changed, `offset` behind the name of the first box that is called so.
fn with(bytes: &[u8], name: &[u8; 4], offset: usize, value: u32) -> Vec<u8> {
    let at = bytes.windows(4).position(|four| four == name).unwrap() + 4 + offset;
    let mut changed = bytes.to_vec();
    changed[at..at + 4].copy_from_slice(&value.to_be_bytes());
    changed
}

/// A picture of 16,000 × 16,000 in a megabyte.
fn huge(path: &Path) {
    let picture = "color=black:s=16000x16000:r=1/5:d=5,format=gray";
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", picture, "-frames:v", "1", "-c:v", "png"])
        .args(["-pred", "none", "-compression_level", "1"])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

fn ground_of_all() -> Option<Ground> {
    let ground = Ground::new()?;
    let raw = ground.at("raw");
    let first = std::fs::read(ground.clip("first.mp4", "240x240", 4, 25)).unwrap();
    std::fs::remove_file(raw.join("first.mp4")).unwrap();
    for number in 0..GOOD {
        std::fs::write(raw.join(format!("good-{number:02}.mp4")), good(&first, number)).unwrap();
    }
    let write = |name: &str, bytes: &[u8]| std::fs::write(raw.join(name), bytes).unwrap();
    // The count behind the sample size; the count of runs; the size of the first box in `trak`.
    write("counts-to-four-billion.mp4", &with(&first, b"stsz", 8, u32::MAX));
    write("wants-all-memory.mp4", &with(&first, b"stts", 4, u32::MAX));
    write("loops.mp4", &with(&first, b"trak", 0, 0));
    write("is-a-playlist.mp4", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n");
    huge(&raw.join("too-large.mkv"));
    // Their shape has to be changed, which takes seconds: long enough to be struck at it.
    ground.clip("crashes.mkv", "960x540", 20, 25);
    ground.clip("hangs.mkv", "960x540", 20, 25);
    Some(ground)
}

/// The jobs that have this file open.
fn jobs_on(ground: &Ground, file: &Path) -> Vec<u32> {
    let has_open = |job: &u32| {
        let descriptors = std::fs::read_dir(format!("/proc/{job}/fd")).into_iter().flatten().flatten();
        descriptors.into_iter().any(|descriptor| std::fs::read_link(descriptor.path()).is_ok_and(|open| open == file))
    };
    ground.workers().into_iter().filter(has_open).collect()
}

/// Does to the jobs of two files what a decoder with a fault does, whenever they are at work, until `over`.
fn strike(ground: &Ground, over: &AtomicBool) {
    let place = |name: &str| -> PathBuf { ground.at("raw").canonicalize().unwrap().join(name) };
    let victims = [(place("crashes.mkv"), Signal::SEGV), (place("hangs.mkv"), Signal::STOP)];
    while !over.load(Ordering::SeqCst) {
        for (file, with) in &victims {
            for job in jobs_on(ground, file) {
                signal(job, *with);
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Every file under `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn hostile_files_cost_themselves_and_the_hundred_good_ones_are_all_done() {
    let Some(ground) = ground_of_all() else { return };
    let sources = Ground::tree(&ground.at("raw"));
    let over = AtomicBool::new(false);
    let said = std::thread::scope(|scope| {
        scope.spawn(|| strike(&ground, &over));
        let options = ["--preset", "ultrafast", "--uploads", "8", "--jobs", "4"];
        let limits = ["--stall-timeout", "5", "--memory-limit", "1024"];
        let said = ran(&mut ground.pinpress(&[&["rehearse", "raw", "-o", "out"], &options[..], &limits].concat()));
        over.store(true, Ordering::SeqCst);
        said
    });
    let total = format!("{} videos: {GOOD} done, {} failed", GOOD + HOSTILE.len(), HOSTILE.len());
    assert!(said.code == Some(1) && said.stdout.contains(&total), "{said:?}");
    for (name, sign) in HOSTILE {
        let told = said.stderr.lines().any(|line| line.contains(name) && line.contains(sign));
        assert!(told, "{sign:?} is not said of {name}: {}", said.stderr);
    }
    let out = ground.at("out");
    for number in 0..GOOD {
        for ending in ["mp4", "cover.jpg", "pin.json"] {
            let file = out.join(format!("good-{number:02}.{ending}"));
            assert!(file.is_file(), "{}", file.display());
        }
    }
    let is_temp = |file: &PathBuf| file.to_string_lossy().ends_with(".pinpress-tmp");
    let left: Vec<_> = files(&out).into_iter().filter(is_temp).collect();
    assert!(left.is_empty(), "{left:?}");
    for (name, _) in HOSTILE {
        assert!(!out.join(name).with_extension("mp4").exists(), "{name} has an output");
    }
    assert_eq!(Ground::tree(&ground.at("raw")), sources, "the sources were touched");
    ground.wait_for_workers();
}
