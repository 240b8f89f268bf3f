//! Which files of the given paths are videos to work on.
//!
//! A folder is walked to its end in sorted order. What has the ending of a video counts as one, so that a broken one
//! is reported and not passed over; anything else counts when its first bytes are those of a video. Hidden files,
//! our own temp files and the output folder are left out. Links are followed, loops are not.

mod sniff;

use std::path::{Path, PathBuf};

use pinpress_media::TEMP_SUFFIX;

use ignore::{DirEntry, WalkBuilder};

pub use sniff::{VIDEO_EXTENSIONS, has_video_extension, looks_like_video};

/// A file to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As the user would name it: the given path, with the rest below it.
    pub path: PathBuf,
    /// Below the given folder; the file name alone for a file that was given itself. Mirrored in the output folder.
    pub relative: PathBuf,
}

/// What was found, in sorted order under each given path.
#[derive(Debug, Default)]
pub struct Discovery {
    /// Files to work on, each once.
    pub videos: Vec<Found>,
    /// Places that could not be looked into.
    pub unreadable: Vec<Unreadable>,
    /// Links that lead back to a folder above them; they were not followed.
    pub loops: Vec<PathBuf>,
    /// Files that are no videos by name and content.
    pub skipped: usize,
}

/// A place that could not be looked into.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot be looked into: {reason}: {path}", path = path.display())]
pub struct Unreadable {
    /// The folder or file.
    pub path: PathBuf,
    /// The system's reason.
    pub reason: String,
}

/// Discovery could not begin.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// A given path does not exist, or cannot be reached.
    #[error("cannot be read: {source}: {path}", path = path.display())]
    Missing {
        /// As given.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A given folder is the output folder itself.
    #[error("the output folder is the input: give another folder for the output: {path}", path = path.display())]
    OutputIsInput {
        /// The folder.
        path: PathBuf,
    },
}

/// Finds the videos under `paths`, leaving `output` and all below it alone when that folder lies below one of them.
///
/// A path that is a file is taken whatever it is called. A path given twice, or a file reached by two of them, is
/// taken once.
///
/// # Errors
/// When a path does not exist, or is the output folder.
pub fn discover(paths: &[PathBuf], output: Option<&Path>) -> Result<Discovery, DiscoverError> {
    let output = output.and_then(|path| path.canonicalize().ok());
    let mut discovery = Discovery::default();
    // One folder without links in it cannot lead to a file twice, and resolving each of ten thousand takes a while.
    let mut once = paths.len() == 1;
    for path in paths {
        let metadata =
            std::fs::metadata(path).map_err(|source| DiscoverError::Missing { path: path.clone(), source })?;
        if metadata.is_dir() {
            if output.is_some() && path.canonicalize().ok() == output {
                return Err(DiscoverError::OutputIsInput { path: path.clone() });
            }
            once &= !walk(path, output.as_deref(), &mut discovery);
        } else {
            let relative = path.file_name().map_or_else(|| path.clone(), PathBuf::from);
            discovery.videos.push(Found { path: path.clone(), relative });
        }
    }
    if !once {
        let mut seen = std::collections::HashSet::new();
        // A file that cannot be resolved stays: reading it will say why.
        discovery.videos.retain(|found| real_path(&found.path).is_none_or(|real| seen.insert(real)));
    }
    Ok(discovery)
}

/// Where the file is, whatever links lead to it; of a link that leads nowhere, where that link is.
fn real_path(path: &Path) -> Option<PathBuf> {
    let of_link = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(of_link)
}

/// Takes what lies under `root`; answers whether a link was met.
fn walk(root: &Path, output: Option<&Path>, discovery: &mut Discovery) -> bool {
    let output = output.map(Path::to_owned);
    let walker = WalkBuilder::new(root)
        .standard_filters(false)
        .follow_links(true)
        .sort_by_file_name(Ord::cmp)
        .filter_entry(move |entry| entry.depth() == 0 || (!is_hidden(entry) && !is_output(entry, output.as_deref())))
        .build();
    let mut met_link = false;
    for entry in walker {
        match entry {
            Ok(entry) => {
                met_link |= entry.depth() > 0 && entry.path_is_symlink();
                take(&entry, root, discovery);
            }
            Err(error) => refuse(&error, root, discovery),
        }
    }
    met_link
}

fn take(entry: &DirEntry, root: &Path, discovery: &mut Discovery) {
    if entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return;
    }
    let path = entry.path();
    // Pipes, sockets and devices are no videos, and opening one could wait for ever.
    let regular = entry.file_type().is_some_and(|kind| kind.is_file());
    if regular && (has_video_extension(path) || looks_like_video(path)) {
        let relative = path.strip_prefix(root).unwrap_or(path).to_owned();
        discovery.videos.push(Found { path: path.to_owned(), relative });
    } else {
        discovery.skipped += 1;
    }
}

fn refuse(error: &ignore::Error, root: &Path, discovery: &mut Discovery) {
    let (path, reason) = place(error);
    let path = path.unwrap_or(root).to_owned();
    match reason {
        Reason::Loop => discovery.loops.push(path),
        // There is nothing to look into behind it. One that is called a video is a video that cannot be read.
        Reason::Text(_) if leads_nowhere(&path) => {
            if has_video_extension(&path) {
                let relative = path.strip_prefix(root).unwrap_or(&path).to_owned();
                discovery.videos.push(Found { path, relative });
            } else {
                discovery.skipped += 1;
            }
        }
        Reason::Text(reason) => discovery.unreadable.push(Unreadable { path, reason }),
    }
}

