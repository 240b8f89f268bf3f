//! The SQLite ledger: versions, crashes between intent and outcome, attempts, Pins.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]

use std::path::Path;

use pinpress_media::{Action, FixOptions, Plan};
use pinpress_pipeline::ledger::{
    CoverRecord, FileStamp, JobKey, JobState, Ledger, LedgerError, MAX_ATTEMPTS, MAX_CUT_OFF, PinKey, PinStatus,
    RenditionRecord, SqliteLedger, Step, StepOutcome,
};
use pinpress_probe::{Fingerprint, Seconds, Source, Spec};

fn fingerprint(content: &str) -> Fingerprint {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    std::fs::write(&path, content).unwrap();
    Source::open(&path).unwrap().fingerprint().unwrap()
}

fn key(content: &str) -> JobKey {
    JobKey::new(fingerprint(content), &Spec::load("pinterest").unwrap(), &FixOptions::default())
}

fn plan() -> Plan {
    Plan { action: Action::Remux, ..Plan::passthrough(Some(Seconds::from_millis(5_000))) }
}

fn stamp() -> FileStamp {
    FileStamp { len: 5, mtime_ns: -7, inode: u64::MAX }
}

fn fixed(content: &str) -> StepOutcome {
    let rendition = RenditionRecord { fingerprint: fingerprint(content), stamp: stamp() };
    StepOutcome::Fixed { plan: Box::new(plan()), rendition }
}

struct Scratch {
    dir: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join(".pinpress/ledger.db")
    }

    /// What the next process finds.
    fn open(&self) -> SqliteLedger {
        SqliteLedger::open(&self.path()).unwrap()
    }
}

#[test]
fn a_newer_ledger_is_refused_and_not_changed() {
    let scratch = Scratch::new();
    drop(scratch.open());
    let raw = rusqlite::Connection::open(scratch.path()).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    raw.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(raw);
    let before = std::fs::read(scratch.path()).unwrap();
    let error = SqliteLedger::open(&scratch.path()).unwrap_err();
    assert!(matches!(error, LedgerError::Newer { found: 99, known: 2, .. }), "{error}");
    assert!(error.to_string().contains("use a newer pinpress"), "{error}");
    assert_eq!(std::fs::read(scratch.path()).unwrap(), before);
}

#[test]
fn another_programs_database_is_refused_and_not_changed() {
    let scratch = Scratch::new();
    std::fs::create_dir_all(scratch.path().parent().unwrap()).unwrap();
    let raw = rusqlite::Connection::open(scratch.path()).unwrap();
    raw.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(raw);
    let before = std::fs::read(scratch.path()).unwrap();
    assert!(matches!(SqliteLedger::open(&scratch.path()), Err(LedgerError::Foreign { .. })));
    assert_eq!(std::fs::read(scratch.path()).unwrap(), before);
    std::fs::write(scratch.path(), b"not a database at all, but long enough to be looked at").unwrap();
    assert!(matches!(SqliteLedger::open(&scratch.path()), Err(LedgerError::Database { .. })));
}

#[test]
fn commits_reach_the_disk() {
    let scratch = Scratch::new();
    let ledger = scratch.open();
    ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap();
    // The settings of a connection are its own; the journal mode is the file's.
    let raw = rusqlite::Connection::open(scratch.path()).unwrap();
    let mode: String = raw.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    let intact: String = raw.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(intact, "ok");
}

#[test]
fn a_file_is_known_until_it_is_written() {
    let scratch = Scratch::new();
    let ledger = scratch.open();
    let path = Path::new("/raw/a.mkv");
    let content = fingerprint("a");
    assert_eq!(ledger.fingerprint(path, stamp()).unwrap(), None);
    ledger.remember(path, stamp(), &content).unwrap();
    assert_eq!(ledger.fingerprint(path, stamp()).unwrap(), Some(content));
    for changed in
        [FileStamp { len: 6, ..stamp() }, FileStamp { mtime_ns: 8, ..stamp() }, FileStamp { inode: 1, ..stamp() }]
    {
        assert_eq!(ledger.fingerprint(path, changed).unwrap(), None, "{changed:?}");
    }
}

