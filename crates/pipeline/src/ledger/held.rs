//! Where the ledger of an output folder is, and opening one that is there for somebody who changes it between runs.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::{LedgerError, LockError, RunLock, SqliteLedger};

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
        Ok(Self { ledger: SqliteLedger::open(&path)?, _lock: lock })
    }
}

impl Deref for HeldLedger {
    type Target = SqliteLedger;

    fn deref(&self) -> &SqliteLedger {
        &self.ledger
    }
}
