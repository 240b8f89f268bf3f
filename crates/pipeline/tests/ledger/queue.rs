//! The queue, which only a ledger in a database has. `PostgreSQL`'s own client is the judge of what is there.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pinpress_media::FixOptions;
use pinpress_pipeline::Interrupt;
use pinpress_pipeline::ledger::{
    Lease, Ledger as _, LedgerError, NewTask, Order, OrderTerms, PostgresLedger, Task, TaskEnd, TaskTerms,
};
use pinpress_probe::Spec;

use super::postgres::Database;
use super::rules::Place as _;

fn order(folder: &str) -> Order {
    let terms = OrderTerms { spec: Spec::load("pinterest").unwrap(), fix: FixOptions::default(), pins: None };
    Order { output: PathBuf::from(folder), terms }
}

fn tasks(names: impl IntoIterator<Item = String>) -> Vec<NewTask> {
    let task = |name: String| NewTask {
        source: Path::new("/raw").join(&name),
        output: PathBuf::from(name),
        terms: TaskTerms::default(),
    };
    names.into_iter().map(task).collect()
}

fn few(count: usize) -> Vec<NewTask> {
    tasks((0..count).map(|at| format!("{at:04}.mp4")))
}

/// A database with so many videos waiting.
fn waiting(count: usize) -> Option<(Database, PostgresLedger)> {
    let database = Database::new()?;
    let ledger = database.ledger();
    let placed = ledger.place_order(&order("/out"), &few(count)).unwrap();
    assert_eq!((placed.waiting, placed.at_work), (count as u64, 0));
    Some((database, ledger))
}

fn next(ledger: &PostgresLedger, lease: &Lease) -> Option<Task> {
    ledger.claim_next(None, lease).unwrap()
}

#[test]
fn many_take_each_video_once_and_wait_for_nobody() {
    const VIDEOS: usize = 300;
    let Some((database, ledger)) = waiting(VIDEOS) else { return };
    // One is just being taken by somebody whose transaction does not end.
    let mut stuck = database.client();
    let mut transaction = stuck.transaction().unwrap();
    transaction
        .execute("SELECT 1 FROM pinpress.queue WHERE source = $1 FOR UPDATE", &[&&b"/raw/0000.mp4"[..]])
        .unwrap();
    let taken = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let (ledger, lease) = (database.ledger(), Lease::shared());
                while let Some(task) = next(&ledger, &lease) {
                    taken.lock().unwrap().push(task.source.clone());
                    ledger.end_task(&task, &TaskEnd::Done, &lease).unwrap();
                }
            });
        }
    });
    let taken = taken.into_inner().unwrap();
    let different: HashSet<_> = taken.iter().collect();
    assert_eq!((taken.len(), different.len()), (VIDEOS - 1, VIDEOS - 1));
    transaction.rollback().unwrap();
    assert_eq!(next(&ledger, &Lease::shared()).unwrap().source, Path::new("/raw/0000.mp4"));
    assert_eq!(database.ask("SELECT count(*) FROM queue WHERE state = 'done' AND attempts = 0"), "299");
}

#[test]
fn what_a_dead_worker_had_is_taken_when_its_lease_is_over_and_it_comes_too_late() {
    let Some((database, ledger)) = waiting(1) else { return };
    let (dead, alive) = (Lease::shared(), Lease::shared());
    let lost = next(&ledger, &dead).unwrap();
    assert_eq!(next(&ledger, &alive), None, "it is held");
    database.pass(SignedDuration::from_secs(100));
    assert_eq!(ledger.renew(&[lost.claim()], &dead).unwrap(), [], "a heartbeat in time");
    database.pass(SignedDuration::from_secs(100));
    assert_eq!(next(&ledger, &alive), None, "it was renewed");
    database.pass(SignedDuration::from_secs(100));
    let taken = next(&ledger, &alive).unwrap();
    assert_eq!((taken.number, taken.fence), (2, 2), "the attempt that was cut off counts");
    assert_eq!(ledger.renew(&[lost.claim()], &dead).unwrap(), [lost.claim()]);
    let late = ledger.end_task(&lost, &TaskEnd::Failed("too late".to_owned()), &dead);
    assert!(matches!(late, Err(LedgerError::Superseded { fence: 1 })), "{late:?}");
    ledger.end_task(&taken, &TaskEnd::Done, &alive).unwrap();
    assert_eq!(database.ask("SELECT state, reason IS NULL FROM queue"), "done|t");
}

