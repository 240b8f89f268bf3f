//! A ledger that is there, opened for somebody who changes it between runs.

use std::ops::Deref;
use std::path::PathBuf;

use super::{Begun, Lease, Ledger, LedgerError, LedgerPlace, LockError, PinAttempt, PinStatus, PinStep, RunLock};

/// A ledger that was there. While one in a file is held, no run is at work; in a database, claims keep apart who is.
pub struct HeldLedger {
    ledger: Box<dyn Ledger>,
    lease: Lease,
    _lock: Option<RunLock>,
}

impl std::fmt::Debug for HeldLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldLedger").field("lease", &self.lease).finish_non_exhaustive()
    }
}

/// A ledger could not be held.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// There is none.
    #[error("no ledger: nothing was run with this output folder: {path}", path = path.display())]
    NoLedger {
        /// The output folder, or the file that was named.
        path: PathBuf,
    },
    /// A run is at work there.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl HeldLedger {
    /// Holds the ledger of an output folder, or one that is elsewhere. Makes none.
    ///
    /// # Errors
    /// When there is none, it cannot be used, or a run is at work.
    pub fn open(place: &LedgerPlace) -> Result<Self, HoldError> {
        let none = || HoldError::NoLedger { path: place.known_as().into() };
        if place.file().is_some_and(|file| !file.is_file()) {
            return Err(none());
        }
        let lock = place.lock()?;
        let ledger = place.open_known()?.ok_or_else(none)?;
        if place.is_shared() {
            return Ok(Self { ledger, lease: Lease::shared(), _lock: lock });
        }
        ledger.expire(None)?;
        Ok(Self { ledger, lease: Lease::new(), _lock: lock })
    }

    /// What its holder claims with.
    #[must_use]
    pub const fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Enters where a Pin stands by what somebody says of it.
    ///
    /// # Errors
    /// When the ledger cannot be written, or somebody works on the Pin.
    pub fn set_pin_status(&self, pin: i64, status: PinStatus, reason: Option<&str>) -> Result<(), LedgerError> {
        self.look_at(pin, |attempt| self.ledger.finish_pin(attempt, status, reason))
    }

    /// Enters a Pin's state by what somebody says of it, and where it stands then.
    ///
    /// # Errors
    /// When the ledger cannot be written, or somebody works on the Pin.
    pub fn settle_pin(
        &self,
        pin: i64,
        (state, pin_id): (&str, Option<&str>),
        (status, reason): (PinStatus, Option<&str>),
    ) -> Result<(), LedgerError> {
        self.look_at(pin, |attempt| {
            self.ledger.save_pin_state(attempt, state, pin_id)?;
            self.ledger.finish_pin(attempt, status, reason)
        })
    }

    fn look_at(&self, pin: i64, change: impl FnOnce(PinAttempt) -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        match self.ledger.begin_pin(pin, PinStep::Look, &self.lease)? {
            Begun::Attempt(attempt) => change(attempt),
            Begun::Held { by, until } => Err(LedgerError::Held { by, until }),
            // Looking is no attempt that could be used up.
            Begun::Spent { .. } => Ok(()),
        }
    }
}

impl Deref for HeldLedger {
    type Target = dyn Ledger;

    fn deref(&self) -> &Self::Target {
        &*self.ledger
    }
}
