//! Where copies of objects lie while they are worked on: a folder of this process alone, which goes with it. What a
//! process left that was killed goes with the next one.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

/// Held as long as the process lives; the system lets go of it in whatever way that ends.
const LOCK: &str = "lock";

/// How the names of such folders begin.
const PREFIX: &str = "pinpress-objects-";

/// Its owner takes the lock right after it has made the folder: one without an owner is older than this.
const YOUNG: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct OwnFolder {
    folder: TempDir,
    _lock: File,
    /// Those that were made for it, the deepest first: they go when nothing is in them.
    around: Vec<PathBuf>,
}

impl OwnFolder {
    /// One below `within`, which is made if need be; without it, one among the system's temp files.
    pub(super) fn new(within: Option<&Path>) -> io::Result<Self> {
        let mut name = tempfile::Builder::new();
        let name = name.prefix(PREFIX);
        let mut around = Vec::new();
        let folder = match within {
            None => {
                sweep(&std::env::temp_dir());
                name.tempdir()?
            }
            Some(within) => {
                around = within.ancestors().take_while(|folder| !folder.is_dir()).map(Path::to_owned).collect();
                std::fs::create_dir_all(within)?;
                sweep(within);
                name.tempdir_in(within)?
            }
        };
        let lock = File::create_new(folder.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock, around })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for OwnFolder {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next process; a folder with something in it stays.
        drop(std::fs::remove_dir_all(self.folder.path()));
        for folder in &self.around {
            drop(std::fs::remove_dir(folder));
        }
    }
}

/// Removes the folders of processes that are gone.
fn sweep(within: &Path) {
    for entry in std::fs::read_dir(within).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) && is_abandoned(&entry.path()) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

/// Whether nobody holds its lock who could. What cannot be told is not.
fn is_abandoned(folder: &Path) -> bool {
    // For writing, though nothing is: NFS locks no file that is open for reading alone.
    let Ok(lock) = File::options().write(true).open(folder.join(LOCK)) else { return false };
    let age = lock.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|made| made.elapsed().ok());
    age.is_some_and(|age| age > YOUNG) && !matches!(lock.try_lock(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn age(folder: &Path) {
        let lock = File::options().write(true).open(folder.join(LOCK)).unwrap();
        lock.set_modified(SystemTime::now() - 2 * YOUNG).unwrap();
    }

    #[test]
    fn it_goes_with_what_was_made_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let within = dir.path().join(".pinpress/objects");
        let own = OwnFolder::new(Some(&within)).unwrap();
        std::fs::write(own.path().join("clip.mp4"), "x").unwrap();
        drop(own);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        std::fs::create_dir_all(&within).unwrap();
        std::fs::write(dir.path().join(".pinpress/ledger.db"), "x").unwrap();
        drop(OwnFolder::new(Some(&within)).unwrap());
        assert!(dir.path().join(".pinpress/ledger.db").exists());
    }

    #[test]
    fn what_a_dead_process_left_goes_and_what_a_live_one_has_stays() {
        let dir = tempfile::tempdir().unwrap();
        let live = OwnFolder::new(Some(dir.path())).unwrap();
        age(live.path());
        let (dead, young) = (dir.path().join("pinpress-objects-dead"), dir.path().join("pinpress-objects-young"));
        for folder in [&dead, &young] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join(LOCK), "").unwrap();
        }
        age(&dead);
        let own = OwnFolder::new(Some(dir.path())).unwrap();
        assert!(live.path().exists() && own.path().exists() && young.exists());
        assert!(!dead.exists());
    }
}
