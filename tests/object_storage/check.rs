//! The gate over ranges.

use serde_json::Value;
use tempfile::tempdir;

use crate::fix::VIDEOS;
use crate::ground::{enlarge, fixture, left_behind, pinpress, ran, report, upload};
use crate::proxy::Proxy;
use crate::servers::{Server, put};

#[test]
fn a_bucket_is_judged_as_a_folder_is() {
    let server = Server::moto();
    let videos = [
        ("conforming-9x16.mp4", "raw/fits.mp4"),
        ("upright-16x9.mp4", "raw/deep/wide.mp4"),
        ("film-24fps.mp4", "raw/film ä.mp4"),
        ("matroska-fit.mkv", "raw/other.mkv"),
        ("conforming-9x16.mp4", "raw/misnamed.mkv"),
    ];
    let Some(()) = upload(&server, &videos) else { return };
    put(&server.bucket(), "raw/notes.txt", b"notes");
    put(&server.bucket(), "raw/.hidden/clip.mp4", b"hidden");
    put(&server.bucket(), "raw/.clip.mp4.0123456789abcdef.pinpress-tmp", b"half");
    put(&server.bucket(), "raw/empty.mov", b"");
    put(&server.bucket(), "rawer/clip.mp4", b"elsewhere");
    let dir = tempdir().unwrap();
    for (name, key) in videos {
        let to = dir.path().join(key);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(fixture(name).unwrap(), to).unwrap();
    }
    std::fs::write(dir.path().join("raw/empty.mov"), b"").unwrap();
    std::fs::write(dir.path().join("raw/notes.txt"), b"notes").unwrap();
    let there = ran(pinpress(server.address, dir.path()).args(["check", "--format", "json", "s3://media/raw"]));
    let here = ran(pinpress(server.address, dir.path()).args(["check", "--format", "json", "raw"]));
    assert_eq!((there.code, there.stderr.as_str()), (here.code, here.stderr.as_str()));
    let (mut there, mut here) = (report(&there.stdout), report(&here.stdout));
    assert_eq!(there["summary"], here["summary"]);
    let sorted = |report: &mut Value| {
        let mut videos: Vec<_> = report["videos"].as_array_mut().unwrap().drain(..).collect();
        videos.sort_by_key(|video| video["path"].as_str().unwrap().to_owned());
        videos
    };
    let (there, here) = (sorted(&mut there), sorted(&mut here));
    let paths: Vec<_> = there.iter().map(|video| video["path"].as_str().unwrap()).collect();
    assert_eq!(
        paths,
        ["deep/wide.mp4", "empty.mov", "film ä.mp4", "fits.mp4", "misnamed.mkv", "other.mkv"]
            .map(|name| format!("s3://media/raw/{name}"))
    );
    for (mut there, here) in there.into_iter().zip(here) {
        let path = there["path"].as_str().unwrap().replace("s3://media/", "");
        there["path"] = path.into();
        if let Some(error) = there["error"].as_str().map(|error| error.replace("s3://media/", "")) {
            there["error"] = error.into();
        }
        assert_eq!(there, here);
    }
    assert_eq!(left_behind(dir.path()), Vec::<std::path::PathBuf>::new());
}

#[test]
fn of_two_gigabytes_the_index_alone_travels() {
    let Some(video) = fixture("rotated-90.mov") else { return };
    let server = Server::of_files();
    server.plant("large.mov", |file| enlarge(&video, file, 1_999_900_000));
    let size = std::fs::metadata(server.file("large.mov")).unwrap().len();
    assert!(size > 1_999_900_000);
    let proxy = Proxy::before(server.address);
    let dir = tempdir().unwrap();
    let ran = ran(pinpress(proxy.address, dir.path()).args(["check", "--format", "json", "s3://media/large.mov"]));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let video = &report(&ran.stdout)["videos"][0];
    assert_eq!((&video["path"], &video["media"]["size_bytes"]), (&"s3://media/large.mov".into(), &size.into()));
    assert_eq!(video["media"]["reader"], "sample-table");
    assert_eq!(proxy.requests(), 3, "a look, the first boxes, the index");
    assert!(proxy.down() < 200_000, "{} bytes travelled", proxy.down());
}

