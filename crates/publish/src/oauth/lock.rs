//! One process at a time refreshes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::error::StoreError;
use super::file::make_private_folder;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(20);
/// Longer than a refresh with all its tries takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// Held until it is dropped, or the process ends however it ends.
#[derive(Debug)]
pub(crate) struct TokenLock {
    _file: File,
}

impl TokenLock {
    /// Waits for its turn. It asks again and again, as a wait in the system could not be given up.
    pub(crate) async fn take(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Lock { source, path: path.to_owned() };
        let file = open(path).map_err(failed)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) if started.elapsed() > PATIENCE => {
                    return Err(failed(io::Error::other("another process keeps it")));
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    make_private_folder(path)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
