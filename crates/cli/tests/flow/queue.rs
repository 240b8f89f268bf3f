//! Videos that are entered in a queue and worked off by several programs.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use pinpress_fixtures::Postgres;
use pinpress_fixtures::postgres::database_of;
use pinpress_rehearsal::{Rehearsal, RehearsalOptions};

use super::shared_ledger::{MANY, copies};
use super::{Ran, files, folder, in_background, json, output_of, pinpress};

/// A folder `raw`, a queue and a Pinterest.
struct Team {
    dir: tempfile::TempDir,
    server: Postgres,
    url: String,
    pinterest: Rehearsal,
    videos: usize,
}

impl Team {
    fn new(copied: u8) -> Option<Self> {
        let server = Postgres::start()?;
        let dir = folder(&MANY.map(|name| (name, name)))?;
        let videos = copies(dir.path(), copied);
        let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
        Some(Self { url: server.database(), dir, server, pinterest, videos })
    }

    fn command(&self, args: &[&str]) -> assert_cmd::Command {
        let mut command = pinpress();
        command.current_dir(self.dir.path()).env("PINPRESS_LEDGER", &self.url).args(args);
        command.env("PINPRESS_ACCESS_TOKEN", self.pinterest.token()).env("PINPRESS_API", self.pinterest.api_base());
        command.env("PINPRESS_SETTLE", "0");
        command
    }

    fn ran(&self, args: &[&str]) -> Ran {
        output_of(&mut self.command(args), self.dir.path())
    }

