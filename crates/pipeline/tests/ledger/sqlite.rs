//! What is particular to the ledger in an SQLite file: versions, and what it does to the file.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use pinpress_pipeline::ledger::{Begun, Lease, Ledger, LedgerError, SqliteLedger, Step};
use pinpress_pipeline::{Clock, Interrupt};

use super::rules::{Place, enrolled, key};

/// A file in a folder of its own, and the time there.
pub(crate) struct Scratch {
    dir: tempfile::TempDir,
    clock: Arc<StillClock>,
}

/// Goes on only when it is told to.
#[derive(Debug)]
struct StillClock(Mutex<Timestamp>);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn wait(&self, until: Timestamp, _: &Interrupt) {
        *self.0.lock().unwrap() = until;
    }
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(StillClock(Mutex::new(Timestamp::now())));
        Self { dir: tempfile::tempdir().unwrap(), clock }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join(".pinpress/ledger.db")
    }

    fn open(&self) -> SqliteLedger {
        SqliteLedger::open(&self.path()).unwrap().with_clock(self.clock.clone())
    }
}

impl Place for Scratch {
    fn open(&self) -> Box<dyn Ledger> {
        Box::new(Self::open(self))
    }

    fn pass(&self, time: SignedDuration) {
        *self.clock.0.lock().unwrap() += time;
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
    assert!(matches!(error, LedgerError::Newer { found: 99, known: 3, .. }), "{error}");
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
fn who_holds_the_lock_need_not_wait_for_the_dead() {
    let scratch = Scratch::new();
    let ledger = scratch.open();
    let job = enrolled(&ledger, "a");
    let Begun::Attempt(dead) = ledger.begin(job, Step::Fix, &Lease::new()).unwrap() else { panic!("nobody held it") };
    let next = scratch.open();
    assert!(matches!(next.begin(job, Step::Fix, &Lease::new()).unwrap(), Begun::Held { .. }));
    next.expire_leases().unwrap();
    let Begun::Attempt(second) = next.begin(job, Step::Fix, &Lease::new()).unwrap() else { panic!("it is held") };
    assert_eq!((second.number, second.fence), (dead.number + 1, dead.fence + 1));
}
