//! Several runs on one ledger in a `PostgreSQL` database.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use pinpress_fixtures::Postgres;
use pinpress_fixtures::postgres::database_of;
use pinpress_rehearsal::{Rehearsal, RehearsalOptions};

use super::{files, folder, in_background, json, output_of, pinpress};

/// Two folders, one video of which is in both.
const RAW: [(&str, &str); 6] = [
    ("conforming-9x16.mp4", "one/ready.mp4"),
    ("pcm-sound.mov", "one/pcm.mov"),
    ("matroska-fit.mkv", "one/camera.mkv"),
    ("conforming-9x16.mp4", "two/again.mp4"),
    ("film-24fps.mp4", "two/film.mp4"),
    ("not-a-video.mp4", "two/broken.mp4"),
];

struct Team {
    dir: tempfile::TempDir,
    server: &'static Postgres,
    url: String,
    pinterest: Rehearsal,
}

impl Team {
    fn new() -> Option<Self> {
        let server = Postgres::shared()?;
        let dir = folder(&RAW)?;
        let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
        Some(Self { url: server.database(), dir, server, pinterest })
    }

    fn command(&self, args: &[&str]) -> assert_cmd::Command {
        let mut command = pinpress();
        command.current_dir(self.dir.path()).env("PINPRESS_LEDGER", &self.url).args(args);
        command.env("PINPRESS_ACCESS_TOKEN", self.pinterest.token()).env("PINPRESS_API", self.pinterest.api_base());
        command
    }

    fn run(&self, name: &str) -> assert_cmd::Command {
        let output = format!("out-{name}");
        self.command(&["run", name, "-o", &output, "--board", "rehearsal", "--preset", "ultrafast", "-q"])
    }

    fn start(&self, name: &str) -> Child {
        let command = self.run(name);
        in_background(&command, self.dir.path())
    }

    fn counted(&self, sql: &str) -> String {
        self.server.psql(database_of(&self.url), &format!("SET search_path TO pinpress; {sql}")).unwrap()
    }
}

#[test]
fn two_runs_share_a_ledger_and_publish_the_same_content_once() {
    let Some(team) = Team::new() else { return };
    let mut at_once = ["one", "two"].map(|name| team.start(name));
    let codes = at_once.each_mut().map(|run| run.wait().unwrap().code());
    // What is no video fails; and of the same content on one board the second waits for the first, if it is under way.
    assert_eq!((codes[0].is_some_and(|code| code <= 1), codes[1]), (true, Some(1)));
    for name in ["one", "two"] {
        output_of(&mut team.run(name), team.dir.path());
    }
    let outputs = |name: &str| files(&team.dir.path().join(name), ".mp4").len();
    assert_eq!((outputs("out-one"), outputs("out-two")), (3, 2), "each folder has what was made of its videos");
    assert_eq!(team.counted("SELECT count(*) FROM pins WHERE status = 'published'"), "4", "five outputs, one twice");
    assert_eq!(team.pinterest.pins().len(), 4);

    let status = output_of(&mut team.command(&["status", "--format", "json"]), team.dir.path());
    assert_eq!((status.code, json(&status)["videos"].as_array().unwrap().len()), (1, 6), "{}", status.stderr);
    assert!(!team.dir.path().join(".pinpress").exists(), "status makes nothing");
    let files = [Path::new("out-one/.pinpress/ledger.db"), Path::new("out-two/.pinpress/ledger.db")];
    assert!(files.iter().all(|file| !team.dir.path().join(file).exists()), "the ledger is elsewhere");
}

