//! Where the ledger of an output folder is.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use super::postgres::{PostgresLedger, Server};
use super::{Claimant, Lease, Ledger, LedgerError, LockError, RunLock, SqliteLedger};
use crate::durable;

/// Our own folder in an output folder: ledger, lock, logs.
pub const OWN_FOLDER: &str = ".pinpress";
const LEDGER: &str = "ledger.db";
const LOCK: &str = "lock";
const CLAIMANT: &str = "claimant";

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

/// A ledger that is named.
#[derive(Debug, Clone)]
pub enum LedgerAddress {
    /// An SQLite file on a disk of this machine.
    File(PathBuf),
    /// A `PostgreSQL` database.
    Server(Server),
}

impl LedgerAddress {
    /// A `postgres://` address, or else the name of a file. `password` is for an address that has none.
    ///
    /// # Errors
    /// When it begins as an address and is none.
    pub fn parse(text: &OsStr, password: Option<&str>) -> Result<Self, LedgerError> {
        match text.to_str().filter(|text| Server::is_address(text)) {
            Some(url) => Server::parse(url, password).map(Self::Server),
            None => Ok(Self::File(text.into())),
        }
    }
}

/// As it may be shown: without a password.
impl fmt::Display for LedgerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(server) => server.fmt(f),
        }
    }
}

/// Where a ledger is, for an output folder.
#[derive(Debug, Clone)]
pub struct LedgerPlace {
    output: PathBuf,
    named: Option<LedgerAddress>,
}

impl LedgerPlace {
    /// The one that is named, or one in the output folder itself.
    #[must_use]
    pub fn new(output: &Path, named: Option<&LedgerAddress>) -> Self {
        Self { output: output.to_owned(), named: named.cloned() }
    }

    /// The output folder.
    #[must_use]
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// Whether other runs may be at work with it at the same time, for other output folders.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self.named, Some(LedgerAddress::Server(_)))
    }

    /// What a person knows it by: what was named, or else the output folder.
    #[must_use]
    pub fn known_as(&self) -> String {
        self.named.as_ref().map_or_else(|| self.output.display().to_string(), ToString::to_string)
    }

    /// The file; `None` for a database.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        match &self.named {
            None => Some(ledger_path(&self.output)),
            Some(LedgerAddress::File(file)) => Some(file.clone()),
            Some(LedgerAddress::Server(_)) => None,
        }
    }

    /// Opens it, making it where it is missing.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open(&self) -> Result<Box<dyn Ledger>, LedgerError> {
        Ok(match &self.named {
            None => Box::new(SqliteLedger::open(&ledger_path(&self.output))?),
            Some(LedgerAddress::File(file)) => Box::new(SqliteLedger::open(file)?),
            Some(LedgerAddress::Server(server)) => Box::new(PostgresLedger::open(server.clone())?),
        })
    }

    /// Opens it if it is there. A database counts as being there.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open_known(&self) -> Result<Option<Box<dyn Ledger>>, LedgerError> {
        if self.file().is_some_and(|file| !file.is_file()) {
            return Ok(None);
        }
        self.open().map(Some)
    }

    /// Its lock, where it has one. The ledger of an output folder has one lock, whether it was named or not.
    fn lock_path(&self) -> Option<PathBuf> {
        Some(match &self.named {
            None => lock_path(&self.output),
            Some(LedgerAddress::File(file)) if file.ends_with(Path::new(OWN_FOLDER).join(LEDGER)) => {
                file.with_file_name(LOCK)
            }
            Some(LedgerAddress::File(file)) => {
                let mut name = file.as_os_str().to_owned();
                name.push(".lock");
                name.into()
            }
            Some(LedgerAddress::Server(_)) => return None,
        })
    }

    /// Takes its lock: no other run changes the ledger while the answer lives. `None` for a database, where claims
    /// keep runs apart.
    ///
    /// # Errors
    /// When a run is at work with it, or the system refuses.
    pub fn lock(&self) -> Result<Option<RunLock>, LockError> {
        self.lock_path().map(|path| RunLock::take(&path)).transpose()
    }

    /// Takes the lock of the output folder, where that is another one.
    ///
    /// # Errors
    /// When another run is at work in that folder.
    pub fn lock_output(&self) -> Result<Option<RunLock>, LockError> {
        let path = lock_path(&self.output);
        if Some(&path) == self.lock_path().as_ref() {
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

    /// What a run claims with. It ends the leases of the run before it in this output folder, which is dead: call it
    /// while holding [`Self::lock`] and [`Self::lock_output`], which the system drops only when their holder dies.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn succeed(&self, ledger: &dyn Ledger) -> Result<Lease, LedgerError> {
        if !self.is_shared() {
            ledger.expire(None)?;
            return Ok(Lease::new());
        }
        let lease = Lease::shared();
        let note = self.output.join(OWN_FOLDER).join(CLAIMANT);
        if let Ok(before) = std::fs::read_to_string(&note) {
            ledger.expire(Some(&Claimant::named(before.trim())))?;
        }
        // Without the note the next run waits until the leases of this one end, should it die.
        if let Err(error) = durable::write(&note, lease.claimant.as_str().as_bytes()) {
            tracing::warn!(%error, path = %note.display(), "who claims could not be noted");
        }
        Ok(lease)
    }
}

impl From<&Path> for LedgerPlace {
    fn from(output: &Path) -> Self {
        Self::new(output, None)
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
        let named = LedgerPlace::new(&other, plain.file().map(LedgerAddress::File).as_ref());
        assert!(matches!(named.lock(), Err(LockError::Held { .. })));
        drop(held);
        let elsewhere = LedgerPlace::new(&out, Some(&LedgerAddress::File(dir.path().join("mine.db"))));
        let (_ledger, _output) = (elsewhere.lock().unwrap().unwrap(), elsewhere.lock_output().unwrap().unwrap());
        assert!(matches!(plain.lock(), Err(LockError::Held { .. })), "no two runs in one output folder");
        assert!(dir.path().join("mine.db.lock").is_file());
    }
}
