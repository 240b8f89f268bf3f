//! A hidden folder beside an output, in which a job may write while it may not touch the output's own folder.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::client::{remove_abandoned, temp_name_marked};

/// The file in it whose lock says that the folder is in use. A file, as network filesystems lock no folders.
const LOCK: &str = "lock.pinpress-tmp";

/// So many may be beside one output: of processes that have one number on several hosts or in several containers.
const MOST: u32 = 100;

/// The folder. It goes, with all that is in it, when this goes.
#[derive(Debug)]
pub struct PrivateFolder {
    path: PathBuf,
    /// Held until the folder is gone: others take it for abandoned without.
    _lock: File,
}

impl PrivateFolder {
    /// Makes one, named as [`temp_name`](crate::temp_name) says, and takes its lock.
    ///
    /// # Errors
    /// When the system refuses. Nothing is left then.
    pub fn beside(output: &Path) -> io::Result<Self> {
        let process = std::process::id();
        for number in 0..MOST {
            let mark = if number == 0 { process.to_string() } else { format!("{process}-{number}") };
            let path = temp_name_marked(output, &mark);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => match take(&path) {
                    Ok(Some(lock)) => return Ok(Self { path, _lock: lock }),
                    // Somebody swept it in the moment before it had its lock.
                    Ok(None) => {}
                    Err(error) => {
                        let _ = remove(&path);
                        return Err(error);
                    }
                },
                // Left from a process of this number, or of one that lives elsewhere.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let _ = remove_abandoned(&path);
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many temp folders are beside it"))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("cannot remove a temp folder: {error}: {}", self.path.display());
        }
    }
}

/// Takes the lock of the folder at `path`; `None` when somebody else has it, or has just removed the folder. Where the
/// filesystem has no locks, everybody gets it.
pub(crate) fn take(path: &Path) -> io::Result<Option<File>> {
    let lock = path.join(LOCK);
    // For writing, though nothing is: NFS locks no file that is open for reading alone. Made where it is not: of the
    // one who makes the folder and the one who sweeps it, the first has it.
    let file = match File::options().write(true).create(true).truncate(false).open(&lock) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Ok(None);
    }
    // It can have been removed, and made anew, between the opening and the lock.
    let (held, there) = (file.metadata()?, std::fs::metadata(&lock));
    let same = there.is_ok_and(|there| (there.dev(), there.ino()) == (held.dev(), held.ino()));
    Ok(same.then_some(file))
}

/// Removes such a folder with the files in it. One that holds a folder is none of ours, and stays as it is.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let entries = std::fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    for entry in &entries {
        if entry.file_type()?.is_dir() {
            return Err(io::Error::other("there is a folder in it, so it is not one of pinpress"));
        }
    }
    for entry in entries {
        std::fs::remove_file(entry.path())?;
    }
    std::fs::remove_dir(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_hidden_private_and_goes_with_all_that_is_in_it() {
        let out = tempfile::tempdir().unwrap();
        let output = out.path().join("a.mp4");
        let folder = PrivateFolder::beside(&output).unwrap();
        assert_eq!(folder.path(), crate::temp_name(&output, std::process::id()));
        assert_eq!(std::fs::metadata(folder.path()).unwrap().mode() & 0o777, 0o700);
        std::fs::write(folder.path().join("a.mp4"), "half").unwrap();
        drop(folder);
        assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
    }

    #[test]
    fn each_has_one_of_its_own() {
        let out = tempfile::tempdir().unwrap();
        let output = out.path().join("a.mp4");
        let (one, two) = (PrivateFolder::beside(&output).unwrap(), PrivateFolder::beside(&output).unwrap());
        assert_ne!(one.path(), two.path());
        crate::sweep_abandoned(&output);
        assert!(one.path().is_dir() && two.path().is_dir(), "one that is in use was swept");
        let path = one.path().to_owned();
        drop(one);
        // As a process of the same number left it.
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("a.mp4"), "half").unwrap();
        let three = PrivateFolder::beside(&output).unwrap();
        assert!(!path.exists() && three.path().is_dir() && two.path().is_dir());
    }

    #[test]
    fn a_lock_of_a_folder_that_was_made_anew_counts_for_nothing() {
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join(".a.mp4.7.pinpress-tmp");
        std::fs::create_dir(&path).unwrap();
        let old = take(&path).unwrap().unwrap();
        assert!(take(&path).unwrap().is_none(), "it was given twice");
        remove(&path).unwrap();
        assert!(take(&path).unwrap().is_none(), "there is no folder");
        std::fs::create_dir(&path).unwrap();
        assert!(take(&path).unwrap().is_some(), "the old lock holds the new folder");
        drop(old);
    }

    #[test]
    fn a_place_where_nothing_can_be_made_is_told() {
        let out = tempfile::tempdir().unwrap();
        let error = PrivateFolder::beside(&out.path().join("gone/a.mp4")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_folder_with_folders_is_somebody_elses() {
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join(".a.mp4.7.pinpress-tmp");
        std::fs::create_dir_all(path.join("deep")).unwrap();
        std::fs::write(path.join("mine"), "mine").unwrap();
        assert!(remove(&path).is_err());
        assert!(path.join("mine").exists() && path.join("deep").exists());
    }
}