/// Its leases last for minutes: the run that follows in the same folder knows that it is dead.
#[test]
fn who_goes_on_after_a_killed_run_need_not_wait_for_its_leases() {
    let Some(team) = Team::new() else { return };
    let mut killed = team.start("two");
    let begun = Instant::now();
    while !team.counted("SELECT to_regclass('pinpress.jobs') IS NOT NULL").contains('t')
        || team.counted("SELECT count(*) FROM jobs WHERE lease_until > now()") == "0"
    {
        assert!(begun.elapsed() < Duration::from_secs(60) && killed.try_wait().unwrap().is_none(), "it claims nothing");
        std::thread::sleep(Duration::from_millis(10));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let ran = output_of(&mut team.run("two"), team.dir.path());
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(team.counted("SELECT count(*) FROM pins WHERE status = 'published'"), "2", "{}", ran.stderr);
    assert_eq!(team.counted("SELECT count(*) FROM jobs WHERE claimed_by IS NOT NULL"), "0");
}

/// Videos of a folder, each once in each of many folders.
pub(super) const MANY: [&str; 4] = ["conforming-9x16.mp4", "pcm-sound.mov", "matroska-fit.mkv", "upright-16x9.mp4"];

/// Puts so many copies of each of [`MANY`] into folders below `raw`, no two of the same content, and answers how many
/// videos that makes.
pub(super) fn copies(dir: &Path, count: u8) -> usize {
    for copy in 0..count {
        for name in MANY {
            let path = dir.join(format!("raw/{copy}/{name}"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut bytes = std::fs::read(dir.join(name)).unwrap();
            // An element or a box that says nothing (RFC 8794 §11.3.2 `Void`; ISO/IEC 14496-12 §8.1.2 `free`).
            if name.ends_with("mkv") {
                bytes.extend([0xEC, 0x81, copy]);
            } else {
                bytes.extend([0, 0, 0, 9, b'f', b'r', b'e', b'e', copy]);
            }
            std::fs::write(path, bytes).unwrap();
        }
    }
    usize::from(count) * MANY.len()
}

/// Many processes on one folder, that are killed again and again, and so is their database.
#[test]
fn parts_that_are_killed_with_their_database_publish_each_video_once() {
    let Some(mut server) = Postgres::start() else { return };
    let Some(dir) = folder(&MANY.map(|name| (name, name))) else { return };
    let videos = copies(dir.path(), 6);
    let url = server.database();
    let pinterest = Rehearsal::start(RehearsalOptions::new(dir.path().join("pinterest"))).unwrap();
    let part = |part: usize| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pinpress"));
        command.current_dir(dir.path()).args(["run", "raw", "-o", "out", "--board", "rehearsal"]);
        command.args(["--preset", "ultrafast", "--jobs", "1", "-q", "--ledger", &url]);
        command.args(["--shard", &format!("{part}/4")]).env("XDG_CONFIG_HOME", "/nowhere");
        command.env("PINPRESS_ACCESS_TOKEN", pinterest.token()).env("PINPRESS_API", pinterest.api_base());
        command.env("PINPRESS_SETTLE", "0").env("PINPRESS_TOKEN_FILE", "no-login.json");
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut parts: Vec<Child> = (1..=4).map(part).collect();
    for round in 0_usize..8 {
        std::thread::sleep(Duration::from_millis(350 + 97 * (round as u64 % 5)));
        if round % 3 == 2 {
            server.kill().unwrap();
            server.up().unwrap();
        }
        let killed = round % parts.len();
        parts[killed].kill().unwrap();
        parts[killed].wait().unwrap();
        parts[killed] = part(killed + 1);
    }
    for (at, mut running) in parts.into_iter().enumerate() {
        running.wait().unwrap();
        // What was put off or unknown when it was killed is settled by a run to its end.
        part(at + 1).wait().unwrap();
    }
    let counted = |sql: &str| server.psql(database_of(&url), &format!("SET search_path TO pinpress; {sql}")).unwrap();
    assert_eq!(counted("SELECT count(*) FROM jobs WHERE state = 'covered'"), videos.to_string());
    let unknown: usize = counted("SELECT count(*) FROM pins WHERE status = 'unknown'").parse().unwrap();
    assert_eq!(counted("SELECT count(*) FROM pins WHERE status = 'published'"), (videos - unknown).to_string());
    // One whose answer was lost is on the board or not; none is there twice.
    let pins = pinterest.pins().len();
    assert!((videos - unknown..=videos).contains(&pins), "{pins} Pins, {unknown} unknown");
    assert_eq!(files(&dir.path().join("out"), ".mp4").len(), videos);
    assert!(files(&dir.path().join("out"), ".pinpress-tmp").is_empty(), "temp files are left");
    // The history has each attempt, and never two at once.
    let overlapping = "SELECT count(*) FROM (SELECT event, lag(event) OVER (PARTITION BY job ORDER BY id) AS before \
                       FROM history WHERE event IN ('fixing', 'fixed')) AS pair WHERE event = 'fixed' AND before = 'fixed'";
    assert_eq!(counted(overlapping), "0");
}

#[test]
fn a_password_is_not_told_whatever_goes_wrong() {
    let Some(dir) = folder(&[("conforming-9x16.mp4", "raw/a.mp4")]) else { return };
    let refused = "postgres://team:s3cret@127.0.0.1:1/pins?sslmode=disable";
    for (url, says) in [(refused, "cannot be reached"), ("postgres://team:s3cret@:::/x", "not the address of a ledger")]
    {
        for args in [&["run", "raw", "-o", "out", "--no-publish"][..], &["status"], &["retry"]] {
            let ran = output_of(pinpress().current_dir(dir.path()).args(args).args(["--ledger", url]), dir.path());
            assert_eq!(ran.code, 2, "{args:?} {}", ran.stderr);
            assert!(ran.stderr.contains(says), "{}", ran.stderr);
            assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("s3cret"), "{}", ran.stderr);
        }
    }
    let written = files(dir.path(), "").into_iter().filter_map(|file| std::fs::read(file).ok());
    assert!(written.into_iter().all(|bytes| !bytes.windows(6).any(|part| part == b"s3cret")), "it was written down");
}
