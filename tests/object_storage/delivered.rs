//! Runs whose results go to a bucket.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use pinpress_rehearsal::Rehearsal;
use tempfile::tempdir;

use crate::fix::VIDEOS;
use crate::ground::{files, fixture, left_behind, pinpress, ran, report, upload};
use crate::proxy::Proxy;
use crate::runs::account;
use crate::servers::{Server, address, keys, put};

const RESULTS: [&str; 9] = [
    "out/deep/other.cover.jpg",
    "out/deep/other.mp4",
    "out/deep/other.pin.json",
    "out/fits.cover.jpg",
    "out/fits.mp4",
    "out/fits.pin.json",
    "out/sound.cover.jpg",
    "out/sound.mp4",
    "out/sound.pin.json",
];

/// A run on the machine whose user's folder is `home`.
fn run(at: SocketAddr, home: &Path, pinterest: &Rehearsal, arguments: &[&str]) -> Command {
    run_into("s3://media/out/", at, home, pinterest, arguments)
}

fn run_into(output: &str, at: SocketAddr, home: &Path, pinterest: &Rehearsal, arguments: &[&str]) -> Command {
    let mut command = pinpress(at, home);
    command.env("PINPRESS_ACCESS_TOKEN", pinterest.token()).env("PINPRESS_API", pinterest.api_base());
    command.env("PINPRESS_KEEP_FREE", "0").env("XDG_STATE_HOME", home.join("state"));
    command.args(["run", "s3://media/raw/", "-o", output, "--preset", "ultrafast", "--format", "json"]);
    command.args(arguments);
    command
}

fn results(server: &Server) -> Vec<String> {
    keys(&server.bucket()).into_iter().filter(|key| !key.starts_with("raw/")).collect()
}

#[test]
fn a_bucket_is_published_into_a_bucket_once() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS) else { return };
    let dir = tempdir().unwrap();
    let pinterest = account(dir.path());
    let first = ran(&mut run(server.address, dir.path(), &pinterest, &["--board", "Rehearsal"]));
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    assert_eq!(pinterest.pins().len(), 3);
    assert_eq!(results(&server), RESULTS, "and nothing under a temporary key");
    let told = report(&first.stdout);
    let outputs: Vec<_> = told["videos"].as_array().unwrap().iter().map(|video| video["output"].as_str()).collect();
    assert_eq!(
        outputs,
        ["s3://media/out/deep/other.mp4", "s3://media/out/fits.mp4", "s3://media/out/sound.mp4"].map(Some)
    );
    assert_eq!(told["videos"][1]["cover"]["file"], "s3://media/out/fits.cover.jpg", "{}", first.stdout);
    let kind = |key: &str| server.boto3(&format!("s3.head_object(Bucket='media', Key='{key}')['ContentType']"));
    assert_eq!([kind("out/fits.mp4"), kind("out/fits.cover.jpg")], ["video/mp4", "image/jpeg"]);
    let body = server.boto3("s3.get_object(Bucket='media', Key='out/sound.pin.json')['Body'].read().decode()");
    let receipt = report(&body);
    assert_eq!(receipt["source"]["path"], "s3://media/raw/sound.mov");
    assert!(pinterest.pins().iter().any(|pin| pin.id.as_str() == receipt["pin"]["pin_id"]), "{body}");

    // What is kept here is no video.
    let here = files(&dir.path().join("state"));
    assert!(here.iter().any(|name| name.ends_with(".pinpress/ledger.db")), "{here:?}");
    assert!(here.iter().any(|name| name.ends_with(".pinpress/report.html")), "{here:?}");
    assert!(!here.iter().any(|name| name.ends_with(".mp4") || name.ends_with(".pin.json")), "{here:?}");
    assert_eq!(left_behind(dir.path()), Vec::<std::path::PathBuf>::new());
    let page = here.iter().find(|name| name.ends_with("report.html")).unwrap();
    let page = std::fs::read_to_string(dir.path().join("state").join(page)).unwrap();
    assert!(page.contains("s3://media/out") && page.contains("data:image/jpeg"), "the report has no covers");

    // The second time every object is known by its etag, on either side.
    let proxy = Proxy::before(server.address);
    let again = ran(&mut run(proxy.address, dir.path(), &pinterest, &["--board", "Rehearsal"]));
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    assert_eq!(pinterest.pins().len(), 3);
    assert_eq!(proxy.requests(), 2, "a page of each listing");

    let status = |folder: &str| {
        let mut command = pinpress(server.address, dir.path());
        ran(command.env("XDG_STATE_HOME", dir.path().join("state")).args(["status", folder]))
    };
    let shown = status("s3://media/out");
    assert_eq!(shown.code, 0, "{}{}", shown.stdout, shown.stderr);
    assert!(shown.stdout.contains("s3://media/raw/sound.mov"), "{}", shown.stdout);
    let other = status("s3://media/other");
    assert!(other.code == 2 && other.stderr.contains("s3://media/other"), "{}{}", other.stdout, other.stderr);
}

