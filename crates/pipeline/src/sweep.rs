//! Temp files and temp folders that a killed run has left: `.NAME.<anything>.pinpress-tmp`, ours by their name alone.

use std::path::{Path, PathBuf};

use pinpress_media::{TEMP_SUFFIX, remove_abandoned};

use ignore::WalkBuilder;

/// Removes our temp files and temp folders below `folder`, but for those of somebody who lives and holds their lock, and
/// answers which. Call it while holding the lock of the run, when no worker of ours is writing there. What cannot be
/// removed is left for the next time.
#[must_use]
pub fn sweep(folder: &Path) -> Vec<PathBuf> {
    let walker = WalkBuilder::new(folder)
        .standard_filters(false)
        .follow_links(false)
        // What is in a temp folder goes or stays with it.
        .filter_entry(|entry| entry.depth() == 0 || !entry.path().parent().is_some_and(is_ours))
        .build();
    walker
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file() || kind.is_dir()))
        .filter(|entry| entry.depth() > 0 && is_ours(entry.path()))
        .map(ignore::DirEntry::into_path)
        .filter(|path| remove_abandoned(path).is_ok_and(|gone| gone))
        .collect()
}

fn is_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    // A dot, a name, a dot, something, the suffix.
    name.strip_prefix(b".")
        .and_then(|name| name.strip_suffix(TEMP_SUFFIX.as_bytes()))
        .is_some_and(|middle| middle.iter().skip(1).rev().skip(1).any(|byte| *byte == b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pinpress_media::PrivateFolder;

    #[test]
    fn takes_ours_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("deep")).unwrap();
        let ours = [".a.mp4.4711.pinpress-tmp", "deep/.b.cover.jpg.Xy.pinpress-tmp"];
        let others = ["a.mp4", ".a.mp4.4711.tmp", "a.4711.pinpress-tmp", ".pinpress-tmp", ".a.pinpress-tmp"];
        for name in ours.iter().chain(&others) {
            std::fs::write(dir.path().join(name), b"x").unwrap();
        }
        assert_eq!(sweep(dir.path()).len(), ours.len());
        assert!(ours.iter().all(|name| !dir.path().join(name).exists()));
        assert!(others.iter().all(|name| dir.path().join(name).exists()));
        assert!(sweep(&dir.path().join("not there")).is_empty());
    }

    #[test]
    fn takes_folders_with_all_that_is_in_them_but_those_in_use() {
        let dir = tempfile::tempdir().unwrap();
        let (dead, other) = (dir.path().join(".a.mp4.4711.pinpress-tmp"), dir.path().join(".b.pinpress-tmp"));
        for folder in [&dead, &other] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("kept"), b"x").unwrap();
        }
        std::fs::write(dead.join(".a.mp4.4712.pinpress-tmp"), b"x").unwrap();
        let alive = PrivateFolder::beside(&dir.path().join("c.mp4")).unwrap();
        let inside = alive.path().join(".c.mp4.4713.pinpress-tmp");
        std::fs::write(&inside, b"x").unwrap();
        assert_eq!(sweep(dir.path()), std::slice::from_ref(&dead));
        assert!(!dead.exists() && other.join("kept").exists() && inside.exists());
    }
}