#[test]
fn everything_is_there_after_a_restart() {
    let scratch = Scratch::new();
    let cover = CoverRecord { time: Seconds::from_millis(1_234), asked: None, stamp: stamp() };
    let ledger = scratch.open();
    let job = ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap();
    assert_eq!(job.state, JobState::Checked);
    let attempt = ledger.begin(job.id, Step::Fix).unwrap().unwrap();
    ledger.finish(attempt, &fixed("out")).unwrap();
    let attempt = ledger.begin(job.id, Step::Cover).unwrap().unwrap();
    ledger.finish(attempt, &StepOutcome::Covered(cover.clone())).unwrap();
    drop(ledger);
    let job = scratch.open().find(&key("a")).unwrap().unwrap();
    assert_eq!(job.state, JobState::Covered);
    assert_eq!(job.plan, Some(plan()));
    assert_eq!(job.rendition.unwrap().fingerprint, fingerprint("out"));
    assert_eq!(job.cover, Some(cover));
    assert_eq!(job.attempts, 0);
}

#[test]
fn a_step_that_was_cut_off_is_seen_and_counts() {
    let scratch = Scratch::new();
    let id = scratch.open().enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
    for number in 1..=MAX_CUT_OFF {
        // Each time the process dies between intent and outcome.
        let attempt = scratch.open().begin(id, Step::Fix).unwrap().unwrap();
        assert_eq!(attempt.number, number);
        assert_eq!(scratch.open().find(&key("a")).unwrap().unwrap().state, JobState::Fixing);
    }
    assert_eq!(scratch.open().begin(id, Step::Fix).unwrap(), None);
    let job = scratch.open().find(&key("a")).unwrap().unwrap();
    assert_eq!(job.state, JobState::SetAside);
    assert!(job.reason.is_some());
}

#[test]
fn failures_are_counted_and_interruptions_are_not() {
    let scratch = Scratch::new();
    let ledger = scratch.open();
    let id = ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
    for _ in 0..5 {
        let attempt = ledger.begin(id, Step::Fix).unwrap().unwrap();
        ledger.finish(attempt, &StepOutcome::Released).unwrap();
    }
    for _ in 0..MAX_ATTEMPTS {
        let attempt = ledger.begin(id, Step::Fix).unwrap().unwrap();
        ledger.finish(attempt, &StepOutcome::Failed("the worker died".to_owned())).unwrap();
    }
    let job = ledger.find(&key("a")).unwrap().unwrap();
    assert_eq!((job.state, job.reason.as_deref()), (JobState::SetAside, Some("the worker died")));
    ledger.reopen(id, JobState::Checked).unwrap();
    assert_eq!(ledger.begin(id, Step::Fix).unwrap().unwrap().number, 1);
}

#[test]
fn an_attempt_that_was_overtaken_changes_nothing() {
    let scratch = Scratch::new();
    let ledger = scratch.open();
    let id = ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
    let first = ledger.begin(id, Step::Fix).unwrap().unwrap();
    let second = ledger.begin(id, Step::Fix).unwrap().unwrap();
    let late = ledger.finish(first, &StepOutcome::Impossible("late".to_owned()));
    assert!(matches!(late, Err(LedgerError::Superseded { number: 1 })));
    ledger.finish(second, &fixed("out")).unwrap();
    assert_eq!(ledger.find(&key("a")).unwrap().unwrap().state, JobState::Fixed);
}

