//! Whole runs over a bucket, against a Pinterest on loopback.

use std::net::SocketAddr;
use std::path::Path;

use assert_cmd::Command;
use pinpress_rehearsal::{Rehearsal, RehearsalOptions};
use tempfile::tempdir;

use crate::fix::VIDEOS;
use crate::ground::{files, pinpress, ran, report, upload};
use crate::proxy::Proxy;
use crate::servers::{Server, address, noise, put};

pub(crate) fn account(folder: &Path) -> Rehearsal {
    let options = RehearsalOptions { processing_polls: 0, ..RehearsalOptions::new(folder.join("pinterest")) };
    Rehearsal::start(options).unwrap()
}

pub(crate) fn run(at: SocketAddr, folder: &Path, pinterest: &Rehearsal) -> Command {
    let mut command = pinpress(at, folder);
    command.env("PINPRESS_ACCESS_TOKEN", pinterest.token()).env("PINPRESS_API", pinterest.api_base());
    command.env("PINPRESS_KEEP_FREE", "0").args(["run", "s3://media/raw/", "-o", "out", "--preset", "ultrafast"]);
    command.args(["--board", "Rehearsal", "--format", "json"]);
    command
}

#[test]
fn a_bucket_is_published_once() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS) else { return };
    // The same content again, under another key.
    let Some(()) = upload(&server, &[("conforming-9x16.mp4", "raw/zz-again.mp4")]) else { return };
    let dir = tempdir().unwrap();
    let pinterest = account(dir.path());
    let first = ran(&mut run(server.address, dir.path(), &pinterest));
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    assert_eq!(pinterest.pins().len(), 3);
    let out = dir.path().join("out");
    let shown: Vec<_> = files(&out).into_iter().filter(|name| !name.starts_with('.')).collect();
    for name in ["deep/other", "fits", "sound"] {
        for suffix in [".mp4", ".cover.jpg", ".pin.json"] {
            assert!(shown.contains(&format!("{name}{suffix}")), "{name}{suffix}: {shown:?}");
        }
    }
    let receipt = report(&std::fs::read_to_string(out.join("sound.pin.json")).unwrap());
    assert_eq!(receipt["source"]["path"], "s3://media/raw/sound.mov");
    assert!(!out.join(".pinpress/objects").exists(), "copies are left");

    // The second time every object is known by its etag: listings alone travel.
    let proxy = Proxy::before(server.address);
    let again = ran(&mut run(proxy.address, dir.path(), &pinterest));
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    assert_eq!(pinterest.pins().len(), 3);
    assert_eq!(proxy.requests(), 1, "a page of the listing");
    assert!(proxy.down() < 10_000, "{} bytes travelled", proxy.down());

    let planned = ran(run(server.address, dir.path(), &pinterest).arg("--dry-run"));
    assert_eq!(planned.code, 0, "{}{}", planned.stdout, planned.stderr);
    assert!(!planned.stdout.contains("\"POST\""), "{}", planned.stdout);

    // Another content under a known key is another video.
    let Some(()) = upload(&server, &[("film-24fps.mp4", "raw/sound.mov")]) else { return };
    let changed = ran(&mut run(server.address, dir.path(), &pinterest));
    assert_eq!(changed.code, 0, "{}{}", changed.stdout, changed.stderr);
    assert_eq!(pinterest.pins().len(), 4);
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_done() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS[..1]) else { return };
    put(&server.bucket(), "raw/broken.mkv", &noise(100_000));
    let dir = tempdir().unwrap();
    let pinterest = account(dir.path());
    let ran = ran(&mut run(server.address, dir.path(), &pinterest));
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(pinterest.pins().len(), 1);
    assert!(ran.stdout.contains("s3://media/raw/broken.mkv"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("pinpress-objects-"), "a copy is named: {}", ran.stdout);
    server.bucket().remove(&address("raw/broken.mkv")).unwrap();
}

#[test]
fn what_a_run_keeps_is_kept_here() {
    let server = Server::moto();
    let dir = tempdir().unwrap();
    let told = |args: &[&str]| {
        let ran = ran(pinpress(server.address, dir.path()).env("PINPRESS_ACCESS_TOKEN", "none").args(args));
        assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
        ran.stderr
    };
    let refused = told(&["publish", "out", "-o", "s3://media/out", "--board", "Rehearsal"]);
    assert!(refused.contains("a folder of this machine"), "{refused}");
    let refused = told(&["cover", "raw", "-o", "s3://media/out", "--contact-sheet", "s3://media/sheet.jpg"]);
    assert!(refused.contains("a file of this machine"), "{refused}");
    let refused = told(&["rehearse", "raw", "-o", "s3://media/out"]);
    assert!(refused.contains("stays on this machine"), "{refused}");
    let refused = told(&["rehearse", "s3://media/raw/", "-o", "out"]);
    assert!(refused.contains("copy what is there to this machine"), "{refused}");
    assert_eq!(files(dir.path()).iter().filter(|name| name.starts_with("s3:")).count(), 0);
}
