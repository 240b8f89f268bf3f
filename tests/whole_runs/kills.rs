//! Two hundred kills, at moments that are the same each time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use pinpress_rehearsal::Rehearsal;
use rustix::process::Signal;
use serde_json::Value;

use super::ground::{Ground, Moments, ran, signal};
use super::stage::{Stage, account, hashes};

const KILLS: u32 = 200;
/// Then what is left is done undisturbed, and the next folder begins.
const KILLS_IN_A_FOLDER: u32 = 25;
const FITTING: usize = 26;
const REMUXED: usize = 10;
const ENCODED: usize = 4;
const VIDEOS: usize = FITTING + REMUXED + ENCODED;

/// Forty videos, each of a content of its own.
fn make_videos(ground: &Ground) {
    let base = |name: &str, size: &str| {
        let path = ground.at(name);
        std::fs::rename(ground.clip(name, size, 4, 25), &path).unwrap();
        path
    };
    let fits = std::fs::read(base("fits.mp4", "270x480")).unwrap();
    for index in 0..FITTING {
        let mut bytes = fits.clone();
        // A `free` box (ISO/IEC 14496-12 §8.1.2) tells it apart.
        bytes.extend(9_u32.to_be_bytes());
        bytes.extend(b"free");
        bytes.push(u8::try_from(index).unwrap());
        std::fs::write(ground.at(&format!("raw/fits-{index:02}.mp4")), bytes).unwrap();
    }
    let titled = |from: &std::path::Path, name: String| {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-nostdin", "-i"]).arg(from).args(["-c", "copy", "-metadata"]);
        command.arg(format!("title={name}")).arg(ground.at("raw").join(&name));
        assert!(command.status().unwrap().success());
    };
    let remux = base("remux.mkv", "270x480");
    (0..REMUXED).for_each(|index| titled(&remux, format!("remux-{index}.mkv")));
    let encode = base("encode.mkv", "320x240");
    (0..ENCODED).for_each(|index| titled(&encode, format!("encode-{index}.mkv")));
}

/// An output folder and an account of its own, until all is published.
struct Round<'a> {
    stage: &'a Stage,
    pinterest: Rehearsal,
    /// Where the account keeps what it gets.
    folder: PathBuf,
    /// Pins of unknown outcome that were let go again, and videos that were cut off too often.
    settled: (usize, usize),
}

impl<'a> Round<'a> {
    fn new(stage: &'a Stage, number: u32) -> Self {
        let _ = std::fs::remove_dir_all(stage.out());
        let folder = format!("pinterest-{number}");
        let pinterest = account(&stage.ground, &folder);
        Self { stage, pinterest, folder: stage.ground.at(&folder), settled: (0, 0) }
    }

    fn on_account(&self, mut command: Command) -> Command {
        command.env("PINPRESS_ACCESS_TOKEN", self.pinterest.token()).env("PINPRESS_API", self.pinterest.api_base());
        command
    }