#[test]
fn outputs_stay_with_their_sources_and_are_owned_once_begun() {
    let scratch = Scratch::new();
    let ledger = scratch.open();
    let (source, output) = (Path::new("/raw/a.mkv"), Path::new("a.mp4"));
    let id = ledger.enroll(&key("a"), source, output).unwrap().id;
    assert_eq!(ledger.outputs().unwrap().get(source).map(std::path::PathBuf::as_path), Some(output));
    assert!(!ledger.owns(output).unwrap());
    ledger.begin(id, Step::Fix).unwrap().unwrap();
    assert!(ledger.owns(output).unwrap());
    let moved = ledger.enroll(&key("a"), source, Path::new("b.mp4")).unwrap();
    assert_eq!((moved.state, moved.attempts), (JobState::Checked, 0));
    assert!(ledger.owns(output).unwrap(), "the file is still ours");
}

#[test]
fn one_pin_for_a_content_and_a_board_and_a_destination() {
    let scratch = Scratch::new();
    let ledger = scratch.open();
    let job = ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
    let attempt = ledger.begin(job, Step::Fix).unwrap().unwrap();
    ledger.finish(attempt, &fixed("out")).unwrap();
    let pin_key = |destination: &str, content: &str, board: &str| PinKey {
        destination: destination.to_owned(),
        fingerprint: fingerprint(content),
        board: board.to_owned(),
    };
    let first = ledger.open_pin(&pin_key("real", "a", "1"), job).unwrap();
    assert_eq!(ledger.open_pin(&pin_key("real", "a", "1"), job).unwrap().id, first.id);
    assert_ne!(ledger.open_pin(&pin_key("real", "a", "2"), job).unwrap().id, first.id);
    assert!(ledger.pin(&pin_key("rehearsal", "a", "1")).unwrap().is_none(), "a rehearsal is not the real thing");
    let of_output = ledger.pin(&pin_key("real", "out", "1")).unwrap();
    assert_eq!(of_output.map(|pin| pin.id), Some(first.id), "the output shows the same content");
    assert!(ledger.begin_pin(first.id).unwrap());
    ledger.save_pin_state(first.id, r#"{"state":"uploaded"}"#, None).unwrap();
    drop(ledger);
    let pin = scratch.open().pin(&pin_key("real", "a", "1")).unwrap().unwrap();
    assert_eq!((pin.status, pin.attempts), (PinStatus::Publishing, 1));
    assert_eq!(pin.state.as_deref(), Some(r#"{"state":"uploaded"}"#));
}

#[test]
fn a_pins_id_belongs_to_one_video() {
    let scratch = Scratch::new();
    let ledger = scratch.open();
    let job = ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
    let pin_of = |destination: &str, board: &str| {
        let (destination, board) = (destination.to_owned(), board.to_owned());
        ledger.open_pin(&PinKey { destination, fingerprint: fingerprint("a"), board }, job).unwrap().id
    };
    let (first, second, rehearsed) = (pin_of("real", "1"), pin_of("real", "2"), pin_of("rehearsal", "1"));
    ledger.save_pin_state(first, "{}", Some("99")).unwrap();
    ledger.save_pin_state(first, "{}", Some("99")).unwrap();
    assert!(ledger.save_pin_state(second, "{}", Some("99")).is_err());
    ledger.save_pin_state(rehearsed, "{}", Some("99")).unwrap();
    assert_eq!(ledger.pin_row("real", "99").unwrap(), Some(first));
    assert_eq!(ledger.pin_row("real", "98").unwrap(), None);
}

#[test]
fn a_pin_is_tried_three_times() {
    let scratch = Scratch::new();
    let ledger = scratch.open();
    let job = ledger.enroll(&key("a"), Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
    let pin_key = PinKey { destination: "x".to_owned(), fingerprint: fingerprint("a"), board: "1".to_owned() };
    let pin = ledger.open_pin(&pin_key, job).unwrap().id;
    for _ in 0..MAX_ATTEMPTS {
        assert!(ledger.begin_pin(pin).unwrap());
        ledger.set_pin_status(pin, PinStatus::Failed, Some("no answer")).unwrap();
    }
    assert!(!ledger.begin_pin(pin).unwrap());
    let pin = ledger.pin(&pin_key).unwrap().unwrap();
    assert_eq!((pin.status, pin.reason.as_deref()), (PinStatus::SetAside, Some("no answer")));
}
