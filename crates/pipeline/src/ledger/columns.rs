//! Values as a database keeps them, whichever it is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pinpress_probe::Fingerprint;

/// Paths are kept as bytes: not every one is UTF-8.
pub(super) fn path_bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

pub(super) fn path(bytes: Vec<u8>) -> PathBuf {
    #[cfg(unix)]
    let name: OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes);
    #[cfg(not(unix))]
    let name: OsString = String::from_utf8_lossy(&bytes).into_owned().into();
    name.into()
}

pub(super) fn fingerprint(text: String) -> serde_json::Result<Fingerprint> {
    serde_json::from_value(serde_json::Value::String(text))
}

/// A name that this version does not know: written by a newer one that kept the schema.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not known to this version")]
pub(super) struct UnknownName(pub(super) String);