/// Whether it is a link to what does not exist, or to itself.
fn leads_nowhere(path: &Path) -> bool {
    path.is_symlink()
        && std::fs::metadata(path).is_err_and(|error| error.kind() != std::io::ErrorKind::PermissionDenied)
}

enum Reason {
    Loop,
    Text(String),
}

fn place(error: &ignore::Error) -> (Option<&Path>, Reason) {
    match error {
        ignore::Error::WithPath { path, err } => {
            let (inner, reason) = place(err);
            (Some(inner.unwrap_or(path)), reason)
        }
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => place(err),
        ignore::Error::Loop { child, .. } => (Some(child), Reason::Loop),
        ignore::Error::Io(io) => (None, Reason::Text(io.to_string())),
        other => (None, Reason::Text(other.to_string())),
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    let name = entry.file_name().as_encoded_bytes();
    name.starts_with(b".") || name.ends_with(TEMP_SUFFIX.as_bytes())
}

fn is_output(entry: &DirEntry, output: Option<&Path>) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
        && output.is_some_and(|output| entry.path().canonicalize().is_ok_and(|real| real == output))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(discovery: &Discovery) -> Vec<String> {
        discovery.videos.iter().map(|found| found.relative.display().to_string()).collect()
    }

    #[test]
    fn takes_videos_by_name_or_content_in_sorted_order() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("b/deep")).unwrap();
        fs::create_dir_all(at(".hidden")).unwrap();
        for name in ["z.MP4", "b/deep/a.mkv", "notes.txt", ".x.mp4", ".hidden/y.mp4", "cover.jpg", "pin.json"] {
            fs::write(at(name), b"anything").unwrap();
        }
        fs::write(at(".z.mp4.77.pinpress-tmp"), b"x").unwrap();
        fs::write(at("nameless"), b"\0\0\0\x18ftypisom\0\0\0\0").unwrap();
        let found = discover(&[dir.path().to_owned()], None).unwrap();
        assert_eq!(names(&found), ["b/deep/a.mkv", "nameless", "z.MP4"]);
        assert_eq!(found.skipped, 3, "text, picture and receipt");
    }

    #[test]
    fn the_output_folder_is_never_an_input() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        fs::create_dir(&out).unwrap();
        fs::write(out.join("a.mp4"), b"x").unwrap();
        fs::write(dir.path().join("b.mp4"), b"x").unwrap();
        assert_eq!(names(&discover(&[dir.path().to_owned()], Some(&out)).unwrap()), ["b.mp4"]);
        let same = discover(std::slice::from_ref(&out), Some(&dir.path().join("b/../out")));
        assert!(same.is_ok(), "a path that does not resolve is no output yet");
        assert!(matches!(discover(std::slice::from_ref(&out), Some(&out)), Err(DiscoverError::OutputIsInput { .. })));
    }

    #[test]
    fn a_missing_path_is_an_error_that_names_it() {
        let error = discover(&[PathBuf::from("/nowhere/at/all")], None).unwrap_err().to_string();
        assert!(error.ends_with("/nowhere/at/all"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn loops_end_and_links_count_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/clip.mp4"), b"x").unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/up")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("a/clip.mp4"), dir.path().join("again.mp4")).unwrap();
        let found = discover(&[dir.path().to_owned()], None).unwrap();
        assert_eq!(names(&found), ["a/clip.mp4"]);
        assert_eq!(found.loops, [dir.path().join("a/up")]);
        assert_eq!(found.unreadable, []);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_nowhere_are_no_places() {
        let dir = tempfile::tempdir().unwrap();
        for (target, link) in [("gone", "note"), ("gone.mp4", "clip.mp4"), ("self.mp4", "self.mp4"), ("self", "self")] {
            std::os::unix::fs::symlink(target, dir.path().join(link)).unwrap();
        }
        let found = discover(&[dir.path().to_owned()], None).unwrap();
        assert_eq!(names(&found), ["clip.mp4", "self.mp4"]);
        assert_eq!((found.unreadable, found.skipped), (Vec::new(), 2));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_vanishes_after_the_walk_is_an_error_that_names_it() {
        struct Nobody;
        impl pinpress_probe::DeepReader for Nobody {
            fn read(&self, path: &Path) -> Result<pinpress_probe::MediaInfo, pinpress_probe::ProbeError> {
                Err(pinpress_probe::ProbeError::NotAFile { path: path.to_owned() })
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("clip.mp4");
        fs::write(&path, b"x").unwrap();
        let found = discover(&[dir.path().to_owned()], None).unwrap();
        fs::remove_file(&path).unwrap();
        let spec = pinpress_probe::Spec::load("pinterest").unwrap();
        let error = crate::check_file(&found.videos[0].path, &spec, &Nobody).unwrap_err();
        assert!(matches!(error, pinpress_probe::ProbeError::Io { .. }), "{error}");
        assert!(error.to_string().ends_with("clip.mp4"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_with_a_videos_name_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe.mp4");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let found = discover(&[dir.path().to_owned()], None).unwrap();
        assert!(found.videos.is_empty());
        assert_eq!(found.skipped, 1);
    }
}