#[test]
fn a_video_that_kills_each_worker_is_given_up() {
    let Some((database, ledger)) = waiting(2) else { return };
    let lease = Lease::shared();
    let first = |task: &Task| task.source == Path::new("/raw/0000.mp4");
    for attempt in 1..=10 {
        let task = next(&ledger, &lease).unwrap();
        assert!(first(&task) && task.number == attempt);
        database.pass(SignedDuration::from_secs(200));
    }
    assert!(!first(&next(&ledger, &lease).unwrap()), "the other one has its turn");
    assert_eq!(database.ask("SELECT state FROM queue ORDER BY id LIMIT 1"), "failed");
    assert_eq!(ledger.queue().unwrap().failed, 1);
}

#[test]
fn what_fails_waits_a_while_and_is_given_up_after_three_attempts_until_it_is_asked_for_again() {
    let Some((database, ledger)) = waiting(1) else { return };
    let lease = Lease::shared();
    for attempt in 1..=3 {
        let task = next(&ledger, &lease).unwrap();
        assert_eq!(task.number, attempt);
        ledger.end_task(&task, &TaskEnd::Failed("no luck".to_owned()), &lease).unwrap();
        assert_eq!(next(&ledger, &lease), None, "not at once");
        let state = ledger.queue().unwrap();
        assert_eq!((state.again, state.failed), if attempt < 3 { (1, 0) } else { (0, 1) });
        database.ask("UPDATE queue SET not_before = not_before - interval '1 minute'");
    }
    assert_eq!(next(&ledger, &lease), None);
    assert_eq!(database.ask("SELECT state, reason FROM queue"), "failed|no luck");
    assert_eq!(ledger.requeue(Some(&[PathBuf::from("/raw/other.mp4")])).unwrap(), 0);
    assert_eq!(ledger.requeue(None).unwrap(), 1);
    assert_eq!(next(&ledger, &lease).unwrap().number, 1);
}

#[test]
fn what_has_a_time_waits_for_it_and_what_is_released_does_not() {
    let Some((_database, ledger)) = waiting(2) else { return };
    let lease = Lease::shared();
    let (first, second) = (next(&ledger, &lease).unwrap(), next(&ledger, &lease).unwrap());
    let at = Timestamp::now() + SignedDuration::from_hours(1);
    ledger.end_task(&first, &TaskEnd::Scheduled(at), &lease).unwrap();
    ledger.end_task(&second, &TaskEnd::Released, &lease).unwrap();
    let state = ledger.queue().unwrap();
    assert_eq!((state.ready, state.scheduled, state.at_work, state.open()), (1, 1, 0, 2));
    let next_at = state.next.unwrap();
    assert!(next_at.duration_since(at).abs() < SignedDuration::from_millis(1), "{next_at} and not {at}");
    let again = next(&ledger, &lease).unwrap();
    assert_eq!((again.source, again.number), (second.source, 1), "no attempt was used up");
    assert_eq!(next(&ledger, &lease), None);
}

