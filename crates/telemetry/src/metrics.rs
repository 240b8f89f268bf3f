//! The metrics of a run: they hear its events, and are asked by the server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use pinpress_media::Deaths;
use pinpress_pipeline::{RunEvent, RunObserver};
use pinpress_publish::{BudgetLeft, BudgetView};

use crate::tally::Tally;

/// The metrics of one run.
#[derive(Debug)]
pub struct Metrics {
    pub(crate) version: &'static str,
    begun: SystemTime,
    ready: AtomicBool,
    tally: Mutex<Tally>,
    deaths: Arc<Deaths>,
    budget: Option<BudgetView>,
}

impl Metrics {
    /// Metrics of which nothing happened yet, of a pinpress of that version. The calls that are left are those of
    /// `budget`, of which nothing is shown without one.
    #[must_use]
    pub fn new(version: &'static str, budget: Option<BudgetView>) -> Self {
        let (ready, tally, deaths) = (AtomicBool::new(false), Mutex::default(), Arc::default());
        Self { version, begun: SystemTime::now(), ready, tally, deaths, budget }
    }

    /// Where workers that die are counted.
    #[must_use]
    pub fn deaths(&self) -> Arc<Deaths> {
        Arc::clone(&self.deaths)
    }

    /// Whether the ledger was opened and work has begun.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
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
        self.budget.as_ref().map(BudgetView::left).unwrap_or_default()
    }
}

impl RunObserver for Metrics {
    fn event(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::Begun => self.ready.store(true, Ordering::Relaxed),
            // Some ten times a second for each video, and nothing to count.
            RunEvent::Media { .. } => {}
            event => self.with_tally(|tally| tally.event(event)),
        }
    }
}
