//! Whether something changed below some folders: told by the system where it can, looked for where it cannot.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::naming::absolute;

/// Changes are waited for until none came for so long: a copy of many files is one change.
const QUIET: Duration = Duration::from_secs(2);

/// A change is told after this time, though others keep coming.
const AT_LAST: Duration = Duration::from_secs(30);

/// How often a folder is looked through all the same: network and virtual file systems tell of some changes only.
const SELDOM: Duration = Duration::from_secs(60);

/// How often it is looked through where the system tells nothing.
const OFTEN: Duration = Duration::from_secs(5);

/// Tells of changes.
pub trait Changes: Debug + Sync {
    /// Waits at most so long; true when it is time to look through the folders.
    fn wait(&self, limit: Duration) -> bool;
}

/// Changes below folders of this machine.
#[derive(Debug)]
pub struct FolderChanges {
    events: Receiver<()>,
    pace: Mutex<Pace>,
    /// Told of while it lives. Without one the folders are looked through often.
    _watcher: Option<RecommendedWatcher>,
    /// Why the system tells nothing.
    blind: Option<String>,
}

#[derive(Debug)]
struct Pace {
    /// The first change that was not told, and the last.
    pending: Option<(Instant, Instant)>,
    /// When the folders were last looked through.
    looked: Instant,
}

impl FolderChanges {
    /// Watches `paths`, and all below them but what is below `output`; and the file `beside` them.
    #[must_use]
    pub fn below(paths: &[PathBuf], beside: Option<&Path>, output: &Path) -> Self {
        let (tell, events) = crossbeam_channel::bounded(1);
        let own = absolute(output);
        let roots: Vec<PathBuf> = paths.iter().map(|path| absolute(path)).collect();
        let beside = beside.map(absolute);
        let (watched, file) = (roots.clone(), beside.clone());
        let matters = move |path: &PathBuf| {
            Some(path) == file.as_ref() || !path.starts_with(&own) && watched.iter().any(|root| path.starts_with(root))
        };
        let heard = move |event: notify::Result<Event>| {
            // An error is a reason to look: events may have been lost.
            let told = event.map_or(true, |event| {
                let matters = event.paths.is_empty() || event.paths.iter().any(&matters);
                matters && !matches!(event.kind, EventKind::Access(_))
            });
            if told {
                // One is enough.
                let _ = tell.try_send(());
            }
        };
        let watcher = notify::recommended_watcher(heard).and_then(|mut watcher| {
            for path in &roots {
                watcher.watch(path, RecursiveMode::Recursive)?;
            }
            // Its folder: what editors save is another file under the same name.
            let folder = beside.as_deref().and_then(Path::parent);
            if let Some(folder) = folder.filter(|folder| !roots.iter().any(|root| folder.starts_with(root))) {
                watcher.watch(folder, RecursiveMode::NonRecursive)?;
            }
            Ok(watcher)
        });
        let (watcher, blind) = match watcher {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { events, pace: Mutex::new(Pace { pending: None, looked: Instant::now() }), _watcher: watcher, blind }
    }

    /// Why the system does not tell of changes, so that the folders are looked through every few seconds.
    #[must_use]
    pub fn blind(&self) -> Option<&str> {
        self.blind.as_deref()
    }
}

impl Changes for FolderChanges {
    fn wait(&self, limit: Duration) -> bool {
        let heard = match self.events.recv_timeout(limit) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(limit);
                false
            }
        };
        let now = Instant::now();
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if heard {
            pace.pending = Some((pace.pending.map_or(now, |(first, _)| first), now));
        }
        let interval = if self.blind.is_some() { OFTEN } else { SELDOM };
        let due = pace.pending.is_some_and(|(first, last)| now - last >= QUIET || now - first >= AT_LAST)
            || now - pace.looked >= interval;
        if due {
            *pace = Pace { pending: None, looked: now };
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a change is told before the folders would be looked through anyway.
    fn told(changes: &FolderChanges) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < SELDOM / 2 {
            if changes.wait(Duration::from_millis(50)) {
                return true;
            }
        }
        false
    }

    #[test]
    fn a_manifest_beside_the_folders_is_told_and_its_neighbours_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let (raw, manifest) = (dir.path().join("raw"), dir.path().join("pins.csv"));
        std::fs::create_dir(&raw).unwrap();
        std::fs::write(&manifest, "file\n").unwrap();
        let changes = FolderChanges::below(std::slice::from_ref(&raw), Some(&manifest), &dir.path().join("out"));
        if changes.blind().is_some() {
            println!("skipped: the system does not tell of changes here");
            return;
        }
        std::fs::write(dir.path().join("notes.txt"), "a").unwrap();
        let soon = Instant::now() + 2 * QUIET;
        while Instant::now() < soon {
            assert!(!changes.wait(Duration::from_millis(100)), "a neighbour is no change");
        }
        // As editors save: another file takes its name.
        std::fs::write(dir.path().join("pins.csv~"), "file\na.mp4\n").unwrap();
        std::fs::rename(dir.path().join("pins.csv~"), &manifest).unwrap();
        assert!(told(&changes), "the manifest was saved");
        std::fs::write(raw.join("a.mp4"), "a").unwrap();
        assert!(told(&changes), "a video came");
    }

    #[test]
    fn a_file_that_comes_is_told_and_what_is_written_to_the_output_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (raw, out) = (dir.path().join("raw"), dir.path().join("raw/out"));
        std::fs::create_dir_all(raw.join("deep")).unwrap();
        std::fs::create_dir(&out).unwrap();
        let changes = FolderChanges::below(std::slice::from_ref(&raw), None, &out);
        if let Some(reason) = changes.blind() {
            println!("skipped: the system tells of no changes: {reason}");
            return;
        }
        std::fs::write(out.join("a.mp4"), b"x").unwrap();
        // More than the quiet after which a change would be told.
        for _ in 0..30 {
            assert!(!changes.wait(Duration::from_millis(100)), "an output is no change");
        }
        std::fs::write(raw.join("deep/b.mp4"), b"x").unwrap();
        assert!(told(&changes));
    }
}