#[test]
fn what_is_entered_again_waits_by_the_new_terms_unless_somebody_is_at_work_on_it() {
    let Some((_database, ledger)) = waiting(3) else { return };
    let lease = Lease::shared();
    let done = next(&ledger, &lease).unwrap();
    ledger.end_task(&done, &TaskEnd::Done, &lease).unwrap();
    let held = next(&ledger, &lease).unwrap();
    let same = ledger.place_order(&order("/out"), &few(3)).unwrap();
    assert_eq!((same.order, same.waiting, same.at_work), (done.order, 2, 1), "the same terms are one order");

    let mut other = order("/out");
    other.terms.fix.pad_color = "white".to_owned();
    let other_id = ledger.place_order(&other, &few(3)).unwrap().order;
    assert_ne!(other_id, done.order);
    assert_eq!(ledger.order(other_id).unwrap(), other);
    ledger.end_task(&held, &TaskEnd::Released, &lease).unwrap();
    let orders = [(); 3].map(|()| next(&ledger, &lease).unwrap().order);
    assert_eq!(orders, [other_id, done.order, other_id], "the one that was held keeps its own");
    assert_eq!(ledger.queued_outputs(Path::new("/out")).unwrap()[Path::new("/raw/0001.mp4")], Path::new("0001.mp4"));
    let elsewhere = ledger.place_order(&order("/elsewhere"), &few(3)).unwrap();
    assert_eq!(elsewhere.waiting, 3, "the same videos in another folder are others");
}

#[test]
fn names_that_are_no_text_come_through() {
    use std::os::unix::ffi::OsStringExt as _;
    let Some(database) = Database::new() else { return };
    let ledger = database.ledger();
    let name = PathBuf::from(std::ffi::OsString::from_vec(b"/raw/\xff\n'.mp4".to_vec()));
    let task = NewTask { source: name.clone(), output: PathBuf::from("a.mp4"), terms: TaskTerms::default() };
    ledger.place_order(&order("/out"), &[task]).unwrap();
    assert_eq!(next(&ledger, &Lease::shared()).unwrap().source, name);
}

#[test]
fn who_waits_hears_of_a_video_of_one_that_is_given_back_and_of_the_end() {
    let Some((database, ledger)) = waiting(1) else { return };
    let (lease, interrupt) = (Lease::shared(), Interrupt::default());
    let task = next(&ledger, &lease).unwrap();
    let hears = |then: &dyn Fn()| {
        let mut bell = database.ledger().bell();
        then();
        let begun = std::time::Instant::now();
        bell.wait(Duration::from_secs(60), &interrupt);
        // Far from the limit: it was told and did not look by itself.
        assert!(begun.elapsed() < Duration::from_secs(30), "it heard nothing");
    };
    hears(&|| assert_eq!(ledger.place_order(&order("/other"), &few(1)).unwrap().waiting, 1));
    hears(&|| ledger.end_task(&task, &TaskEnd::Released, &lease).unwrap());
    let last = next(&ledger, &lease).unwrap();
    hears(&|| ledger.end_task(&last, &TaskEnd::Done, &lease).unwrap());
    hears(&|| interrupt.request());
}

#[test]
fn who_is_at_work_is_told_with_what_they_have_done() {
    let Some((_database, ledger)) = waiting(5) else { return };
    let (one, other) = (Lease::shared(), Lease::shared());
    let done = next(&ledger, &one).unwrap();
    let _held = [next(&ledger, &one).unwrap(), next(&ledger, &one).unwrap(), next(&ledger, &other).unwrap()];
    ledger.end_task(&done, &TaskEnd::Done, &one).unwrap();
    let state = ledger.queue().unwrap();
    assert_eq!((state.ready, state.at_work, state.done), (1, 3, 1));
    let mut told: Vec<_> = state.hosts.iter().map(|host| (host.claimant.as_str(), host.at_work, host.lately)).collect();
    told.sort_unstable_by_key(|(_, at_work, _)| *at_work);
    assert_eq!(told, [(other.claimant.as_str(), 1, 0), (one.claimant.as_str(), 2, 1)]);
    ledger.expire(Some(&one.claimant)).unwrap();
    assert_eq!(ledger.queue().unwrap().ready, 3, "a claimant that is known to be dead holds nothing");
}
