//! A file that appears under its name whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use pinpress_media::final_name::{give_name, sync_folder_of};
use pinpress_media::temp_name;

/// Writes `path` with `fill`: under a temp name beside it, synced, then renamed.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when `path` exists and `overwrite` is not given; else what the system says. Then
/// nothing is left.
pub(crate) fn write_whole(
    path: &Path,
    overwrite: bool,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let temp = Temp(temp_name(path, std::process::id()));
    let file = OpenOptions::new().write(true).create_new(true).open(&temp.0)?;
    let mut writer = BufWriter::new(file);
    fill(&mut writer)?;
    writer.flush()?;
    writer.get_ref().sync_all()?;
    give_name(&temp.0, path, overwrite)?;
    std::mem::forget(temp);
    sync_folder_of(path)
}

/// Removed when it is dropped.
struct Temp(PathBuf);

impl Drop for Temp {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_that_exists_is_replaced_only_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        write_whole(&path, false, |file| file.write_all(b"one")).unwrap();
        let error = write_whole(&path, false, |file| file.write_all(b"two")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        write_whole(&path, true, |file| file.write_all(b"two")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(names(folder.path()), ["a.jpg"]);
    }

    #[test]
    fn half_a_file_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        let failing = |file: &mut BufWriter<File>| {
            file.write_all(&[0; 100_000])?;
            Err(io::Error::other("the disk is full"))
        };
        assert!(write_whole(&path, false, failing).is_err());
        assert!(names(folder.path()).is_empty());
    }
}
