//! The metrics of a run: they hear its events, and are asked by the server.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use pinpress_media::Deaths;
use pinpress_pipeline::ledger::Reach;
use pinpress_pipeline::{RunEvent, RunObserver};
use pinpress_publish::{BudgetLeft, BudgetView};

use crate::tally::Tally;

/// The metrics of one run.
#[derive(Debug)]
pub struct Metrics {
    pub(crate) version: &'static str,
    begun: SystemTime,
    ready: Mutex<Option<Reach>>,
    tally: Mutex<Tally>,
    deaths: Arc<Deaths>,
    budget: OnceLock<BudgetView>,
}

impl Metrics {
    /// Metrics of which nothing happened yet, of a pinpress of that version.
    #[must_use]
    pub fn new(version: &'static str) -> Self {
        let (ready, tally, deaths, budget) = (Mutex::default(), Mutex::default(), Arc::default(), OnceLock::new());
        Self { version, begun: SystemTime::now(), ready, tally, deaths, budget }
    }

    /// The calls that are left are those of `budget`, the first that is told; before, nothing is shown of them.
    pub fn calls_of(&self, budget: BudgetView) {
        drop(self.budget.set(budget));
    }

    /// Where workers that die are counted.
    #[must_use]
    pub fn deaths(&self) -> Arc<Deaths> {
        Arc::clone(&self.deaths)
    }

    /// Whether work has begun, and the ledger is within reach.
    pub(crate) fn is_ready(&self) -> bool {
        self.reach().as_ref().is_some_and(Reach::is_there)
    }

    fn reach(&self) -> MutexGuard<'_, Option<Reach>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the run began, since 1970.
    pub(crate) fn begun(&self) -> Duration {
        self.begun.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    pub(crate) fn with_tally<T>(&self, look: impl FnOnce(&mut Tally) -> T) -> T {
        look(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn worker_deaths(&self) -> &Deaths {
        &self.deaths
    }

    pub(crate) fn calls_left(&self) -> Vec<BudgetLeft> {
        self.budget.get().map(BudgetView::left).unwrap_or_default()
    }
}

impl RunObserver for Metrics {
    fn event(&self, event: &RunEvent<'_>) {
        match event {
            // Rounds of a run that watches open the same ledger again, each with a view of its own.
            RunEvent::Begun { ledger } => *self.reach() = Some(ledger.clone()),
            // Some ten times a second for each video, and nothing to count.
            RunEvent::Media { .. } => {}
            event => self.with_tally(|tally| tally.event(event)),
        }
    }
}
