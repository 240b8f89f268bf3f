//! What is particular to the ledger in an SQLite file: versions, and what it does to the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use pinpress_pipeline::ledger::{Begun, JobState, Lease, Ledger, LedgerError, SqliteLedger, Step, copy_of};
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
    next.expire(None).unwrap();
    let Begun::Attempt(second) = next.begin(job, Step::Fix, &Lease::new()).unwrap() else { panic!("it is held") };
    assert_eq!((second.number, second.fence), (dead.number + 1, dead.fence + 1));
}

/// A ledger of some pages with a log that is not brought into it yet, as a kill leaves them.
fn killed() -> Scratch {
    let living = Scratch::new();
    let scratch = Scratch::new();
    let ledger = living.open();
    for content in 0..40 {
        let job = enrolled(&ledger, &content.to_string());
        ledger.set_unreadable(job, &"broken ".repeat(30)).unwrap();
    }
    drop(ledger);
    let ledger = living.open();
    enrolled(&ledger, "in the log");
    std::fs::create_dir(scratch.path().parent().unwrap()).unwrap();
    for suffix in ["", "-wal"] {
        std::fs::copy(living.beside(suffix), scratch.beside(suffix)).unwrap();
    }
    scratch
}

impl Scratch {
    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path().into_os_string();
        name.push(suffix);
        name.into()
    }

    /// All that is there, but for the memory that SQLite's processes share.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = std::fs::read_dir(self.path().parent().unwrap()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("ledger.db-shm"));
        paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
    }

    fn overwrite(&self, suffix: &str, at: usize, with: &[u8]) {
        let mut bytes = std::fs::read(self.beside(suffix)).unwrap();
        bytes[at..at + with.len()].copy_from_slice(with);
        std::fs::write(self.beside(suffix), bytes).unwrap();
    }

    fn cut(&self, to: u64) {
        std::fs::File::options().write(true).open(self.path()).unwrap().set_len(to).unwrap();
    }
}

#[test]
fn a_ledger_with_a_log_goes_on_and_one_that_lost_a_part_is_refused_and_not_changed() {
    let whole = killed().open();
    assert_eq!(whole.jobs().unwrap().len(), 41);
    assert_eq!(whole.jobs().unwrap().iter().filter(|job| job.state == JobState::Unreadable).count(), 40);
    let len = std::fs::metadata(killed().path()).unwrap().len();
    type Damage = Box<dyn Fn(&Scratch)>;
    let damages: [(&str, Damage); 9] = [
        ("cut within a page", Box::new(move |it| it.cut(len * 2 / 3 + 77))),
        ("cut between pages", Box::new(move |it| it.cut(len / 2 / 4_096 * 4_096))),
        ("empty", Box::new(|it| it.cut(0))),
        (
            "its header overwritten",
            Box::new(|it| {
                // The log may have all of the first page.
                std::fs::remove_file(it.beside("-wal")).unwrap();
                it.overwrite("", 0, &[0xA5; 100]);
            }),
        ),
        ("its middle overwritten", Box::new(|it| it.overwrite("", 3 * 4_096, &[0xA5; 8_192]))),
        ("a text", Box::new(|it| std::fs::write(it.path(), "not a database at all".repeat(9)).unwrap())),
        ("another file's log", Box::new(|it| it.overwrite("-wal", 0, &[0xA5; 64]))),
        ("a log of zeros", Box::new(|it| it.overwrite("-wal", 0, &[0; 64]))),
        ("gone, with its log left", Box::new(|it| std::fs::remove_file(it.path()).unwrap())),
    ];
    for (what, damage) in damages {
        let scratch = killed();
        damage(&scratch);
        let before = scratch.files();
        for _ in 0..2 {
            let Err(error) = SqliteLedger::open(&scratch.path()) else { panic!("{what}: it was taken") };
            assert!(matches!(error, LedgerError::Damaged { copy: None, .. }), "{what}: {error}");
            let told = error.to_string();
            assert!(told.contains("--overwrite") && told.contains("NAME.pin.json"), "{told}");
            assert!(told.ends_with("ledger.db"), "{told}");
            assert_eq!(scratch.files(), before, "{what}");
        }
    }
}

#[test]
fn the_copy_is_whole_is_named_and_goes_on() {
    let scratch = Scratch::new();
    let ledger = scratch.open();
    ledger.keep_copy().unwrap();
    enrolled(&ledger, "a");
    ledger.keep_copy().unwrap();
    enrolled(&ledger, "b");
    assert_eq!(scratch.files().len(), 3, "ledger, log, copy and no temp file: {:?}", scratch.files().keys());
    drop(ledger);
    let again = scratch.open();
    again.keep_copy().unwrap();
    drop(again);
    scratch.cut(5_000);
    let told = SqliteLedger::open(&scratch.path()).map(drop).unwrap_err().to_string();
    assert!(told.contains(&copy_of(&scratch.path()).display().to_string()), "{told}");
    std::fs::copy(copy_of(&scratch.path()), scratch.path()).unwrap();
    assert_eq!(scratch.open().jobs().unwrap().len(), 1, "nothing was changed, so it was not copied again");
}
