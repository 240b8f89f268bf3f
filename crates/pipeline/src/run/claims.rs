//! Claims on the way through the stages: what becomes of a video that another run works on.

use super::Run;
use super::item::Item;
use crate::clock::SystemClock;
use crate::ledger::{Attempt, Begun, LedgerError, Step};
use crate::outcome::End;

impl Run<'_> {
    /// Does `work` while the claims of this run are renewed.
    pub(super) fn renewed_during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.leases.renewed_during(self.ledger, &SystemClock, work)
    }

    /// Claims a step of a video, whose end it is when that cannot be.
    pub(super) fn begin<'b>(&self, item: Item<'b>, step: Step) -> Option<(Item<'b>, Attempt)> {
        match attempt(self.recorded(self.ledger.begin(item.job.id, step, self.leases.lease()))?) {
            Ok(attempt) => Some((item, attempt)),
            Err(end) => {
                self.end(item, end);
                None
            }
        }
    }

    /// Enters an outcome. The outer `None` is for a ledger that failed, an end for a claim that another has taken
    /// over: then the outcome is dropped, and the other run goes on with the video.
    pub(super) fn entered<T>(&self, result: Result<T, LedgerError>) -> Option<Result<T, End>> {
        match result {
            Err(LedgerError::Superseded { .. }) => Some(Err(taken_over())),
            result => self.recorded(result).map(Ok),
        }
    }
}

/// How a video ends for this run that another has taken over.
pub(super) fn taken_over() -> End {
    End::Later { reason: "another run has taken it over: see pinpress status".to_owned() }
}

/// The attempt, or how the video ends for this run.
pub(super) fn attempt<A>(begun: Begun<A>) -> Result<A, End> {
    match begun {
        Begun::Attempt(attempt) => Ok(attempt),
        Begun::Spent { reason } => Err(End::SetAside { reason }),
        Begun::Held { by, until } => {
            let reason = format!("another run ({by}) works on it, and will have done or given up by {until}");
            Err(End::Later { reason })
        }
    }
}