    fn enqueue(&self, more: &[&str]) -> Ran {
        let ran = self.ran(&[&["enqueue", "raw", "-o", "out", "--preset", "ultrafast"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran
    }

    /// A worker in the background.
    fn worker(&self, more: &[&str]) -> Child {
        let command = self.command(&[&["work", "--jobs", "1", "-q"], more].concat());
        in_background(&command, self.dir.path())
    }

    fn counted(&self, sql: &str) -> String {
        self.server.psql(database_of(&self.url), &format!("SET search_path TO pinpress; {sql}")).unwrap()
    }

    fn wait_until(&self, sql: &str, answer: &str) {
        let begun = Instant::now();
        while self.counted(sql) != answer {
            assert!(begun.elapsed() < Duration::from_secs(90), "{sql}: {}", self.counted(sql));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What is on the board, in the folder and in the queue at the end.
    fn assert_done(&self) {
        let (videos, out) = (self.videos.to_string(), self.dir.path().join("out"));
        assert_eq!(self.counted("SELECT count(*) FROM queue WHERE state = 'done'"), videos);
        assert_eq!(self.counted("SELECT count(*) FROM pins WHERE status = 'published'"), videos);
        assert_eq!(self.pinterest.pins().len(), self.videos);
        assert_eq!(files(&out, ".mp4").len(), self.videos);
        assert!(files(&out, ".pinpress-tmp").is_empty(), "temp files are left");
        assert_eq!(self.counted("SELECT count(*) FROM queue WHERE claimed_by IS NOT NULL"), "0");
        let twice = "SELECT count(*) FROM (SELECT job FROM history WHERE event = 'fixed' GROUP BY job HAVING count(*) > 1) AS x";
        assert_eq!(self.counted(twice), "0", "the history has each made once");
    }
}

#[test]
fn several_workers_do_each_video_once_and_the_status_tells_of_them() {
    let Some(team) = Team::new(3) else { return };
    let entered = team.enqueue(&["--board", "rehearsal"]);
    assert!(entered.stdout.contains("12 videos entered"), "{}", entered.stdout);
    let before = team.ran(&["status"]);
    assert!(before.stdout.contains("queue: 12 ready, 0 at work"), "{}", before.stdout);
    assert!(before.stdout.contains("nobody works on it"), "{}", before.stdout);

    let mut workers = [(); 3].map(|()| team.worker(&["--until-empty"]));
    let codes = workers.each_mut().map(|worker| worker.wait().unwrap().code());
    assert_eq!(codes, [Some(0); 3]);
    team.assert_done();
    let by = "SELECT count(DISTINCT ended_by) > 1 FROM queue";
    assert_eq!(team.counted(by), "t", "one did it all");

    let status = json(&team.ran(&["status", "--format", "json"]));
    assert_eq!((&status["queue"]["done"], &status["queue"]["ready"]), (&12.into(), &0.into()));
    let again = team.enqueue(&["--board", "rehearsal"]);
    assert!(again.stdout.contains("12 videos entered"), "{}", again.stdout);
    let looked = team.ran(&["work", "--until-empty", "--format", "ndjson"]);
    assert_eq!(looked.code, 0, "{}", looked.stderr);
    assert!(looked.stdout.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    team.assert_done();
}

#[test]
fn workers_that_are_killed_leave_their_videos_to_the_others() {
    let Some(team) = Team::new(5) else { return };
    killed(team, 3, 6);
}

#[test]
#[ignore = "takes some minutes: cargo test -p pinpress --test flow -- --ignored"]
fn eight_workers_that_are_killed_forty_times_do_four_hundred_videos_once() {
    let Some(team) = Team::new(100) else { return };
    killed(team, 8, 40);
}

/// So many workers are killed so often at any moment, and now and then the database; the leases of who was killed are
/// moved to their end, as time would.
fn killed(mut team: Team, workers: usize, kills: usize) {
    team.enqueue(&["--board", "rehearsal"]);
    let mut workers: Vec<Child> = (0..workers).map(|_| team.worker(&[])).collect();
    for round in 0..kills {
        std::thread::sleep(Duration::from_millis(400 + 130 * (round as u64 % 3)));
        if round % 10 == 2 {
            team.server.kill().unwrap();
            team.server.up().unwrap();
        }
        let killed = round % workers.len();
        let gone = workers[killed].id();
        workers[killed].kill().unwrap();
        workers[killed].wait().unwrap();
        workers[killed] = team.worker(&[]);
        // Who was killed holds its leases for two minutes, which pass at once here.
        for table in ["queue", "jobs", "pins"] {
            let of_the_dead = format!("claimed_by LIKE '%/{gone}/%'");
            team.counted(&format!("UPDATE {table} SET lease_until = clock_timestamp() WHERE {of_the_dead}"));
        }
    }
    for mut worker in workers {
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    for table in ["queue", "jobs", "pins"] {
        team.counted(&format!("UPDATE {table} SET lease_until = NULL"));
    }
    let last = team.ran(&["work", "--until-empty", "-q"]);
    let unknown: usize = team.counted("SELECT count(*) FROM pins WHERE status = 'unknown'").parse().unwrap();
    assert_eq!(last.code, i32::from(unknown > 0), "{}{}", last.stdout, last.stderr);
    assert_eq!(team.counted("SELECT count(*) FROM jobs WHERE state = 'covered'"), team.videos.to_string());
    let pins = team.pinterest.pins().len();
    assert!((team.videos - unknown..=team.videos).contains(&pins), "{pins} Pins, {unknown} unknown");
    assert_eq!(files(&team.dir.path().join("out"), ".mp4").len(), team.videos);
    assert!(files(&team.dir.path().join("out"), ".pinpress-tmp").is_empty(), "temp files are left");
}

#[test]
fn a_worker_that_waits_takes_what_comes_and_gives_back_what_it_did_not_begin() {
    let Some(team) = Team::new(4) else { return };
    let mut worker = team.worker(&[]);
    team.wait_until("SELECT to_regclass('pinpress.queue') IS NOT NULL", "t");
    team.enqueue(&["--no-publish"]);
    team.wait_until("SELECT count(*) > 0 FROM queue WHERE state = 'done'", "t");
    let stopped = std::process::Command::new("kill").args(["-TERM", &worker.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    assert_eq!(worker.wait().unwrap().code(), Some(130));
    assert_eq!(team.counted("SELECT count(*) FROM queue WHERE claimed_by IS NOT NULL"), "0", "it held on to videos");
    assert_eq!(team.ran(&["work", "--until-empty", "-q"]).code, 0);
    assert_eq!(team.counted("SELECT count(*) FROM queue WHERE state = 'done'"), team.videos.to_string());
    assert_eq!((team.pinterest.pins().len(), files(&team.dir.path().join("out"), ".mp4").len()), (0, team.videos));
}

#[test]
fn what_is_wrong_is_told_before_anything_is_entered() {
    let Some(team) = Team::new(1) else { return };
    let no_board = team.ran(&["enqueue", "raw", "-o", "out"]);
    assert!(no_board.code == 2 && no_board.stderr.contains("no board"), "{}", no_board.stderr);
    assert_eq!(team.counted("SELECT count(*) FROM queue"), "0");
    let in_a_file = team.ran(&["work", "--until-empty", "--ledger", "ledger.db"]);
    assert!(in_a_file.code == 2 && in_a_file.stderr.contains("--ledger postgres://"), "{}", in_a_file.stderr);
    assert!(!Path::new(&team.dir.path().join("ledger.db")).exists());

    team.enqueue(&["--board", "rehearsal"]);
    let elsewhere = output_of(
        team.command(&["work", "--until-empty"]).env("PINPRESS_API", "https://api-sandbox.pinterest.com/v5"),
        team.dir.path(),
    );
    assert!(elsewhere.code == 2 && elsewhere.stderr.contains("set PINPRESS_API"), "{}", elsewhere.stderr);
    assert_eq!(team.counted("SELECT count(*) FROM queue WHERE claimed_by IS NOT NULL"), "0", "it was given back");
}

#[test]
fn what_was_given_up_is_tried_again_when_it_is_asked_for() {
    let Some(team) = Team::new(1) else { return };
    let broken = team.dir.path().join("raw/0/broken.mp4");
    std::fs::write(&broken, [0; 4_000]).unwrap();
    team.enqueue(&["--no-publish"]);
    let worked = team.ran(&["work", "--until-empty", "-q"]);
    assert_eq!(worked.code, 1, "{}{}", worked.stdout, worked.stderr);
    assert_eq!(team.counted("SELECT count(*) FROM queue WHERE state = 'failed' AND attempts = 3"), "1");
    std::fs::copy(team.dir.path().join(MANY[0]), &broken).unwrap();
    let retried = team.ran(&["retry"]);
    assert_eq!(retried.code, 0, "{}", retried.stderr);
    let worked = team.ran(&["work", "--until-empty", "-q"]);
    assert_eq!(worked.code, 0, "{}{}", worked.stdout, worked.stderr);
    assert_eq!(team.counted("SELECT count(*) FROM queue WHERE state = 'done'"), (team.videos + 1).to_string());
}
