//! A file, opened once: the bytes that are probed are the bytes that are hashed.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::ProbeError;

mod positioned;

pub use positioned::PositionedReader;

/// An open regular file with its length.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    file: File,
    len: u64,
}

/// BLAKE3 of the whole content, in lower-case hexadecimal: the same file under any name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Source {
    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// When it cannot be opened, is no regular file (pipes and devices are refused before they are opened, as
    /// opening one could wait for ever), or has no bytes.
    pub fn open(path: &Path) -> Result<Self, ProbeError> {
        let io_error = |source| ProbeError::Io { path: path.to_owned(), source };
        if !std::fs::metadata(path).map_err(io_error)?.is_file() {
            return Err(ProbeError::NotAFile { path: path.to_owned() });
        }
        let file = File::open(path).map_err(io_error)?;
        let len = file.metadata().map_err(io_error)?.len();
        if len == 0 {
            return Err(ProbeError::Empty { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), file, len })
    }

    /// Where it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes when it was opened.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Never: an empty file does not open.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The open file.
    #[must_use]
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// A reader of the bytes with a place of its own, at the beginning.
    #[must_use]
    pub const fn reader(&self) -> PositionedReader<'_> {
        PositionedReader::new(&self.file, self.len)
    }

    /// Hashes the whole content. Reads every byte.
    ///
    /// # Errors
    /// When reading fails.
    pub fn fingerprint(&self) -> io::Result<Fingerprint> {
        use std::io::Seek as _;
        let mut file = &self.file;
        file.rewind()?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(file)?;
        Ok(Fingerprint(hasher.finalize().to_hex().to_string()))
    }
}