    fn start(&self) -> Child {
        let mut command = self.on_account(self.stage.run(&[]));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Comes to the end, with what only a person can say: of a Pin that was cut off just before it was sent nobody can
    /// know, and a video that was cut off ten times is set aside.
    fn finish(&mut self) {
        for _ in 0..3 {
            let said = ran(&mut self.on_account(self.stage.run(&[])));
            if said.code == Some(0) {
                return;
            }
            assert_eq!(said.code, Some(1), "{said:?}");
            let status = self.stage.status();
            let videos = status["videos"].as_array().unwrap();
            let unknown: Vec<&Value> = videos.iter().filter(|video| video["pins"][0]["status"] == "unknown").collect();
            let given_up = |video: &&Value| video["state"] == "set-aside" || video["pins"][0]["status"] == "set-aside";
            let set_aside = videos.iter().filter(given_up).count();
            assert!(!unknown.is_empty() || set_aside > 0, "{said:?} {status:#}");
            self.settled = (self.settled.0 + unknown.len(), self.settled.1 + set_aside);
            for video in unknown {
                let title = video["pins"][0]["title"].as_str();
                let there = self.pinterest.pins().iter().any(|pin| pin.title.as_deref() == title);
                assert!(!there, "it could have been found: {title:?}");
            }
            let told = ran(&mut self.on_account(self.stage.command(&["reconcile", "-o", "out", "--resend", "--all"])));
            assert_eq!(told.code, Some(0), "{told:?}");
            let told = ran(&mut self.on_account(self.stage.command(&["retry", "-o", "out"])));
            assert_eq!(told.code, Some(0), "{told:?}");
        }
        panic!("it never ends: {:#}", self.stage.status());
    }

    /// Outputs and covers, by their hashes.
    fn results(&self) -> BTreeMap<String, String> {
        let mut results = hashes(&self.stage.out());
        results.retain(|name, _| !name.ends_with(".pin.json"));
        results
    }

    fn check(&self, expected: &BTreeMap<String, String>) {
        self.stage.ground.wait_for_workers();
        assert_eq!(&self.results(), expected, "the results are those of an undisturbed run, and nothing else is there");
        let tree = Ground::tree(&self.stage.out());
        let receipts: Vec<Value> = tree
            .iter()
            .filter(|(name, _)| name.ends_with(".pin.json"))
            .map(|(_, bytes)| serde_json::from_slice(bytes).unwrap())
            .collect();
        let mut told: Vec<&str> = receipts.iter().map(|receipt| receipt["pin"]["pin_id"].as_str().unwrap()).collect();
        let pins = self.pinterest.pins();
        let mut there: Vec<&str> = pins.iter().map(|pin| pin.id.as_str()).collect();
        told.sort_unstable();
        there.sort_unstable();
        assert_eq!((told.len(), &told), (VIDEOS, &there), "each Pin has one receipt");
        // What was uploaded for each Pin is an output, and each output is there once.
        let mut shown: Vec<String> = pins
            .iter()
            .map(|pin| std::fs::read(self.folder.join(format!("media/{}.mp4", pin.media_id))).unwrap())
            .map(|bytes| blake3::hash(&bytes).to_hex().to_string())
            .collect();
        let mut made: Vec<String> =
            expected.iter().filter(|(name, _)| name.ends_with(".mp4")).map(|(_, hash)| hash.clone()).collect();
        shown.sort_unstable();
        made.sort_unstable();
        assert_eq!(shown, made);
        let own = Ground::names(&self.stage.out().join(".pinpress"));
        assert!(own.iter().all(|name| !name.ends_with("tmp") && !name.ends_with("journal")), "{own:?}");
        let ledger = rusqlite::Connection::open(self.stage.out().join(".pinpress/ledger.db")).unwrap();
        let one = |query: &str| ledger.query_row(query, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(one("PRAGMA integrity_check"), "ok");
        assert_eq!(one("SELECT count(*) || '' FROM pins WHERE status = 'published'"), VIDEOS.to_string());
        assert_eq!(one("SELECT count(*) || '' FROM jobs WHERE lease_until IS NOT NULL OR state <> 'covered'"), "0");
    }
}

#[test]
fn two_hundred_kills_lose_nothing_and_publish_nothing_twice() {
    let Some(stage) = Stage::new() else { return };
    make_videos(&stage.ground);
    let sources = hashes(&stage.ground.at("raw"));
    assert_eq!(sources.len(), VIDEOS);
    let mut undisturbed = Round::new(&stage, 0);
    let begun = Instant::now();
    undisturbed.finish();
    let span = begun.elapsed();
    let expected = undisturbed.results();
    undisturbed.check(&expected);
    let mut moments = Moments(4);
    let (mut kills, mut with_temps, mut rounds, mut settled) = (0, 0, 0, (0, 0));
    while kills < KILLS {
        rounds += 1;
        assert!(rounds < KILLS, "the runs come to their ends before they are killed");
        let mut round = Round::new(&stage, rounds);
        for _ in 0..KILLS_IN_A_FOLDER {
            let mut child = round.start();
            // What was done stays done: together the runs of a folder go over the whole of the work.
            std::thread::sleep(moments.next(span / 8));
            let written_to = Ground::is_written_to(&stage.out());
            if kills % 2 == 1 {
                // As when the machine goes down: nobody is left to tidy up.
                signal(child.id(), Signal::STOP);
                for worker in stage.ground.workers() {
                    signal(worker, Signal::KILL);
                }
            }
            child.kill().unwrap();
            if child.wait().unwrap().code().is_some() {
                break;
            }
            kills += 1;
            with_temps += u32::from(written_to);
        }
        round.finish();
        round.check(&expected);
        settled = (settled.0 + round.settled.0, settled.1 + round.settled.1);
    }
    let (resent, retried) = settled;
    println!(
        "{kills} kills in {rounds} folders of {} s each undisturbed: {with_temps} during a write, {resent} Pins of \
         unknown outcome, {retried} videos set aside",
        span.as_secs_f32()
    );
    assert!(with_temps > 0, "no kill hit a file that was being written");
    assert_eq!(hashes(&stage.ground.at("raw")), sources, "the sources were touched");
}