#[test]
fn a_thousand_and_more_are_one_request_each() {
    let Some(video) = fixture("conforming-9x16.mp4") else { return };
    let server = Server::of_files();
    std::fs::create_dir(server.file("raw")).unwrap();
    let number = 1_100;
    for number in 0..number {
        std::fs::hard_link(&video, server.file(&format!("raw/{number:04}.mp4")))
            .or_else(|_| std::fs::copy(&video, server.file(&format!("raw/{number:04}.mp4"))).map(drop))
            .unwrap();
    }
    let proxy = Proxy::before(server.address);
    let dir = tempdir().unwrap();
    let ran = ran(pinpress(proxy.address, dir.path()).args(["check", "--format", "ndjson", "s3://media/raw/"]));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let paths: Vec<_> = ran.stdout.lines().map(|line| report(line)["path"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<_> = (0..number).map(|number| format!("s3://media/raw/{number:04}.mp4")).collect();
    assert_eq!(paths, expected);
    assert_eq!(proxy.requests(), 2 + number, "two pages, and an index each");
}

#[test]
fn parts_and_patterns_are_those_of_a_folder() {
    let server = Server::of_files();
    let Some(video) = fixture("conforming-9x16.mp4") else { return };
    let dir = tempdir().unwrap();
    for key in ["a.mp4", "b.mov", "2024/c.mp4", "2024/d.mov", "drafts/e.mp4"] {
        for root in [server.file("raw"), dir.path().join("raw")] {
            let to = root.join(key);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(&video, to).unwrap();
        }
    }
    for more in [&["--include", "*.mp4"][..], &["--exclude", "drafts"], &["--shard", "1/2"], &["--shard", "2/2"]] {
        let paths = |root: &str| {
            let ran = ran(pinpress(server.address, dir.path()).args(["check", "--format", "ndjson", root]).args(more));
            let mut paths: Vec<_> = ran
                .stdout
                .lines()
                .map(|line| report(line)["path"].as_str().unwrap().rsplit_once("raw/").unwrap().1.to_owned())
                .collect();
            paths.sort();
            paths
        };
        assert_eq!(paths("s3://media/raw/"), paths("raw/"), "{more:?}");
    }
}

#[test]
fn what_has_no_ending_is_taken_where_it_is_named() {
    let server = Server::moto();
    let Some(()) =
        upload(&server, &[VIDEOS[0], ("conforming-9x16.mp4", "raw/3f2a"), ("conforming-9x16.mp4", "raw/a.txt")])
    else {
        return;
    };
    let dir = tempdir().unwrap();
    let count = |more: &[&str]| {
        let ran =
            ran(pinpress(server.address, dir.path()).args(["check", "--format", "ndjson", "s3://media"]).args(more));
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        ran.stdout.lines().count()
    };
    assert_eq!([count(&[]), count(&["--include", "raw/*"]), count(&["--include", "*.mp4"])], [1, 2, 1]);
}

#[test]
fn a_file_of_patterns_is_read_and_its_mistakes_are_told() {
    let server = Server::moto();
    let Some(()) = upload(
        &server,
        &[("conforming-9x16.mp4", "raw/-first.mp4"), ("conforming-9x16.mp4", "raw/drafts/a.mp4"), VIDEOS[0]],
    ) else {
        return;
    };
    let dir = tempdir().unwrap();
    let told = || ran(pinpress(server.address, dir.path()).args(["check", "--format", "ndjson", "s3://media/raw/"]));
    assert_eq!(told().stdout.lines().count(), 3);
    put(&server.bucket(), "raw/.pinpressignore", b"drafts/\n-*\n");
    let one = told();
    assert_eq!(one.stdout.lines().count(), 1, "{}", one.stdout);
    assert!(one.stdout.contains("raw/fits.mp4"), "{}", one.stdout);
    put(&server.bucket(), "raw/.pinpressignore", b"[draft\n");
    let refused = told();
    assert_eq!(refused.code, 2, "{}", refused.stdout);
    for told in ["a mistake in .pinpressignore:", "line 1: \"[draft\" is no", "s3://media/raw/.pinpressignore"] {
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
}

#[test]
fn deep_takes_all_of_it_and_leaves_nothing() {
    let server = Server::moto();
    let Some(()) = upload(&server, &[("conforming-9x16.mp4", "clip.mp4")]) else { return };
    let dir = tempdir().unwrap();
    let ran = ran(pinpress(server.address, dir.path()).args(["check", "--deep", "--format", "json", "s3://media"]));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let video = &report(&ran.stdout)["videos"][0];
    assert!(video["deep"]["streams"].is_array(), "{video}");
    assert_eq!(left_behind(dir.path()), Vec::<std::path::PathBuf>::new());
}

#[test]
fn what_cannot_be_looked_into_is_two_and_says_what_to_do() {
    let server = Server::of_files();
    put(&server.bucket(), "clip.mp4", b"x");
    let dir = tempdir().unwrap();
    let told = |argument: &str, variables: &[(&str, &str)]| {
        let ran = ran(pinpress(server.address, dir.path()).args(["check", argument]).envs(variables.iter().copied()));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
        ran.stderr
    };
    assert!(told("s3://nowhere/raw/", &[]).contains("there is no such bucket"));
    assert!(told("s3://media/raw", &[]).contains("there is nothing there"));
    assert!(told("https://media/raw", &[]).contains("write s3://BUCKET/KEY"));
    assert!(told("s3://key:PLANT@media/raw", &[]).contains("take them out"));
    let wrong = told("s3://media/", &[("AWS_SECRET_ACCESS_KEY", "PLANT-not")]);
    assert!(wrong.contains("the credentials are not accepted (SignatureDoesNotMatch"), "{wrong}");
    let nobody = told("s3://media/", &[("AWS_ALLOW_HTTP", "false")]);
    assert!(nobody.contains("AWS_ALLOW_HTTP=true"), "{nobody}");
}

#[test]
fn an_object_that_may_not_be_read_is_one_videos_error() {
    let server = Server::moto();
    let Some(()) = upload(&server, &[("conforming-9x16.mp4", "clip.mp4")]) else { return };
    let dir = tempdir().unwrap();
    let mut command = pinpress(server.address, dir.path());
    let ran = ran(command.args(["check", "--format", "json", "s3://media/"]).env("AWS_SKIP_SIGNATURE", "true"));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let video = &report(&ran.stdout)["videos"][0];
    assert_eq!(video["verdict"], "error");
    let reason = video["error"].to_string();
    assert!(reason.contains("access denied") && reason.contains("s3:GetObject"), "{reason}");
    assert_eq!(reason.matches("s3://").count(), 1, "its address, once: {reason}");
}

#[test]
fn file_addresses_are_paths() {
    let Some(video) = fixture("conforming-9x16.mp4") else { return };
    let server = Server::of_files();
    let dir = tempdir().unwrap();
    std::fs::copy(video, dir.path().join("a clip.mp4")).unwrap();
    let address = format!("file://{}/a%20clip.mp4", dir.path().display());
    let ran = ran(pinpress(server.address, dir.path()).args(["check", "--format", "json", &address]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let path = dir.path().join("a clip.mp4");
    assert_eq!(report(&ran.stdout)["videos"][0]["path"], path.to_str().unwrap());
}
