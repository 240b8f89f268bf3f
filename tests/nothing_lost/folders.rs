//! Output folders that cannot be written to, go away, or have something in the place of an output.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::ground::{Ground, ended, may_mount, mount, ran, unmount};

#[test]
fn a_read_only_filesystem_is_told_for_each_video() {
    if !may_mount() {
        return;
    }
    let Some(ground) = Ground::new() else { return };
    ground.clip("remux.mkv", "270x480", 4, 25);
    ground.clip("fits.mp4", "270x480", 4, 25);
    let out = ground.at("out");
    std::fs::create_dir(&out).unwrap();
    assert!(mount(&["-t", "tmpfs", "-o", "ro,size=64m", "none"], &out));
    let (flat, deep) = (ran(&mut ground.fix(&out, &[])), ran(&mut ground.fix(&out.join("deeper"), &[])));
    unmount(&out);
    for said in [flat, deep] {
        assert_eq!(said.code, Some(1), "{said:?}");
        assert_eq!(said.stdout.matches("Read-only file system").count(), 2, "{said:?}");
        assert_eq!(said.stdout.matches("choose a folder you can write to").count(), 2, "{said:?}");
    }
}

#[test]
fn a_folder_of_somebody_else_is_told_for_each_video() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become somebody else");
        return;
    }
    let Some(ground) = Ground::new() else { return };
    ground.clip("remux.mkv", "270x480", 4, 25);
    ground.clip("fits.mp4", "270x480", 4, 25);
    let out = ground.at("out");
    std::fs::create_dir(&out).unwrap();
    let root = ground.at("");
    std::fs::set_permissions(&root, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = ground.fix(&out, &[]);
    // Nobody, by custom.
    command.uid(65_534).gid(65_534);
    let Ok(child) = command.spawn() else {
        println!("skipped: somebody else may not run the program where it is built");
        return;
    };
    let said = ended(child);
    if said.stderr.contains("could not start the media worker") || said.stderr.contains("is not there") {
        println!("skipped: somebody else may not run the worker where it is built");
        return;
    }
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.stdout.matches("Permission denied").count(), 2, "{said:?}");
    assert_eq!(said.stdout.matches("choose a folder you can write to").count(), 2, "{said:?}");
    assert!(Ground::names(&out).is_empty());
}

#[test]
fn a_folder_that_has_the_name_of_an_output_stays_and_the_others_are_fixed() {
    let Some(ground) = Ground::new() else { return };
    for name in ["a.mkv", "b.mkv"] {
        ground.clip(name, "270x480", 4, 25);
    }
    let out = ground.at("out");
    std::fs::create_dir_all(out.join("a.mp4/kept")).unwrap();
    for more in [&[][..], &["--overwrite"]] {
        let said = ran(&mut ground.fix(&out, more));
        assert_eq!(said.code, Some(1), "{said:?}");
        let line = said.stdout.lines().find(|line| line.contains("a.mkv")).unwrap();
        assert!(line.contains("there is a folder of that name"), "{line}");
        assert!(out.join("a.mp4/kept").is_dir());
        assert_eq!(Ground::names(&out), ["b.mp4"]);
        ground.assert_whole(&out.join("b.mp4"));
    }
}

#[test]
fn an_output_folder_that_is_a_file_is_told() {
    let Some(ground) = Ground::new() else { return };
    ground.clip("a.mkv", "270x480", 4, 25);
    std::fs::write(ground.at("out"), "mine").unwrap();
    let said = ran(&mut ground.fix(&ground.at("out"), &[]));
    assert!(matches!(said.code, Some(1 | 2)), "{said:?}");
    assert!(said.stdout.contains("cannot make the folder") || said.stderr.contains("out"), "{said:?}");
    assert_eq!(std::fs::read(ground.at("out")).unwrap(), b"mine");
}

#[test]
fn a_folder_that_vanishes_meanwhile_is_told_and_nothing_stays() {
    let Some(ground) = Ground::new() else { return };
    ground.clip("a.mkv", "1280x720", 8, 25);
    let out = ground.at("out");
    let child = ground.fix(&out, &[]).spawn().unwrap();
    let begun = Instant::now();
    while !Ground::is_written_to(&out) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never began");
        std::thread::sleep(Duration::from_millis(1));
    }
    // The job may make a file in it at any moment.
    while out.exists() {
        let _ = std::fs::remove_dir_all(&out);
    }
    let said = ended(child);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stdout.contains("the output folder"), "{said:?}");
    assert!(!Path::new(&out).exists());
}
