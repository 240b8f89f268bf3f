//! Where the ledger of an output folder is, and opening one that is there for somebody who changes it between runs.

use std::ops::Deref;
use std::path::{Path, PathBuf};

use super::{Begun, Lease, Ledger as _, LedgerError, LockError, PinAttempt, PinStatus, PinStep, RunLock, SqliteLedger};

/// Our own folder in an output folder: ledger, lock, logs.
pub const OWN_FOLDER: &str = ".pinpress";
const LEDGER: &str = "ledger.db";
const LOCK: &str = "lock";

/// Where the ledger of an output folder is.
#[must_use]
pub fn ledger_path(output: &Path) -> PathBuf {
    output.join(OWN_FOLDER).join(LEDGER)
}

/// The lock of an output folder.
#[must_use]
pub fn lock_path(output: &Path) -> PathBuf {
    output.join(OWN_FOLDER).join(LOCK)
}

/// Where a ledger is, for an output folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPlace {
    output: PathBuf,
    file: Option<PathBuf>,
}

impl LedgerPlace {
    /// At `file`, or in the output folder itself.
    #[must_use]
    pub fn new(output: &Path, file: Option<&Path>) -> Self {
        Self { output: output.to_owned(), file: file.map(Path::to_owned) }
    }

    /// The output folder.
    #[must_use]
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.file.clone().unwrap_or_else(|| ledger_path(&self.output))
    }

    /// Its lock. The ledger of an output folder has one lock, whether it was named or not.
    fn lock_path(&self) -> PathBuf {
        match &self.file {
            None => lock_path(&self.output),
            Some(file) if file.ends_with(Path::new(OWN_FOLDER).join(LEDGER)) => file.with_file_name(LOCK),
            Some(file) => {
                let mut name = file.as_os_str().to_owned();
                name.push(".lock");
                name.into()
            }
        }
    }

    /// Takes its lock: no other run changes the ledger while the answer lives.
    ///
    /// # Errors
    /// When a run is at work with it, or the system refuses.
    pub fn lock(&self) -> Result<RunLock, LockError> {
        RunLock::take(&self.lock_path())
    }

    /// Takes the lock of the output folder, where that is another one.
    ///
    /// # Errors
    /// When another run is at work in that folder.
    pub fn lock_output(&self) -> Result<Option<RunLock>, LockError> {
        let path = lock_path(&self.output);
        if path == self.lock_path() {
            return Ok(None);
        }
        match RunLock::take(&path) {
            Ok(lock) => Ok(Some(lock)),
            Err(held @ LockError::Held { .. }) => Err(held),
            // Some network filesystems have no locks, and that is why the ledger is elsewhere.
            Err(error) => {
                tracing::warn!(%error, "the output folder is not locked");
                Ok(None)
            }
        }
    }
}

impl From<&Path> for LedgerPlace {
    fn from(output: &Path) -> Self {
        Self::new(output, None)
    }
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
        let path = place.path();
        if !path.is_file() {
            let path = place.file.as_ref().unwrap_or(&place.output).clone();
            return Err(HoldError::NoLedger { path });
        }
        let lock = place.lock()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ledger_has_one_lock_however_it_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (out, other) = (dir.path().join("out"), dir.path().join("other"));
        let plain = LedgerPlace::from(out.as_path());
        let held = plain.lock().unwrap();
        assert!(plain.lock_output().unwrap().is_none(), "it is the same");
        let named = LedgerPlace::new(&other, Some(&plain.path()));
        assert!(matches!(named.lock(), Err(LockError::Held { .. })));
        drop(held);
        let elsewhere = LedgerPlace::new(&out, Some(&dir.path().join("mine.db")));
        let (_ledger, _output) = (elsewhere.lock().unwrap(), elsewhere.lock_output().unwrap().unwrap());
        assert!(matches!(plain.lock(), Err(LockError::Held { .. })), "no two runs in one output folder");
        assert!(dir.path().join("mine.db.lock").is_file());
    }
}
