//! The claims that a run holds, renewed for as long as it lives.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};
use jiff::{SignedDuration, Timestamp};

use super::{Claim, Lease, Ledger};
use crate::clock::Clock;

/// How often the heartbeat looks at the clock: a thread that sleeps does not notice that the machine has slept.
const LOOK: Duration = Duration::from_millis(500);

/// The claims of a run. Bounded by the videos that it works on at the same time.
#[derive(Debug)]
pub struct Leases {
    lease: Lease,
    held: Mutex<BTreeMap<Claim, Arc<AtomicBool>>>,
}

impl Leases {
    /// Of a run that asks for this lease.
    #[must_use]
    pub const fn new(lease: Lease) -> Self {
        Self { lease, held: Mutex::new(BTreeMap::new()) }
    }

    /// What is asked for.
    #[must_use]
    pub const fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Has this claim renewed until the answer is dropped.
    #[must_use]
    pub fn hold(&self, claim: Claim) -> Hold<'_> {
        Hold { leases: self, claim, lost: self.keep(claim) }
    }

    /// Has this claim renewed until it is [let go](Self::let_go). The answer turns true when it is lost.
    pub fn keep(&self, claim: Claim) -> Arc<AtomicBool> {
        let lost = Arc::new(AtomicBool::new(false));
        self.held().insert(claim, Arc::clone(&lost));
        lost
    }

    /// Renews this claim no longer.
    pub fn let_go(&self, claim: Claim) {
        self.held().remove(&claim);
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<Claim, Arc<AtomicBool>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` while a thread renews what is held. It ends with the work, however that ends.
    pub fn renewed_during<T>(&self, ledger: &dyn Ledger, clock: &dyn Clock, work: impl FnOnce() -> T) -> T {
        let (running, ended) = bounded::<()>(0);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut beat = Beat::new(clock.now());
                while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    self.beat(&mut beat, ledger, clock);
                }
            });
            // Dropped when the work unwinds, too.
            let _running = running;
            work()
        })
    }

    fn beat(&self, beat: &mut Beat, ledger: &dyn Ledger, clock: &dyn Clock) {
        let now = clock.now();
        if !beat.is_due(now, self.lease.length) {
            return;
        }
        let claims: Vec<Claim> = self.held().keys().copied().collect();
        if claims.is_empty() {
            beat.renewed(now);
            return;
        }
        match ledger.renew(&claims, &self.lease) {
            Ok(lost) => {
                beat.renewed(now);
                self.lose(&lost);
            }
            Err(error) => {
                tracing::warn!(%error, "the claims could not be renewed");
                // Others may have begun, and this run cannot know. By the time that it is now: a ledger that is away was
                // waited for.
                if beat.is_over(clock.now(), self.lease.length) {
                    self.lose(&claims);
                }
            }
        }
    }

    fn lose(&self, claims: &[Claim]) {
        let held = self.held();
        for lost in claims.iter().filter_map(|claim| held.get(claim)) {
            lost.store(true, Ordering::SeqCst);
        }
    }
}

/// When claims were renewed last.
#[derive(Debug, Clone, Copy)]
struct Beat {
    last: Timestamp,
}

impl Beat {
    const fn new(now: Timestamp) -> Self {
        Self { last: now }
    }

    /// A quarter of the lease has passed; or the clock was set back, and nobody knows how much has.
    fn is_due(self, now: Timestamp, length: SignedDuration) -> bool {
        now < self.last || now.duration_since(self.last) >= length / 4
    }

    /// What was renewed last is over before work that is told so now has stopped: a sixth of the lease is for that, and
    /// for a link that is cut, on which a last word may still be waited for.
    fn is_over(self, now: Timestamp, length: SignedDuration) -> bool {
        now.duration_since(self.last) >= length / 6 * 5
    }

    const fn renewed(&mut self, now: Timestamp) {
        self.last = now;
    }
}

/// A claim that is renewed while this lives.
#[derive(Debug)]
pub struct Hold<'a> {
    leases: &'a Leases,
    claim: Claim,
    lost: Arc<AtomicBool>,
}

impl Hold<'_> {
    /// Another may have begun: what is done from now on is for nothing.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.leases.let_go(self.claim);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::interrupt::Interrupt;
    use crate::ledger::{Attempt, Begun, JobId, JobKey, SqliteLedger, Step};

    /// Goes on only when it is told to.
    #[derive(Debug)]
    struct StillClock(Mutex<Timestamp>);

    impl StillClock {
        fn pass(&self, seconds: i64) {
            *self.0.lock().unwrap() += SignedDuration::from_secs(seconds);
        }
    }

    impl Clock for StillClock {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }

        fn wait(&self, until: Timestamp, _: &Interrupt) {
            *self.0.lock().unwrap() = until;
        }
    }

    struct Ground {
        dir: tempfile::TempDir,
        clock: Arc<StillClock>,
        ledger: SqliteLedger,
        job: JobId,
        leases: Leases,
    }

    impl Ground {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let clock = Arc::new(StillClock(Mutex::new(Timestamp::UNIX_EPOCH)));
            let ledger = SqliteLedger::open(&dir.path().join("ledger.db")).unwrap().with_clock(clock.clone());
            let fingerprint =
                pinpress_probe::Source::open(&dir.path().join("ledger.db")).unwrap().fingerprint().unwrap();
            let key = JobKey::as_is(fingerprint, &pinpress_probe::Spec::load("pinterest").unwrap());
            let job = ledger.enroll(&key, Path::new("/raw/a.mkv"), Path::new("a.mp4")).unwrap().id;
            Self { dir, clock, ledger, job, leases: Leases::new(Lease::new()) }
        }

        fn begin(&self, lease: &Lease) -> Option<Attempt> {
            match self.ledger.begin(self.job, Step::Fix, lease).unwrap() {
                Begun::Attempt(attempt) => Some(attempt),
                _ => None,
            }
        }
    }

    #[test]
    fn a_quarter_of_the_lease_or_a_clock_that_goes_back_is_a_reason_to_renew() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let length = SignedDuration::from_secs(60);
        let beat = Beat::new(at(1_000));
        assert!(!beat.is_due(at(1_014), length) && beat.is_due(at(1_015), length));
        assert!(beat.is_due(at(999), length));
        assert!(!beat.is_over(at(1_049), length) && beat.is_over(at(1_050), length));
        assert!(beat.is_over(at(50_000), length), "the machine has slept");
    }

    #[test]
    fn what_is_held_is_renewed_and_what_was_taken_is_told() {
        let ground = Ground::new();
        let hold = ground.leases.hold(ground.begin(ground.leases.lease()).unwrap().claim());
        let mut beat = Beat::new(ground.clock.now());
        for _ in 0..10 {
            ground.clock.pass(20);
            ground.leases.beat(&mut beat, &ground.ledger, &*ground.clock);
        }
        assert!(ground.begin(&Lease::new()).is_none(), "it is held for as long as it is renewed");
        // The machine sleeps; another run begins meanwhile.
        ground.clock.pass(3_600);
        assert!(ground.begin(&Lease::new()).is_some());
        assert!(!hold.is_lost());
        ground.leases.beat(&mut beat, &ground.ledger, &*ground.clock);
        assert!(hold.is_lost());
    }

    #[test]
    fn what_cannot_be_renewed_counts_as_lost_once_its_lease_is_over() {
        let ground = Ground::new();
        let hold = ground.leases.hold(ground.begin(ground.leases.lease()).unwrap().claim());
        let mut beat = Beat::new(ground.clock.now());
        let raw = rusqlite::Connection::open(ground.dir.path().join("ledger.db")).unwrap();
        raw.execute_batch("PRAGMA foreign_keys = OFF; ALTER TABLE jobs RENAME TO gone").unwrap();
        for passed in [15, 15, 19] {
            ground.clock.pass(passed);
            ground.leases.beat(&mut beat, &ground.ledger, &*ground.clock);
            assert!(!hold.is_lost());
        }
        ground.clock.pass(1);
        ground.leases.beat(&mut beat, &ground.ledger, &*ground.clock);
        assert!(hold.is_lost());
    }

    #[test]
    fn the_thread_renews_and_ends_with_the_work_however_that_ends() {
        let ground = Ground::new();
        let claim = ground.begin(ground.leases.lease()).unwrap().claim();
        let hold = ground.leases.hold(claim);
        let (ledger, clock) = (&ground.ledger, &*ground.clock);
        clock.pass(3_600);
        ground.ledger.renew(&[claim], &Lease::new()).unwrap();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            ground.leases.renewed_during(ledger, clock, || {
                assert!(ground.begin(&Lease::new()).is_some(), "its lease is over");
                clock.pass(20);
                while !hold.is_lost() {
                    std::thread::yield_now();
                }
                std::panic::resume_unwind(Box::new("the work unwinds"));
            });
        }));
        assert!(result.is_err());
        drop(hold);
        assert!(ground.leases.held().is_empty());
    }
}
