//! What the stages have in common: how they stop, and what went wrong.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::AvError;
use crate::input::Cancel;

/// Why a stage stopped early.
pub(crate) enum Halt {
    /// By itself.
    Failed(AvError),
    /// The stage before or behind it has gone, and said why.
    PeerGone,
}

impl From<AvError> for Halt {
    fn from(error: AvError) -> Self {
        Self::Failed(error)
    }
}

/// What all stages share.
pub(crate) struct Shared<'a> {
    pub(super) cancel: &'a Cancel,
    stopped: AtomicBool,
    error: Mutex<Option<AvError>>,
    damaged: AtomicU64,
    first_damage: AtomicI64,
}

impl<'a> Shared<'a> {
    pub(super) const fn new(cancel: &'a Cancel) -> Self {
        Self {
            cancel,
            stopped: AtomicBool::new(false),
            error: Mutex::new(None),
            damaged: AtomicU64::new(0),
            first_damage: AtomicI64::new(i64::MAX),
        }
    }

    /// Runs a stage, keeps its error, and turns a panic into one: the others would wait for it for ever otherwise.
    pub(super) fn run(&self, stage: impl FnOnce() -> Result<(), Halt>) {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(stage));
        let error = match outcome {
            Ok(Ok(())) => return,
            Ok(Err(Halt::PeerGone)) => AvError::Internal("a stage went away".to_owned()),
            Ok(Err(Halt::Failed(error))) => error,
            Err(_) => AvError::Internal("a stage panicked".to_owned()),
        };
        self.stopped.store(true, Ordering::Relaxed);
        let mut slot = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        // The cause goes before its echo.
        if slot.as_ref().is_none_or(|kept| matches!(kept, AvError::Internal(_))) {
            *slot = Some(error);
        }
    }

    pub(super) fn check(&self) -> Result<(), Halt> {
        self.cancel.check()?;
        if self.stopped.load(Ordering::Relaxed) { Err(Halt::PeerGone) } else { Ok(()) }
    }

    /// Counts something that could not be read or decoded, at this time of the output.
    pub(super) fn damage(&self, time_us: i64) {
        self.damaged.fetch_add(1, Ordering::Relaxed);
        self.first_damage.fetch_min(time_us, Ordering::Relaxed);
    }

    /// How much was damaged, and the time of the first of it in microseconds.
    pub(super) fn damaged(&self) -> (u64, Option<i64>) {
        let first = self.first_damage.load(Ordering::Relaxed);
        (self.damaged.load(Ordering::Relaxed), Some(first).filter(|time| *time != i64::MAX))
    }

    /// The error that stopped the stages, if one did.
    pub(super) fn finish(&self) -> Result<(), AvError> {
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner).take();
        error.map_or_else(|| self.cancel.check(), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_goes_before_its_echo() {
        let cancel = Cancel::new();
        let shared = Shared::new(&cancel);
        shared.run(|| Err(Halt::PeerGone));
        shared.run(|| Err(AvError::Incomplete.into()));
        shared.run(|| Err(AvError::Cancelled.into()));
        assert!(matches!(shared.finish(), Err(AvError::Incomplete)));
    }

    #[test]
    fn a_panic_is_an_error() {
        let cancel = Cancel::new();
        let shared = Shared::new(&cancel);
        shared.run(|| panic!("as a test"));
        assert!(matches!(shared.finish(), Err(AvError::Internal(_))));
    }
}
