//! Writing a small file so that it is there whole or not at all.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use pinpress_media::TEMP_SUFFIX;

/// Writes `bytes` to `path`: a temp file beside it, fsync, rename over what was there, fsync of the folder.
///
/// # Errors
/// When the system refuses; then nothing has changed under `path`, and no temp file stays.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(TEMP_SUFFIX);
    // Temp files are private by default; a receipt is for whoever may read the folder.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut temp = builder.tempfile_in(folder)?;
    temp.write_all(bytes)?;
    temp.as_file().sync_all()?;
    temp.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Makes a rename in `folder` last.
fn sync_folder(folder: &Path) -> io::Result<()> {
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
}
