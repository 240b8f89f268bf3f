//! What must be whole: fetched, worked on, delivered.

use std::io::Write as _;
use std::path::PathBuf;

use tempfile::tempdir;

use crate::ground::{files, fixture, left_behind, pinpress, ran, report, upload};
use crate::proxy::Proxy;
use crate::servers::{Server, address, keys, put};

/// One that fits, one of another container, one with another sound.
pub(crate) const VIDEOS: [(&str, &str); 3] = [
    ("conforming-9x16.mp4", "raw/fits.mp4"),
    ("matroska-fit.mkv", "raw/deep/other.mkv"),
    ("pcm-sound.mov", "raw/sound.mov"),
];

#[test]
fn objects_are_fixed_into_a_folder_and_their_copies_go() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS) else { return };
    let dir = tempdir().unwrap();
    let fix =
        || ran(pinpress(server.address, dir.path()).args(["fix", "--format", "json", "s3://media/raw/", "-o", "out"]));
    let first = fix();
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    let out = dir.path().join("out");
    assert_eq!(files(&out), ["deep/other.mp4", "fits.mp4", "sound.mp4"]);
    assert!(!out.join(".pinpress").exists(), "a working folder is left");
    let told = report(&first.stdout);
    let sources: Vec<_> =
        told["videos"].as_array().unwrap().iter().map(|video| video["path"].as_str().unwrap()).collect();
    assert_eq!(sources, ["s3://media/raw/deep/other.mkv", "s3://media/raw/fits.mp4", "s3://media/raw/sound.mov"]);
    let checked = ran(pinpress(server.address, dir.path()).args(["check", "out"]));
    assert_eq!(checked.code, 0, "{}", checked.stdout);
    // What is there already is kept, and not made again.
    let written = |name: &str| std::fs::metadata(out.join(name)).unwrap().modified().unwrap();
    let before = written("sound.mp4");
    assert_eq!(fix().code, 0);
    assert_eq!(written("sound.mp4"), before);
    assert_eq!(left_behind(dir.path()), Vec::<PathBuf>::new());
}

#[test]
fn results_go_to_storage_under_their_own_keys() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS) else { return };
    let dir = tempdir().unwrap();
    // The output lies below the input, and is none.
    let fix = |at, more: &[&str]| {
        ran(pinpress(at, dir.path())
            .args(["fix", "--format", "json", "s3://media", "-o", "s3://media/out/"])
            .args(more))
    };
    let first = fix(server.address, &[]);
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    let outputs = ["out/raw/deep/other.mp4", "out/raw/fits.mp4", "out/raw/sound.mp4"];
    let all = || keys(&server.bucket()).into_iter().filter(|key| key.starts_with("out/")).collect::<Vec<_>>();
    assert_eq!(all(), outputs);
    let told = report(&first.stdout);
    assert_eq!(told["videos"][1]["output"], "s3://media/out/raw/fits.mp4");
    let checked = ran(pinpress(server.address, dir.path()).args(["check", "s3://media/out/"]));
    assert_eq!(checked.code, 0, "{}", checked.stdout);
    assert_eq!((left_behind(dir.path()), files(dir.path())), (Vec::new(), Vec::new()));

    // The second time nothing is made, and of what fits nothing but its index travels.
    let etags = || {
        let bucket = server.bucket();
        outputs.map(|key| bucket.look(&address(key)).unwrap().etag)
    };
    let before = etags();
    let proxy = Proxy::before(server.address);
    let again = fix(proxy.address, &["--include", "fits.mp4"]);
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    assert_eq!(etags(), before);
    assert!(proxy.down() < 300_000, "{} bytes travelled", proxy.down());

    // What is somebody else's stays.
    put(&server.bucket(), "out/raw/sound.mp4", b"somebody else's");
    let refused = fix(server.address, &["--include", "sound.mov"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stdout.contains("--overwrite replaces it"), "{}", refused.stdout);
    assert_eq!(server.bucket().look(&address("out/raw/sound.mp4")).unwrap().size, 15);
    assert_eq!(fix(server.address, &["--include", "sound.mov", "--overwrite"]).code, 0);
    assert!(server.bucket().look(&address("out/raw/sound.mp4")).unwrap().size > 10_000);
}