#[test]
fn what_is_in_storage_already_comes_back_for_its_pin() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS) else { return };
    let dir = tempdir().unwrap();
    let pinterest = account(dir.path());
    let first = ran(&mut run(server.address, dir.path(), &pinterest, &["--no-publish"]));
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    let when = |key: &str| server.bucket().look(&address(key)).unwrap();
    let before = ["out/sound.mp4", "out/sound.cover.jpg"].map(when);
    let then = ran(&mut run(server.address, dir.path(), &pinterest, &["--board", "Rehearsal"]));
    assert_eq!(then.code, 0, "{}{}", then.stdout, then.stderr);
    assert_eq!(pinterest.pins().len(), 3);
    assert_eq!(before, ["out/sound.mp4", "out/sound.cover.jpg"].map(when), "it was made again");
    assert_eq!(results(&server), RESULTS);
}

#[test]
fn a_result_that_is_gone_is_made_again_and_a_foreign_one_stays() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS) else { return };
    put(&server.bucket(), "out/sound.mp4", b"somebody's");
    let dir = tempdir().unwrap();
    let pinterest = account(dir.path());
    let run = |more: &[&str]| {
        ran(&mut run(server.address, dir.path(), &pinterest, &[&["--board", "Rehearsal"], more].concat()))
    };
    let first = run(&[]);
    assert_eq!(first.code, 1, "{}{}", first.stdout, first.stderr);
    assert!(first.stdout.contains("--overwrite"), "{}", first.stdout);
    assert_eq!(server.bucket().look(&address("out/sound.mp4")).unwrap().size, 10);
    assert_eq!(pinterest.pins().len(), 2);

    server.bucket().remove(&address("out/fits.mp4")).unwrap();
    let second = run(&["--overwrite"]);
    assert_eq!(second.code, 0, "{}{}", second.stdout, second.stderr);
    assert_eq!(pinterest.pins().len(), 3);
    assert_eq!(results(&server), RESULTS);
}

#[test]
fn receipts_in_storage_keep_another_machine_from_a_second_pin() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS[..1]) else { return };
    let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
    let pinterest = account(one.path());
    let run = |home: &Path, more: &[&str]| {
        ran(&mut run(server.address, home, &pinterest, &[&["--board", "Rehearsal"], more].concat()))
    };
    assert_eq!(run(one.path(), &[]).code, 0);
    assert_eq!(pinterest.pins().len(), 1);
    // Its ledger is not here.
    let second = run(other.path(), &["--overwrite"]);
    assert_eq!(second.code, 0, "{}{}", second.stdout, second.stderr);
    assert_eq!(pinterest.pins().len(), 1, "{}", second.stdout);
}

#[test]
fn covers_are_taken_from_a_bucket_into_a_bucket() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS[..1]) else { return };
    let dir = tempdir().unwrap();
    let cover = |more: &[&str]| {
        let mut command = pinpress(server.address, dir.path());
        ran(command.args(["cover", "s3://media/raw/", "-o", "s3://media/covers/", "-n", "2", "--json"]).args(more))
    };
    let first = cover(&[]);
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    // Its pictures are all alike: there is no second one.
    let pictures = ["covers/fits.cover.1.jpg"];
    assert_eq!(results(&server), pictures);
    assert!(first.stdout.contains("\"s3://media/covers/fits.cover.1.jpg\""), "{}", first.stdout);
    let there = pictures.map(|key| server.bucket().look(&address(key)).unwrap());
    let again = cover(&[]);
    assert_eq!(again.code, 1, "{}{}", again.stdout, again.stderr);
    assert_eq!(pictures.map(|key| server.bucket().look(&address(key)).unwrap()), there);
    assert_eq!(cover(&["--overwrite"]).code, 0);
    assert_eq!(left_behind(dir.path()), Vec::<std::path::PathBuf>::new());
}

