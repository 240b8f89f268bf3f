//! A disk that is full, or fills while it is written to.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::ground::{Ground, Ran, may_mount, mount, ran, unmount};

/// A small disk of its own, as the output folder.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf, size: &str) -> Self {
        std::fs::create_dir_all(&at).unwrap();
        assert!(mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "none"], &at));
        Self(at)
    }

    fn free(&self) -> u64 {
        let disk = rustix::fs::statvfs(&self.0).unwrap();
        disk.f_bavail * disk.f_frsize
    }

    /// Takes so many bytes in a file `name`, or all there are.
    fn take(&self, name: &str, bytes: u64) {
        let mut file = File::create(self.0.join(name)).unwrap();
        let piece = vec![7; 256 * 1024];
        let mut left = bytes;
        while left > 0 {
            let step = usize::try_from(left.min(piece.len() as u64)).unwrap();
            match file.write(&piece[..step]) {
                Ok(written) if written > 0 => left -= written as u64,
                _ => return,
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.0);
    }
}

/// One for each way to fix; the index of the second goes into room of its own, which takes a source of 16 MiB.
fn sources(ground: &Ground) -> [(&'static str, &'static str); 3] {
    ground.clip("encode.mkv", "640x360", 4, 25);
    ground.heavy("remux.mkv", "540x960", 4);
    let fits = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(ground.at("raw/remux.mkv"))
        .args(["-c", "copy", "-movflags", "+faststart"])
        .arg(ground.at("raw/fits.mp4"))
        .status();
    assert!(fits.unwrap().success());
    [("encode.mkv", "encode"), ("remux.mkv", "remux"), ("fits.mp4", "fits as it is")]
}

fn made_room(said: &Ran) {
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stdout.contains("make room"), "{said:?}");
}

#[test]
fn a_disk_without_room_is_told_before_work_begins() {
    if !may_mount() {
        return;
    }
    let Some(ground) = Ground::new() else { return };
    sources(&ground);
    let before = Ground::tree(&ground.at("raw"));
    let disk = Disk::mount(ground.at("out"), "8m");
    let said = ran(&mut ground.fix(&disk.0, &[]));
    made_room(&said);
    assert_eq!(said.stdout.matches("make room").count(), 3, "{said:?}");
    assert!(Ground::names(&disk.0).is_empty());
    assert_eq!(Ground::tree(&ground.at("raw")), before);
}

/// Megabytes that a fix says it needs.
fn needed(said: &Ran) -> u64 {
    let (_, after) = said.stdout.split_once("about ").unwrap();
    after.split_once(" MB").unwrap().0.parse().unwrap()
}

#[test]
fn a_disk_that_fills_while_it_is_written_to_gets_no_half_file() {
    if !may_mount() {
        return;
    }
    let Some(ground) = Ground::new() else { return };
    let sources = sources(&ground);
    let before = Ground::tree(&ground.at("raw"));
    let disk = Disk::mount(ground.at("out"), "160m");
    let fix = |name: &str| {
        let mut command = ground.pinpress(&["fix", "--preset", "ultrafast", "-o"]);
        ran(command.arg(&disk.0).arg(ground.at("raw").join(name)))
    };
    for (name, action) in sources {
        disk.take("all", u64::MAX);
        let need = needed(&fix(name)) * 1_000_000;
        std::fs::remove_file(disk.0.join("all")).unwrap();
        let mut struck = false;
        // The other one has to be quicker than the copy: it may take a few attempts.
        for _ in 0..20 {
            disk.take("some", disk.free() - need - 1_000_000);
            let said = filled_meanwhile(&disk, || fix(name));
            let left = Ground::names(&disk.0);
            let _ = std::fs::remove_file(disk.0.join("some"));
            let _ = std::fs::remove_file(disk.0.join("rest"));
            if said.code == Some(0) {
                let output = Path::new(name).with_extension("mp4");
                assert!(said.stdout.contains(action), "{said:?}");
                ground.assert_whole(&disk.0.join(&output));
                std::fs::remove_file(disk.0.join(&output)).unwrap();
                continue;
            }
            made_room(&said);
            assert_eq!(left, ["rest", "some"], "{said:?}");
            // Not the estimate: it began.
            if !said.stdout.contains("too full") {
                assert!(said.stdout.contains("No space left"), "{said:?}");
                struck = true;
                break;
            }
        }
        assert!(struck, "the disk never filled during {name}");
    }
    assert_eq!(Ground::tree(&ground.at("raw")), before);
}

/// Takes all the room that is left as soon as something is written.
fn filled_meanwhile(disk: &Disk, fix: impl FnOnce() -> Ran) -> Ran {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) && !Ground::is_written_to(&disk.0) {
                std::thread::sleep(Duration::from_micros(200));
            }
            disk.take("rest", u64::MAX);
        });
        let said = fix();
        done.store(true, Ordering::SeqCst);
        said
    })
}
