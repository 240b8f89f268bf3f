//! Whether a source is still the file that it was when work on it began.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pinpress_media::{Failure, FailureKind};

use crate::failure;

/// A file by what changes when it is written to or another one takes its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    path: PathBuf,
    len: u64,
    modified: Option<SystemTime>,
    /// Device and number of the inode, where there are such.
    inode: Option<(u64, u64)>,
}

impl Stamp {
    /// The file at `path` now, which was `len` bytes long when its facts were read.
    ///
    /// # Errors
    /// `Io` when it is gone, or has another length.
    pub(crate) fn of(path: &Path, len: u64) -> Result<Self, Failure> {
        let stamp = Self::now(path).map_err(|error| unreadable(&error))?;
        if stamp.len == len { Ok(stamp) } else { Err(changed(&format!(" ({len} bytes, then {})", stamp.len))) }
    }

    /// Fails unless it is the same file still, as it was.
    ///
    /// # Errors
    /// `Io` when it is gone, was written to or replaced.
    pub(crate) fn holds(&self) -> Result<(), Failure> {
        let now = Self::now(&self.path).map_err(|error| unreadable(&error))?;
        match now {
            now if now == *self => Ok(()),
            now if now.len != self.len => Err(changed(&format!(" ({} bytes, then {})", self.len, now.len))),
            _ => Err(changed("")),
        }
    }

    fn now(path: &Path) -> io::Result<Self> {
        let file = std::fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), len: file.len(), modified: file.modified().ok(), inode: inode(&file) })
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
fn inode(file: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
const fn inode(_file: &Metadata) -> Option<(u64, u64)> {
    None
}

fn unreadable(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::NotFound {
        return Failure::new(FailureKind::Io, "it was removed or renamed while it was worked on: nothing was written");
    }
    failure::from_io("cannot read it any more", error)
}

fn changed(how: &str) -> Failure {
    Failure::new(
        FailureKind::Io,
        format!("it changed while it was worked on{how}: run it again when nobody writes to it"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_length_time_or_file_is_a_change_and_a_second_name_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("a.mp4"), folder.path().join("b.mp4"));
        std::fs::write(&path, "four").unwrap();
        assert!(Stamp::of(&path, 5).unwrap_err().message.contains("5 bytes, then 4"));
        let stamp = Stamp::of(&path, 4).unwrap();
        std::fs::hard_link(&path, &aside).unwrap();
        stamp.holds().unwrap();

        std::fs::rename(&path, &aside).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(stamp.holds().unwrap_err().message.contains("removed"));
        std::fs::copy(&aside, &path).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(stamp.modified.unwrap()).unwrap();
        assert!(stamp.holds().is_err(), "another file of the same length and time");

        let stamp = Stamp::of(&aside, 4).unwrap();
        let file = std::fs::File::options().write(true).open(&aside).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(stamp.holds().unwrap_err().message.contains("changed"));
    }
}