#[test]
fn a_line_that_is_cut_in_the_upload_leaves_no_result() {
    let server = Server::moto();
    let Some(()) = upload(&server, &[("matroska-fit.mkv", "raw/other.mkv")]) else { return };
    let dir = tempdir().unwrap();
    let proxy = Proxy::before(server.address);
    // Requests alone are some kilobytes; the video has a million.
    proxy.cut_after(300_000);
    let ran = ran(pinpress(proxy.address, dir.path()).args(["fix", "s3://media/raw/", "-o", "s3://media/out"]));
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(proxy.is_cut() && ran.stdout.contains("the storage cannot be reached"), "{}", ran.stdout);
    assert_eq!(keys(&server.bucket()), ["raw/other.mkv"]);
    assert_eq!(left_behind(dir.path()), Vec::<PathBuf>::new());
}

#[test]
fn covers_of_objects_are_pictures_here() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS[..1]) else { return };
    let dir = tempdir().unwrap();
    let covered =
        ran(pinpress(server.address, dir.path()).args(["cover", "-n", "2", "s3://media/raw/fits.mp4", "-o", "covers"]));
    assert_eq!(covered.code, 0, "{}{}", covered.stdout, covered.stderr);
    let local = dir.path().join("local/fits.mp4");
    std::fs::create_dir(local.parent().unwrap()).unwrap();
    std::fs::copy(fixture(VIDEOS[0].0).unwrap(), local).unwrap();
    let here = ran(pinpress(server.address, dir.path()).args(["cover", "-n", "2", "local/fits.mp4", "-o", "local"]));
    assert_eq!(here.code, 0, "{}{}", here.stdout, here.stderr);
    let pictures = files(&dir.path().join("covers"));
    assert!(!pictures.is_empty());
    for name in pictures {
        let read = |folder: &str| std::fs::read(dir.path().join(folder).join(&name)).unwrap();
        assert!(read("covers") == read("local"), "{name} is another picture");
    }
    assert!(!dir.path().join("covers/.pinpress").exists());
}

#[test]
fn plans_are_made_without_a_place_for_results() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS) else { return };
    let dir = tempdir().unwrap();
    let planned = ran(pinpress(server.address, dir.path()).args(["fix", "--plan", "s3://media/raw/"]));
    assert_eq!(planned.code, 0, "{}{}", planned.stdout, planned.stderr);
    assert!(planned.stdout.contains("s3://media/raw/sound.mov"), "{}", planned.stdout);
    assert_eq!((left_behind(dir.path()), files(dir.path())), (Vec::new(), Vec::new()));
}

#[test]
fn what_fits_goes_to_its_place_without_travelling() {
    let Some(video) = fixture("conforming-9x16.mp4") else { return };
    let server = Server::of_files();
    // Made large by a box that readers pass over (ISO/IEC 14496-12 §8.1.2).
    server.plant("raw.mp4", |mut file| {
        file.write_all(&std::fs::read(&video).unwrap()).unwrap();
        file.write_all(b"\x02\x00\x00\x00free").unwrap();
        file.set_len(file.metadata().unwrap().len() - 8 + 0x0200_0000).unwrap();
    });
    let size = std::fs::metadata(server.file("raw.mp4")).unwrap().len();
    let dir = tempdir().unwrap();
    let fix = |more: &[&str]| {
        let proxy = Proxy::before(server.address);
        let mut command = pinpress(proxy.address, dir.path());
        let fixed = ran(command.args(["fix", "--format", "json", "s3://media/raw.mp4"]).args(more));
        assert!(proxy.down() + proxy.up() < 300_000, "{} bytes travelled", proxy.down() + proxy.up());
        fixed
    };
    let planned = fix(&["--plan"]);
    assert_eq!(planned.code, 0, "{}{}", planned.stdout, planned.stderr);
    assert_eq!(report(&planned.stdout)["videos"][0]["plan"]["action"], "passthrough");
    let fixed = fix(&["-o", "s3://media/out"]);
    assert_eq!(fixed.code, 0, "{}{}", fixed.stdout, fixed.stderr);
    assert_eq!(report(&fixed.stdout)["videos"][0]["output"], "s3://media/out/raw.mp4");
    let bytes = |key: &str| std::fs::read(server.file(key)).unwrap();
    assert!(bytes("out/raw.mp4") == bytes("raw.mp4"), "it is another file of {size} bytes");
    assert!(!keys(&server.bucket()).iter().any(|key| key.ends_with(".pinpress-tmp")));

    // Somebody else's stays.
    put(&server.bucket(), "out/raw.mp4", b"somebody else's");
    let refused = fix(&["-o", "s3://media/out"]);
    assert!(refused.code == 1 && refused.stdout.contains("--overwrite replaces it"), "{}", refused.stdout);
    assert_eq!(server.bucket().look(&address("out/raw.mp4")).unwrap().size, 15);
    assert_eq!(fix(&["-o", "s3://media/out", "--overwrite"]).code, 0);
    assert!(bytes("out/raw.mp4") == bytes("raw.mp4"));
}
