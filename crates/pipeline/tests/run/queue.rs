//! A queue that is worked off, by a scripted worker: what fails comes again, and twins wait for it.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pinpress_fixtures::Postgres;
use pinpress_fixtures::postgres::database_of;
use pinpress_media::{CoverOptions, Covers, Failure, FailureKind, Fix, Fixed, Observer};
use pinpress_pipeline::ledger::{Lease, LedgerAddress, LockError, Order, PostgresLedger, RunLock, Server, lock_path};
use pinpress_pipeline::{Media, RunError, RunOptions, Until, Worked, enqueue, work};
use pinpress_probe::{DeepReader, MediaInfo, ProbeError};

use super::ground::{Ground, ScriptedMedia, name_of};

/// As the scripted one, but for a video that takes until something has happened.
struct Patient<'a> {
    scripted: &'a ScriptedMedia,
    slow: &'a str,
    until: &'a (dyn Fn() + Sync),
}

impl DeepReader for Patient<'_> {
    fn read(&self, path: &Path) -> Result<MediaInfo, ProbeError> {
        self.scripted.read(path)
    }
}

impl Media for Patient<'_> {
    fn fix(&self, fix: Fix<'_>, observer: &dyn Observer) -> Result<Fixed, Failure> {
        if name_of(fix.source) == self.slow {
            (self.until)();
        }
        self.scripted.fix(fix, observer)
    }

    fn cover(&self, source: &Path, options: &CoverOptions, observer: &dyn Observer) -> Result<Covers, Failure> {
        self.scripted.cover(source, options, observer)
    }
}

struct Queue {
    ground: Ground,
    server: &'static Postgres,
    url: String,
}

impl Queue {
    fn new() -> Option<Self> {
        let server = Postgres::shared()?;
        Some(Self { ground: Ground::new(Vec::new())?, server, url: server.database() })
    }

    fn ledger(&self) -> PostgresLedger {
        PostgresLedger::open(Server::parse(&self.url, None).unwrap()).unwrap()
    }

    fn options(&self) -> RunOptions {
        let ledger = LedgerAddress::parse(self.url.as_ref(), None).unwrap();
        RunOptions { ledger: Some(ledger), ..self.ground.run_options() }
    }

    fn ask(&self, sql: &str) -> String {
        self.server.psql(database_of(&self.url), &format!("SET search_path TO pinpress; {sql}")).unwrap()
    }

    /// Waits until so many videos stand so, without the pauses before another attempt.
    fn wait_until(&self, state: &str, count: &str) {
        let begun = Instant::now();
        while self.ask(&format!("SELECT count(*) FROM queue WHERE state = '{state}'")) != count {
            let standing = || self.ask("SELECT source, state, reason FROM queue");
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", standing());
            self.ask("UPDATE queue SET not_before = NULL WHERE not_before IS NOT NULL");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn work(&self, media: &dyn Media) -> Result<Worked, RunError> {
        let (ledger, lease) = (self.ledger(), Lease::shared());
        let mut prepare = |_: &Order| Ok(self.options());
        work((&ledger, &lease), &mut prepare, (media, &(), &self.ground.interrupt), Until::Empty)
    }
}

#[test]
fn what_fails_comes_again_while_another_takes_long_and_its_twin_waits_for_it() {
    let Some(queue) = Queue::new() else { return };
    queue.ground.video("a.mp4", "1");
    queue.ground.video("b.mp4", "1");
    queue.ground.video("slow.mp4", "2");
    let media = ScriptedMedia::default();
    media.failures.lock().unwrap().insert("a.mp4".to_owned(), vec![FailureKind::Crashed]);
    enqueue(&queue.options(), &queue.ledger()).unwrap();
    let until = || queue.wait_until("done", "2");
    let worked = queue.work(&Patient { scripted: &media, slow: "slow.mp4", until: &until }).unwrap();
    assert!((worked.good, worked.bad >= 1) == (3, true), "three videos, one of them twice: {worked:?}");
    assert_eq!(media.fixes.load(Ordering::SeqCst), 3, "once for the content of two, once again, and the slow one");
    assert_eq!(queue.ask("SELECT count(*) FROM queue WHERE state = 'done'"), "3");
    assert_eq!(queue.ground.rehearsal.pins().len(), 2, "one for each content on its board");
}

#[test]
fn what_never_works_is_given_up_with_its_twin() {
    let Some(queue) = Queue::new() else { return };
    queue.ground.video("a.mp4", "1");
    queue.ground.video("b.mp4", "1");
    queue.ground.video("slow.mp4", "2");
    let media = ScriptedMedia::default();
    for name in ["a.mp4", "b.mp4"] {
        media.failures.lock().unwrap().insert(name.to_owned(), vec![FailureKind::Crashed; 20]);
    }
    enqueue(&queue.options(), &queue.ledger()).unwrap();
    let until = || queue.wait_until("failed", "2");
    queue.work(&Patient { scripted: &media, slow: "slow.mp4", until: &until }).unwrap();
    assert_eq!(queue.ask("SELECT count(*) FROM queue WHERE state = 'done'"), "1");
    assert_eq!(queue.ask("SELECT count(*) FROM queue WHERE reason IS NULL AND state = 'failed'"), "0");
    assert_eq!(queue.ground.rehearsal.pins().len(), 1);
}

#[test]
fn what_was_claimed_is_given_back_where_the_output_folder_is_taken() {
    let Some(queue) = Queue::new() else { return };
    queue.ground.video("a.mp4", "1");
    enqueue(&queue.options(), &queue.ledger()).unwrap();
    let run = RunLock::take(&lock_path(&queue.ground.out(""))).unwrap();
    let error = queue.work(&ScriptedMedia::default()).unwrap_err();
    assert!(matches!(error, RunError::Lock(LockError::Held { .. })), "{error}");
    assert_eq!(queue.ask("SELECT count(*) FROM queue WHERE claimed_by IS NOT NULL OR attempts > 0"), "0");
    drop(run);
    assert_eq!(queue.work(&ScriptedMedia::default()).unwrap().good, 1);
}

#[test]
fn a_video_with_a_board_that_is_none_fails_and_is_not_done_without_a_pin() {
    let Some(queue) = Queue::new() else { return };
    queue.ground.video("a.mp4", "1");
    queue.ground.video("slow.mp4", "2");
    enqueue(&queue.options(), &queue.ledger()).unwrap();
    let change = "jsonb_set(terms::jsonb, '{pin,board}', '\"not a board\"')::text";
    queue.ask(&format!("UPDATE queue SET terms = {change} WHERE convert_from(output, 'UTF8') = 'a.mp4'"));
    let (media, until) = (ScriptedMedia::default(), || queue.wait_until("failed", "1"));
    queue.work(&Patient { scripted: &media, slow: "slow.mp4", until: &until }).unwrap();
    assert!(queue.ask("SELECT reason FROM queue WHERE state = 'failed'").contains("enter it again"));
    assert_eq!((media.fixes.load(Ordering::SeqCst), queue.ground.rehearsal.pins().len()), (1, 1));
}
