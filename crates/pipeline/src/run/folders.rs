//! The mirrored folders: made when an output needs one, removed again when nothing came into it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

#[derive(Debug)]
pub(super) struct Folders {
    root: PathBuf,
    made: Mutex<BTreeSet<PathBuf>>,
}

impl Folders {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), made: Mutex::new(BTreeSet::new()) }
    }

    /// Makes the folder of `output`.
    pub(super) fn make_for(&self, output: &Path) -> io::Result<()> {
        let Some(folder) = output.parent() else { return Ok(()) };
        if folder.is_dir() {
            return Ok(());
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let missing =
            folder.ancestors().take_while(|above| above.starts_with(&self.root) && !above.is_dir()).map(Path::to_owned);
        made.extend(missing.collect::<Vec<_>>());
        std::fs::create_dir_all(folder)
    }

    /// Removes those that are empty, deepest first. Only once nobody writes there any more.
    pub(super) fn prune(&self) {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        for folder in made.iter().rev() {
            // One that holds something is not removed, which is as it should be.
            drop(std::fs::remove_dir(folder));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_empty_folders_of_ours_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir_all(at("theirs/empty")).unwrap();
        let folders = Folders::new(root.path());
        for output in ["theirs/empty/x.mp4", "a/b/c/x.mp4", "a/full/x.mp4", "gone/gone/x.mp4"] {
            folders.make_for(&at(output)).unwrap();
        }
        std::fs::write(at("a/full/x.mp4"), b"x").unwrap();
        folders.prune();
        assert!(at("theirs/empty").is_dir() && at("a/full/x.mp4").is_file());
        assert!(!at("a/b").exists() && !at("gone").exists());
    }
}
