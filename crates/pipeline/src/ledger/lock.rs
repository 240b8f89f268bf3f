//! One run at a time in an output folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

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
        let io_error = |source| LockError::Io { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io_error)?;
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(io_error)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(io_error(source)),
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
