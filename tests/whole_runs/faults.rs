//! What goes wrong on a machine during a run.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::ground::{Ground, Ran, ended, may_mount, mount, ran, unmount};
use super::stage::Stage;

/// A filesystem of its own as the output folder.
struct Disk<'a>(&'a Path);

impl Disk<'_> {
    fn remount(&self, options: &str) {
        assert!(mount(&["-o", &format!("remount,{options}")], self.0));
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut file = File::create(self.0.join("full")).unwrap();
        while file.write(&[7; 4_096]).is_ok_and(|written| written > 0) {}
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        unmount(self.0);
    }
}

fn disk<'a>(out: &'a Path, options: &str) -> Disk<'a> {
    std::fs::create_dir_all(out).unwrap();
    assert!(mount(&["-t", "tmpfs", "-o", options, "none"], out));
    Disk(out)
}

#[test]
fn a_disk_without_room_for_videos_is_told_and_with_room_the_next_run_completes() {
    if !may_mount() {
        return;
    }
    let Some(stage) = Stage::new() else { return };
    stage.ground.heavy("a.mkv", "540x960", 4);
    stage.ground.heavy("b.mp4", "540x960", 4);
    let out = stage.out();
    let disk = disk(&out, "size=4m");
    let said = ran(&mut stage.run(&[]));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.stdout.matches("disk is too full").count(), 2, "{said:?}");
    assert_eq!((Ground::names(&out).len(), stage.pinterest.pins().len()), (0, 0));
    disk.remount("size=400m");
    stage.assert_completes(2);
}

#[test]
fn a_disk_without_room_for_the_ledger_ends_the_run_and_with_room_the_next_completes() {
    if !may_mount() {
        return;
    }
    let Some(stage) = Stage::new() else { return };
    stage.ground.clip("a.mkv", "270x480", 4, 25);
    let out = stage.out();
    let disk = disk(&out, "size=2m");
    disk.fill();
    let said = ran(&mut stage.run(&[]));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("the disk is full: make room"), "{said:?}");
    std::fs::remove_file(out.join("full")).unwrap();
    disk.remount("size=400m");
    stage.assert_completes(1);
}

#[test]
fn a_read_only_output_folder_ends_the_run_and_once_writable_the_next_completes() {
    if !may_mount() {
        return;
    }
    let Some(stage) = Stage::new() else { return };
    stage.ground.clip("a.mkv", "270x480", 4, 25);
    let out = stage.out();
    let disk = disk(&out, "size=64m,ro");
    let said = ran(&mut stage.run(&[]));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.stderr.contains("Read-only file system") && said.stderr.contains("choose one"), "{said:?}");
    assert!(said.stderr.trim_end().ends_with("lock"), "{said:?}");
    disk.remount("rw");
    stage.assert_completes(1);
    disk.remount("ro");
    let again = ran(&mut stage.run(&[]));
    assert_eq!(again.code, Some(2), "{again:?}");
    disk.remount("rw");
    stage.assert_completes(1);
}

/// Runs, and does `then` once the output of `a.mkv` has begun.
fn meanwhile(stage: &Stage, then: impl FnOnce()) -> Ran {
    let child = stage.run(&[]).spawn().unwrap();
    let begun = Instant::now();
    while !Ground::is_begun(&stage.out(), "a.mp4") {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never began");
        std::thread::sleep(Duration::from_millis(1));
    }
    then();
    ended(child)
}

#[test]
fn a_source_that_goes_or_changes_fails_alone_and_the_next_run_completes() {
    let Some(stage) = Stage::new() else { return };
    let source = stage.ground.clip("a.mkv", "1280x720", 6, 25);
    stage.ground.clip("b.mp4", "270x480", 4, 25);
    let whole = std::fs::read(&source).unwrap();
    let said = meanwhile(&stage, || std::fs::remove_file(&source).unwrap());
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stdout.contains("it was removed or renamed"), "{said:?}");
    assert_eq!(stage.pinterest.pins().len(), 1, "the other one is published");

    std::fs::write(&source, &whole).unwrap();
    let said = meanwhile(&stage, || {
        File::options().append(true).open(&source).unwrap().write_all(&[0xEC, 0x81, 0]).unwrap();
    });
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stdout.contains("it changed while"), "{said:?}");
    assert!(Ground::names(&stage.out()).iter().all(|name| !name.contains("a.mp4")), "{said:?}");
    std::fs::write(&source, &whole).unwrap();
    stage.assert_completes(2);
}

#[test]
fn a_clock_that_was_ahead_delays_no_pin() {
    let Some(stage) = Stage::new() else { return };
    stage.ground.clip("a.mp4", "270x480", 4, 25);
    assert_eq!(ran(&mut stage.run(&["--every", "1h"])).code, Some(0));
    // The clock was ten years ahead when the first went out, and was put right.
    let ledger = rusqlite::Connection::open(stage.out().join(".pinpress/ledger.db")).unwrap();
    for column in ["published_at", "slot_at"] {
        let ahead = format!("UPDATE pins SET {column} = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+10 years')");
        assert_eq!(ledger.execute(&ahead, []).unwrap(), 1);
    }
    drop(ledger);
    stage.ground.clip("b.mp4", "270x480", 5, 25);
    let said = ran(&mut stage.run(&["--every", "1h"]));
    assert_eq!(said.code, Some(0), "what waits is no failure: {said:?}");
    let status = stage.status();
    let due = status["videos"].as_array().unwrap().iter().find_map(|video| video["pins"][0]["due_at"].as_str());
    let out = Command::new("date").args(["-u", "-d", "+61 minutes", "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap();
    let soon = String::from_utf8(out.stdout).unwrap();
    assert!(due.is_some_and(|due| due <= soon.trim()), "{status:#}");
    assert_eq!(ran(&mut stage.run(&["--every", "0"])).code, Some(0));
    assert_eq!(stage.pinterest.pins().len(), 2);
}
