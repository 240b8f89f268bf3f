//! Temp files that a killed run has left: `.NAME.<anything>.pinpress-tmp`, ours by their name alone.

use std::path::{Path, PathBuf};

use pinpress_media::TEMP_SUFFIX;

use ignore::WalkBuilder;

/// Removes our temp files below `folder` and answers which. Call it while holding the lock of the run, when no
/// worker of ours is writing there. What cannot be removed is left for the next time.
#[must_use]
pub fn sweep(folder: &Path) -> Vec<PathBuf> {
    let walker = WalkBuilder::new(folder).standard_filters(false).follow_links(false).build();
    walker
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()) && is_ours(entry.path()))
        .map(ignore::DirEntry::into_path)
        .filter(|path| std::fs::remove_file(path).is_ok())
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
}