#[test]
fn an_output_never_replaces_a_source() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS[..1]) else { return };
    let dir = tempdir().unwrap();
    let pinterest = account(dir.path());
    let before = server.bucket().look(&address("raw/fits.mp4")).unwrap();
    let into_raw = ["--no-publish", "--overwrite"];
    let ran = ran(&mut run_into("s3://media/raw/", server.address, dir.path(), &pinterest, &into_raw));
    assert_ne!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(server.bucket().look(&address("raw/fits.mp4")).unwrap(), before);
    assert_eq!(keys(&server.bucket()), ["raw/fits.mp4"]);
}

#[test]
fn storage_that_goes_away_loses_nothing() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS) else { return };
    let dir = tempdir().unwrap();
    let pinterest = account(dir.path());
    let proxy = Proxy::before(server.address);
    // All of the raw videos come down; the line is cut while results go up.
    proxy.cut_after(60_000);
    let cut = ran(&mut run(proxy.address, dir.path(), &pinterest, &["--board", "Rehearsal"]));
    assert!(proxy.is_cut() && cut.code != 0, "{}{}", cut.stdout, cut.stderr);
    let then = ran(&mut run(server.address, dir.path(), &pinterest, &["--board", "Rehearsal"]));
    assert_eq!(then.code, 0, "{}{}", then.stdout, then.stderr);
    assert_eq!(pinterest.pins().len(), 3);
    assert_eq!(results(&server), RESULTS);
}

/// A line that is cut holds the program where it is, and there it is killed.
#[test]
fn a_kill_in_the_upload_leaves_nothing_under_the_final_key() {
    let Some(video) = fixture("conforming-9x16.mp4") else { return };
    let server = Server::moto();
    let dir = tempdir().unwrap();
    let source = dir.path().join("clip.mp4");
    std::fs::copy(&video, &source).unwrap();
    // Made larger than what goes in one request, by a box that readers pass over (ISO/IEC 14496-12 §8.1.2).
    let mut file = std::fs::File::options().append(true).open(&source).unwrap();
    file.write_all(b"\x02\x00\x00\x00free").unwrap();
    let size = file.metadata().unwrap().len() - 8 + 0x0200_0000;
    file.set_len(size).unwrap();
    // In the first part, in the third, and where all parts are there and are to become one object.
    for limit in [1_000_000, 20_000_000, size + 1_000] {
        let proxy = Proxy::before(server.address);
        proxy.cut_after(limit);
        let mut command = pinpress(proxy.address, dir.path());
        command.args(["fix", "clip.mp4", "-o", "s3://media/out"]);
        let mut child = in_background(&command);
        let begun = Instant::now();
        while !proxy.is_cut() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{limit} bytes never came");
            assert!(child.try_wait().unwrap().is_none(), "it ended before {limit} bytes");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let left = keys(&server.bucket());
        assert!(left.iter().all(|key| key.ends_with(".pinpress-tmp")), "after {limit} bytes: {left:?}");
    }
    let fixed = ran(pinpress(server.address, dir.path()).args(["fix", "clip.mp4", "-o", "s3://media/out"]));
    assert_eq!(fixed.code, 0, "{}{}", fixed.stdout, fixed.stderr);
    assert_eq!(server.bucket().look(&address("out/clip.mp4")).unwrap().size, size);
    let uploads = server.boto3("len(s3.list_multipart_uploads(Bucket='media').get('Uploads', []))");
    assert!(uploads.parse::<u32>().unwrap() >= 1, "what a lifecycle rule is for");
    assert_eq!(std::fs::metadata(&source).unwrap().len(), size);
}

/// The command, with its output thrown away.
fn in_background(command: &Command) -> Child {
    let mut child = std::process::Command::new(command.get_program());
    child.args(command.get_args()).stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => child.env(name, value),
            None => child.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        child.current_dir(folder);
    }
    child.spawn().unwrap()
}
