//! How a file that is good gets its final name.

use std::fs::File;
use std::io;
use std::path::Path;

/// Renames `from` to `to`, on the same filesystem. What is there already is replaced only when `overwrite` says so;
/// without a moment between asking and doing where the system can.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when the name is taken and is not to be replaced; else what the system says.
pub fn give_name(from: &Path, to: &Path, overwrite: bool) -> io::Result<()> {
    if overwrite { std::fs::rename(from, to) } else { rename_new(from, to) }
}

/// Makes the names last that were given in the folder of `file`.
///
/// # Errors
/// When the system cannot write the folder to disk.
pub fn sync_folder_of(file: &Path) -> io::Result<()> {
    File::open(folder_of(file))?.sync_all()
}

/// The folder that holds `file`; the working folder when the name has none.
#[must_use]
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            // Filesystems that know no such rename (NFS, some FUSE).
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // A second name for the file fails when the name is taken, on every filesystem that has hard links.
    match std::fs::hard_link(from, to) {
        Ok(()) => std::fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) if std::fs::symlink_metadata(to).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => std::fs::rename(from, to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_is_replaced_only_when_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        for (text, overwrite) in [("one", false), ("two", true)] {
            std::fs::write(&from, text).unwrap();
            give_name(&from, &to, overwrite).unwrap();
            assert_eq!((std::fs::read_to_string(&to).unwrap().as_str(), from.exists()), (text, false));
        }
        std::fs::write(&from, "three").unwrap();
        assert_eq!(give_name(&from, &to, false).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "two");
        sync_folder_of(&to).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_a_name_that_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std::fs::write(&from, "mine").unwrap();
        std::os::unix::fs::symlink("nowhere", &to).unwrap();
        assert_eq!(give_name(&from, &to, false).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(to.is_symlink() && from.exists());
    }

    #[test]
    fn a_name_without_a_folder_is_in_the_working_folder() {
        assert_eq!(folder_of(Path::new("a.mp4")), Path::new("."));
        assert_eq!(folder_of(Path::new("out/a.mp4")), Path::new("out"));
    }
}
