//! What Pins say, in files beside the videos of a bucket.

use std::collections::BTreeMap;

use pinpress_fixtures::Postgres;
use pinpress_rehearsal::Rehearsal;
use tempfile::tempdir;

use crate::fix::VIDEOS;
use crate::ground::{pinpress, ran, report, upload};
use crate::proxy::Proxy;
use crate::runs::{account, run};
use crate::servers::{Server, address, put};

/// Titles by links, which tell the Pins apart.
fn said(pinterest: &Rehearsal) -> BTreeMap<String, String> {
    let both = |pin: pinpress_rehearsal::KeptPin| (pin.link.unwrap_or_default(), pin.title.unwrap_or_default());
    pinterest.pins().into_iter().map(both).collect()
}

const OF_FITS: &[u8] = b"title = 'Bread'\nlink = 'https://example.com/bread'\ncover_image_timestamp_ms = 2000\n";
const OF_SOUND: &[u8] = b"title = 'Sound'\nlink = 'https://example.com/sound'\n";

#[test]
fn pins_say_what_stands_beside_their_videos() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS) else { return };
    put(&server.bucket(), "raw/fits.pin.toml", OF_FITS);
    put(&server.bucket(), "raw/sound.mov.pin.toml", OF_SOUND);
    put(&server.bucket(), "raw/sound.pin.toml", b"title = 'Of another, that is not there'");
    // In a folder without a video of ours nobody looks.
    put(&server.bucket(), "raw/notes/gone.pin.toml", b"?");
    let dir = tempdir().unwrap();
    let pinterest = account(dir.path());
    let first = ran(&mut run(server.address, dir.path(), &pinterest));
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    let expected = [("", "other"), ("https://example.com/bread", "Bread"), ("https://example.com/sound", "Sound")];
    assert_eq!(said(&pinterest), expected.map(|(link, title)| (link.to_owned(), title.to_owned())).into());
    let receipt = report(&std::fs::read_to_string(dir.path().join("out/fits.pin.json")).unwrap());
    assert_eq!(receipt["cover"]["time_ms"], 2000, "{receipt}");
    // The second time a page of the listing travels, and each sidecar once.
    let proxy = Proxy::before(server.address);
    let again = ran(&mut run(proxy.address, dir.path(), &pinterest));
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    assert_eq!((proxy.requests(), pinterest.pins().len()), (3, 3));
}

#[test]
fn every_mistake_is_told_before_anything_is_sent() {
    let server = Server::moto();
    let Some(()) = upload(&server, &[VIDEOS[0], ("pcm-sound.mov", "raw/fits.mov"), VIDEOS[2]]) else { return };
    put(&server.bucket(), "raw/fits.pin.toml", OF_FITS);
    put(&server.bucket(), "raw/sound.pin.toml", b"titel = 'x'\n");
    put(&server.bucket(), "raw/gone.pin.toml", OF_FITS);
    let dir = tempdir().unwrap();
    let pinterest = account(dir.path());
    let refused = ran(&mut run(server.address, dir.path(), &pinterest));
    assert_eq!(refused.code, 2, "{}{}", refused.stdout, refused.stderr);
    for told in [
        "the texts of the Pins have 3 mistakes",
        "it could be of each of fits.mov, fits.mp4: call it fits.mov.pin.toml for the one: s3://media/raw/fits.pin.toml",
        "no video is called gone here: rename the sidecar, or move it away: s3://media/raw/gone.pin.toml",
        "line 1, column 9, titel: unknown column: is it title?: s3://media/raw/sound.pin.toml",
    ] {
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
    assert_eq!(pinterest.pins().len(), 0);
    // Who publishes nothing need not mend them.
    let fixed =
        ran(pinpress(server.address, dir.path()).args(["run", "s3://media/raw/", "-o", "fixed", "--no-publish"]));
    assert_eq!(fixed.code, 0, "{}{}", fixed.stdout, fixed.stderr);
}

#[test]
fn an_object_that_is_given_itself_has_its_sidecar_too() {
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS) else { return };
    put(&server.bucket(), "raw/fits.pin.toml", OF_FITS);
    let dir = tempdir().unwrap();
    let pinterest = account(dir.path());
    let mut command = pinpress(server.address, dir.path());
    command.env("PINPRESS_ACCESS_TOKEN", pinterest.token()).env("PINPRESS_API", pinterest.api_base());
    command.args(["run", "s3://media/raw/fits.mp4", "s3://media/raw/sound.mov", "-o", "out", "--preset", "ultrafast"]);
    let ran = ran(command.args(["--board", "Rehearsal", "--format", "json"]));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let expected = [("", "sound"), ("https://example.com/bread", "Bread")];
    assert_eq!(said(&pinterest), expected.map(|(link, title)| (link.to_owned(), title.to_owned())).into());
}

#[test]
fn a_queue_is_told_what_stands_beside() {
    let Some(database) = Postgres::start() else { return };
    let url = database.database();
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS[..1]) else { return };
    put(&server.bucket(), "raw/gone.pin.toml", OF_SOUND);
    let dir = tempdir().unwrap();
    let pinterest = account(dir.path());
    let on = |arguments: &[&str]| {
        let mut command = pinpress(server.address, dir.path());
        command.env("PINPRESS_ACCESS_TOKEN", pinterest.token()).env("PINPRESS_API", pinterest.api_base());
        command.env("PINPRESS_LEDGER", &url).env("XDG_STATE_HOME", dir.path().join("state"));
        ran(command.args(arguments))
    };
    let enqueue =
        ["enqueue", "s3://media/raw/", "-o", "s3://media/out/", "--board", "Rehearsal", "--preset", "ultrafast"];
    let refused = on(&enqueue);
    assert_eq!(refused.code, 2, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("no video is called gone here"), "{}", refused.stderr);
    server.bucket().remove(&address("raw/gone.pin.toml")).unwrap();
    put(&server.bucket(), "raw/fits.pin.toml", OF_FITS);
    let entered = on(&enqueue);
    assert_eq!(entered.code, 0, "{}{}", entered.stdout, entered.stderr);
    let worked = on(&["work", "--until-empty", "--jobs", "1"]);
    assert_eq!(worked.code, 0, "{}{}", worked.stdout, worked.stderr);
    assert_eq!(said(&pinterest).into_values().collect::<Vec<_>>(), ["Bread"]);
}
