//! Videos with the content of an earlier one. The work is done once; they wait for its result, as the manifest may
//! want it on another board too.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tracing::Span;

use super::item::Item;
use crate::ledger::JobId;

/// A video whose content an earlier one has.
#[derive(Debug, Clone)]
pub(super) struct Twin {
    pub(super) index: usize,
    pub(super) source: PathBuf,
    pub(super) span: Span,
    /// The first with that content.
    pub(super) of: First,
    /// Where its receipt would lie, were it the first.
    pub(super) receipt: PathBuf,
}

/// The first video with some content.
#[derive(Debug, Clone)]
pub(super) struct First {
    pub(super) index: usize,
    pub(super) source: PathBuf,
    pub(super) job: JobId,
}

/// Who waits for whom.
#[derive(Debug, Default)]
pub(super) struct Twins(Mutex<HashMap<JobId, State>>);

#[derive(Debug)]
enum State {
    /// The first is under way.
    Waiting(Vec<Twin>),
    /// It has its output and its cover.
    Ready,
    /// There will be no output in this run.
    Ended,
}

/// What becomes of a twin.
pub(super) enum Standing {
    /// It waits.
    Waits,
    /// The first has its output: the twin can be published.
    Ready(Twin),
    /// The first has come to its end.
    Ended(Twin),
}

impl Twins {
    /// Adds a twin of a video that was admitted.
    pub(super) fn join(&self, twin: Twin) -> Standing {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match states.entry(twin.of.job).or_insert_with(|| State::Waiting(Vec::new())) {
            State::Waiting(twins) => {
                twins.push(twin);
                Standing::Waits
            }
            State::Ready => Standing::Ready(twin),
            State::Ended => Standing::Ended(twin),
        }
    }

    /// The first is ready to be published; so are those that wait for it.
    pub(super) fn ready<'a>(&self, first: &Item<'a>) -> Vec<Item<'a>> {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match states.insert(first.job.id, State::Ready) {
            Some(State::Waiting(twins)) => twins.into_iter().map(|twin| first.for_twin(twin)).collect(),
            _ => Vec::new(),
        }
    }

    /// The first will not be; the answer is who waited for it.
    pub(super) fn ended(&self, job: JobId) -> Vec<Twin> {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match states.insert(job, State::Ended) {
            Some(State::Waiting(twins)) => twins,
            _ => Vec::new(),
        }
    }
}
