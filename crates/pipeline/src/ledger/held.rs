//! Where the ledger of an output folder is, and opening one that is there for somebody who changes it between runs.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::{Begun, Lease, Ledger as _, LedgerError, LockError, PinAttempt, PinStatus, PinStep, RunLock, SqliteLedger};

/// Our own folder in an output folder: ledger, lock, logs.
pub const OWN_FOLDER: &str = ".pinpress";

/// Where the ledger of an output folder is.
#[must_use]
pub fn ledger_path(output: &Path) -> PathBuf {
    output.join(OWN_FOLDER).join("ledger.db")
}

/// The lock of an output folder.
#[must_use]
pub fn lock_path(output: &Path) -> PathBuf {
    output.join(OWN_FOLDER).join("lock")
}

/// A ledger that was there. While it is held, no run is at work.
#[derive(Debug)]
pub struct HeldLedger {
    ledger: SqliteLedger,
    lease: Lease,
    _lock: RunLock,
}

/// A ledger could not be held.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// There is none.
    #[error("no ledger: nothing was run with this output folder: {path}", path = path.display())]
    NoLedger {
        /// The output folder.
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
    /// Holds the ledger of an output folder. Makes none.
    ///
    /// # Errors
    /// When there is none, it cannot be used, or a run is at work.
    pub fn open(output: &Path) -> Result<Self, HoldError> {
        let path = ledger_path(output);
        if !path.is_file() {
            return Err(HoldError::NoLedger { path: output.to_owned() });
        }
        let lock = RunLock::take(&lock_path(output))?;
        let ledger = SqliteLedger::open(&path)?;
        ledger.expire_leases()?;
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
    type Target = SqliteLedger;

    fn deref(&self) -> &SqliteLedger {
        &self.ledger
    }
}
