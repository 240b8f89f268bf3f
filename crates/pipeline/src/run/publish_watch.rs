//! Between the publisher and the run: states go to the ledger, progress to whoever listens.

use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use pinpress_publish::{Checkpoint, CheckpointError, Observer, PinId, PublishState, Waiting};

use super::Run;
use crate::interrupt::is_nearly_done;
use crate::ledger::{LedgerError, PinAttempt, PinRecord};
use crate::observe::RunEvent;

/// Keeps and tells how one Pin goes.
pub(super) struct Watch<'a> {
    run: &'a Run<'a>,
    video: &'a Path,
    attempt: PinAttempt,
    destination: String,
    saved: Mutex<Kept>,
    begun: Instant,
    /// Bytes sent, and in all.
    sent: Mutex<Option<(u64, u64)>>,
    /// Whether it was nearly done when it was asked to stop.
    goes_on: OnceLock<bool>,
}

/// The last state that is on the disk, and the failure that kept the next one from it.
struct Kept {
    state: PublishState,
    error: Option<LedgerError>,
}

/// The publisher stopped because the ledger did; the ledger's own error ends the run.
#[derive(Debug, thiserror::Error)]
#[error("the ledger could not be written: {0}")]
struct NotKept(String);

impl<'a> Watch<'a> {
    pub(super) fn new(
        run: &'a Run<'a>,
        video: &'a Path,
        (record, attempt): (&PinRecord, PinAttempt),
        state: PublishState,
    ) -> Self {
        let saved = Mutex::new(Kept { state, error: None });
        let (destination, begun) = (record.key.destination.clone(), Instant::now());
        Self { run, video, attempt, destination, saved, begun, sent: Mutex::new(None), goes_on: OnceLock::new() }
    }

    /// Whether `POST /pins` may be under way.
    pub(super) fn is_intended(&self) -> bool {
        matches!(self.saved.lock().unwrap_or_else(PoisonError::into_inner).state, PublishState::Intended { .. })
    }

    /// Whether the Pin may exist, or may come to exist.
    pub(super) fn is_in_doubt(&self) -> bool {
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(saved.state, PublishState::Intended { .. } | PublishState::Unknown { .. })
    }

    /// Whether it is so near its end that it may go on for a moment, after it was asked to stop.
    pub(super) fn goes_on(&self) -> bool {
        let nearly = || {
            let sent = *self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            sent.is_some_and(|(sent, total)| is_nearly_done(sent, total, self.begun.elapsed()))
        };
        *self.goes_on.get_or_init(nearly) && !self.run.broken() && !self.run.interrupt.halted()
    }

    pub(super) fn take_ledger_error(&self) -> Option<LedgerError> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner).error.take()
    }
}

impl Checkpoint for Watch<'_> {
    fn save(&self, state: &PublishState) -> Result<(), CheckpointError> {
        let text = serde_json::to_string(state)?;
        let pin_id = match state {
            PublishState::Pinned { pin_id, .. } => Some(pin_id.as_str()),
            _ => None,
        };
        if let PublishState::Pinned { pin_id, .. } = state
            && self.belongs_to_another(pin_id)
        {
            return Err(NotKept(format!("Pin {pin_id} is another video's")).into());
        }
        let result = self.run.ledger.save_pin_state(self.attempt, &text, pin_id);
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(()) => {
                saved.state = state.clone();
                Ok(())
            }
            Err(error) => {
                let told = NotKept(error.to_string());
                saved.error = Some(error);
                Err(told.into())
            }
        }
    }

    fn belongs_to_another(&self, pin: &PinId) -> bool {
        // A ledger that cannot tell must not give the Pin away: then no Pin is adopted.
        !matches!(self.run.ledger.pin_row(&self.destination, pin.as_str()), Ok(owner) if owner.is_none_or(|row| row == self.attempt.pin))
    }
}

impl Observer for Watch<'_> {
    fn upload(&self, sent: u64, total: u64) {
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some((sent, total));
        self.run.observer.event(&RunEvent::Upload { video: self.video, sent, total });
    }

    fn waiting(&self, waiting: &Waiting) {
        let (reason, delay) = match waiting {
            Waiting::Processing { status, delay } => (format!("Pinterest has it ({status})"), *delay),
            Waiting::Retry { call, reason, delay } => {
                (format!("again in a moment, could not {call}: {reason}"), *delay)
            }
            Waiting::Budget { delay, .. } => ("the rate limit leaves no room yet".to_owned(), *delay),
            Waiting::Lookup { delay } => ("looking for the Pin on the board".to_owned(), *delay),
        };
        self.run.observer.event(&RunEvent::Waiting { video: self.video, reason, delay });
    }
}
