//! One run at a time in an output folder, or the shards of one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::shard::Shard;

/// The name, beside the lock of an output folder, of that which tells its shards whether others are at work.
const SHARDS: &str = "shards.lock";

/// The lock of a run, held as long as this lives. The system drops it when the process dies, however it dies.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// The lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run is alive.
    #[error("another run is at work in this folder: wait for it, or choose another output folder: {path}", path = path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
    },
    /// Shards of another number are alive.
    #[error("shard {other} is at work in this folder, and {shard} would do videos of it: wait for it: {path}", path = path.display())]
    OtherNumber {
        /// The one that is refused.
        shard: Shard,
        /// The one at work.
        other: Shard,
        /// Its lock file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot lock the output folder ({source}): choose one that you can write to: {path}", path = path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl RunLock {
    /// Takes the lock file at `path`, making it and its folder where they are missing. Does not wait.
    ///
    /// # Errors
    /// When another run holds it, or the system refuses.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(error) => Err(refused(path, error)),
        }
    }
}

fn open(path: &Path) -> Result<File, LockError> {
    let io_error = |source| LockError::Io { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(io_error)?;
    }
    // Read too: over NFS a lock that is shared needs it.
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).map_err(io_error)
}

fn refused(path: &Path, error: TryLockError) -> LockError {
    match error {
        TryLockError::WouldBlock => LockError::Held { path: path.to_owned() },
        TryLockError::Error(source) => LockError::Io { path: path.to_owned(), source },
    }
}

/// The lock of an output folder: of one run, or of shards together.
#[derive(Debug)]
pub struct OutputLock {
    /// `None` where the lock of the ledger is that of the folder too, or the filesystem has none.
    lock: Option<File>,
    /// That of a shard whose ledger has another.
    _of_shard: Option<RunLock>,
    among: Among,
}

/// Who else may be at work.
#[derive(Debug)]
enum Among {
    /// Nobody.
    Nobody,
    /// Other shards, and there is no telling whether they are.
    Others,
    /// Other shards, each of which has this file locked as well.
    Shards { file: File, alone: bool, path: PathBuf },
}

impl OutputLock {
    /// Where the lock of the ledger is that of the folder too.
    pub(super) const fn held_already() -> Self {
        Self { lock: None, _of_shard: None, among: Among::Nobody }
    }

    /// Of a shard, where the filesystem has no locks.
    pub(super) const fn none_among_others() -> Self {
        Self { lock: None, _of_shard: None, among: Among::Others }
    }

    /// Whether it keeps others out: not where the filesystem has no locks, nor where the ledger's lock does so alone.
    pub(super) const fn is_held(&self) -> bool {
        self.lock.is_some()
    }

    /// To itself.
    pub(super) fn take(path: &Path) -> Result<Self, LockError> {
        let file = open(path)?;
        file.try_lock().map_err(|error| refused(path, error))?;
        Ok(Self { lock: Some(file), _of_shard: None, among: Among::Nobody })
    }

    /// Of a shard, together with the others. Waits while another is [alone](Self::is_alone).
    pub(super) fn share(path: &Path, of_shard: Option<RunLock>) -> Result<Self, LockError> {
        let lock = open(path)?;
        lock.try_lock_shared().map_err(|error| refused(path, error))?;
        let path = path.with_file_name(SHARDS);
        let file = open(&path)?;
        let alone = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => {
                file.lock_shared().map_err(|source| LockError::Io { path: path.clone(), source })?;
                false
            }
            Err(error) => return Err(refused(&path, error)),
        };
        Ok(Self { lock: Some(lock), _of_shard: of_shard, among: Among::Shards { file, alone, path } })
    }

    /// Whether nobody else is at work in the folder, nor can begin before [`Self::let_others_in`].
    #[must_use]
    pub const fn is_alone(&self) -> bool {
        matches!(self.among, Among::Nobody | Among::Shards { alone: true, .. })
    }

    /// From now on other shards may begin.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn let_others_in(&mut self) -> Result<(), LockError> {
        let Among::Shards { file, alone: alone @ true, path } = &mut self.among else { return Ok(()) };
        *alone = false;
        file.unlock().and_then(|()| file.lock_shared()).map_err(|source| LockError::Io { path: path.clone(), source })
    }

    /// Whether nobody else is at work any more, nor can begin while this lives. For the end of a run: other shards may
    /// take this one for gone.
    #[must_use]
    pub fn is_last(&self) -> bool {
        match &self.among {
            Among::Nobody => true,
            Among::Others => false,
            Among::Shards { file, .. } => file.unlock().is_ok() && file.try_lock().is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".pinpress/lock");
        let first = RunLock::take(&path).unwrap();
        assert!(matches!(RunLock::take(&path), Err(LockError::Held { .. })));
        drop(first);
        assert!(RunLock::take(&path).is_ok());
    }
}
