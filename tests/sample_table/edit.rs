//! Files with a few bytes changed.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A copy of the file at `from` with `edit` done to it.
pub(crate) fn edited(from: &Path, name: &str, edit: impl FnOnce(&mut Vec<u8>)) -> (TempDir, PathBuf) {
    let mut bytes = std::fs::read(from).expect("it reads");
    edit(&mut bytes);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("it writes");
    (folder, path)
}

/// Where the header of the first box `kind` behind `from` begins.
pub(crate) fn find(bytes: &[u8], kind: &[u8; 4], from: usize) -> usize {
    bytes[from..].windows(4).position(|window| window == kind).expect("the box is there") + from - 4
}

pub(crate) fn size_of(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))).expect("it fits")
}

pub(crate) fn grow(bytes: &mut [u8], at: usize, by: usize) {
    let size = u32::try_from(size_of(bytes, at) + by).expect("it fits");
    bytes[at..at + 4].copy_from_slice(&size.to_be_bytes());
}

/// Puts `inserted` in at `at`, and lets the boxes of `parents`, each the first of its kind behind `from`, grow by it.
/// `moov` has to lie behind `mdat`: chunks do not move.
pub(crate) fn insert(bytes: &mut Vec<u8>, at: usize, inserted: &[u8], from: usize, parents: &[&[u8; 4]]) {
    bytes.splice(at..at, inserted.iter().copied());
    for kind in parents {
        let parent = find(bytes, kind, from);
        grow(bytes, parent, inserted.len());
    }
}
