//! Writing a file so that it is there whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use pinpress_media::TEMP_SUFFIX;
use tempfile::NamedTempFile;

/// Writes `bytes` to `path`, as [`WholeFile`] does.
///
/// # Errors
/// When the system refuses; then nothing has changed under `path`, and no temp file stays.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = WholeFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// A file that is being written: a temp file beside its final name, which [`WholeFile::commit`] gives it. Dropped
/// before that, it leaves nothing.
#[derive(Debug)]
pub struct WholeFile {
    temp: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl WholeFile {
    /// Begins a file that will be `path`, in a folder that exists.
    ///
    /// # Errors
    /// When the system refuses the temp file.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { temp: BufWriter::new(temp_beside(path)?), path: path.to_owned() })
    }

    /// Brings everything to disk and renames it over what was there: fsync, rename, fsync of the folder.
    ///
    /// # Errors
    /// When the system refuses; then nothing has changed under the final name, and no temp file stays.
    pub fn commit(self) -> io::Result<()> {
        commit(self.temp.into_inner().map_err(io::IntoInnerError::into_error)?, &self.path)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temp.flush()
    }
}

/// An empty temp file beside `path`, of a name that [`crate::sweep::sweep`] knows.
pub(crate) fn temp_beside(path: &Path) -> io::Result<NamedTempFile> {
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(TEMP_SUFFIX);
    // Temp files are private by default; a receipt is for whoever may read the folder.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    builder.tempfile_in(folder_of(path))
}

/// Brings `temp` to disk and gives it the name `path`: fsync, rename, fsync of the folder.
pub(crate) fn commit(temp: NamedTempFile, path: &Path) -> io::Result<()> {
    temp.as_file().sync_all()?;
    temp.persist(path).map_err(|error| error.error)?;
    sync_folder(folder_of(path))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Makes a rename in `folder` last.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Only Unix can open a folder for this; elsewhere the file's own fsync is all there is.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pin.json");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_leaves_no_temp_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("taken");
        std::fs::create_dir_all(path.join("below")).unwrap();
        assert!(write(&path, b"one").is_err(), "a folder is in the way");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_not_committed_was_never_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.json");
        write(&path, b"the last one").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(&[b' '; 100_000]).unwrap();
        drop(file);
        assert_eq!(std::fs::read(&path).unwrap(), b"the last one");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
