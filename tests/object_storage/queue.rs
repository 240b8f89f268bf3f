//! A queue whose videos come from a bucket and go to one, worked off by machines that have no folder in common.

use std::path::Path;

use assert_cmd::Command;
use pinpress_fixtures::Postgres;
use pinpress_fixtures::postgres::database_of;
use pinpress_rehearsal::Rehearsal;
use tempfile::tempdir;

use crate::fix::VIDEOS;
use crate::ground::{files, pinpress, ran, upload};
use crate::runs::account;
use crate::servers::{Server, keys};

struct Team {
    server: Server,
    database: Postgres,
    url: String,
    pinterest: Rehearsal,
}

impl Team {
    fn on(&self, home: &Path, arguments: &[&str]) -> Command {
        let mut command = pinpress(self.server.address, home);
        command.env("PINPRESS_ACCESS_TOKEN", self.pinterest.token()).env("PINPRESS_API", self.pinterest.api_base());
        command.env("PINPRESS_LEDGER", &self.url).env("XDG_STATE_HOME", home.join("state")).args(arguments);
        command
    }

    fn counted(&self, sql: &str) -> String {
        self.database.psql(database_of(&self.url), &format!("SET search_path TO pinpress; {sql}")).unwrap()
    }
}

#[test]
fn machines_without_a_common_folder_share_the_work() {
    let Some(database) = Postgres::start() else { return };
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS) else { return };
    let homes = [tempdir().unwrap(), tempdir().unwrap(), tempdir().unwrap()];
    let [desk, one, other] = homes.each_ref().map(tempfile::TempDir::path);
    let pinterest = account(desk);
    let team = Team { url: database.database(), server, database, pinterest };
    let enqueue = |more: &[&str]| {
        let entered = ran(team
            .on(desk, &["enqueue", "s3://media/raw/", "-o", "s3://media/out/", "--preset", "ultrafast"])
            .args(more));
        assert_eq!(entered.code, 0, "{}{}", entered.stdout, entered.stderr);
    };
    // One machine fixes, and is gone.
    enqueue(&["--no-publish"]);
    let fixed = ran(&mut team.on(one, &["work", "--until-empty", "--jobs", "1"]));
    assert_eq!(fixed.code, 0, "{}{}", fixed.stdout, fixed.stderr);
    std::fs::remove_dir_all(one.join("state")).unwrap();
    assert_eq!(team.counted("SELECT count(*) FROM history WHERE event = 'fixed'"), "3");
    let outputs = team.counted("SELECT convert_from(output, 'UTF8') FROM jobs ORDER BY output");
    assert_eq!(outputs, "s3://media/out/deep/other.mp4\ns3://media/out/fits.mp4\ns3://media/out/sound.mp4");
    // Another publishes what is in storage, and makes nothing again.
    enqueue(&["--board", "Rehearsal"]);
    let published = ran(&mut team.on(other, &["work", "--until-empty", "--jobs", "1"]));
    assert_eq!(published.code, 0, "{}{}", published.stdout, published.stderr);
    assert_eq!(team.pinterest.pins().len(), 3);
    assert_eq!(team.counted("SELECT count(*) FROM history WHERE event = 'fixed'"), "3");
    let all = keys(&team.server.bucket());
    let results = |suffix: &str| all.iter().filter(|key| key.starts_with("out/") && key.ends_with(suffix)).count();
    assert_eq!([".mp4", ".cover.jpg", ".pin.json", ".pinpress-tmp"].map(results), [3, 3, 3, 0], "{all:?}");
    assert!(!files(&other.join("state")).iter().any(|name| name.ends_with(".mp4")));

    let status = ran(&mut team.on(desk, &["status", "s3://media/out/", "--format", "json"]));
    assert_eq!(status.code, 0, "{}{}", status.stdout, status.stderr);
    assert!(status.stdout.contains("s3://media/raw/sound.mov"), "{}", status.stdout);
}

#[test]
fn what_waits_for_its_time_is_published_out_of_storage() {
    let Some(database) = Postgres::start() else { return };
    let server = Server::moto();
    let Some(()) = upload(&server, &VIDEOS[..1]) else { return };
    let homes = [tempdir().unwrap(), tempdir().unwrap()];
    let [one, other] = homes.each_ref().map(tempfile::TempDir::path);
    let pinterest = account(one);
    let team = Team { url: database.database(), server, database, pinterest };
    let manifest = "file,board,publish_at\nfits.mp4,Rehearsal,2999-01-01T00:00:00Z\n";
    std::fs::write(one.join("pins.csv"), manifest).unwrap();
    let arguments = ["run", "s3://media/raw/", "-o", "s3://media/out", "--manifest", "pins.csv"];
    let waits = ran(&mut team.on(one, &arguments));
    assert_eq!(waits.code, 0, "{}{}", waits.stdout, waits.stderr);
    assert_eq!(team.pinterest.pins().len(), 0);
    team.counted("UPDATE pins SET publish_at = NULL, slot_at = NULL");
    let due = ran(&mut team.on(other, &["publish", "--due", "-o", "s3://media/out"]));
    assert_eq!(due.code, 0, "{}{}", due.stdout, due.stderr);
    assert_eq!(team.pinterest.pins().len(), 1);
    assert!(keys(&team.server.bucket()).contains(&"out/fits.pin.json".to_owned()));
}
