//! Which files of the given paths are videos to work on.
//!
//! A folder is walked to its end in sorted order. What has the ending of a video counts as one, so that a broken one
//! is reported and not passed over; anything else counts when its first bytes are those of a video. Hidden files,
//! our own temp files and the output folder are left out, and so is what a `.pinpressignore` in the folder or one
//! below it names, or a [`Filters`] does. Links are followed, loops are not.
//!
//! Objects in storage are told by their names alone: a look at the bytes of each would be a request of its own. One that
//! is given itself is taken whatever it is called, and one without any ending where a [`Filters::include`] names it.

mod ahead;
mod beside;
mod filters;
mod ignore_file;
mod objects;
mod patterns;
mod sniff;
mod walk;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use pinpress_store::{AddressError, Object, ObjectAddress, StoreError, Stores};

pub use beside::Beside;
pub(crate) use beside::candidates;
pub use filters::{Filters, GlobError, IGNORE_FILE};
pub use ignore_file::IgnoreMistake;
pub use sniff::{VIDEO_EXTENSIONS, has_video_extension, looks_like_video};
pub use walk::{Seen, Walk};

/// A file to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As the user would name it: the given path, with the rest below it.
    pub path: PathBuf,
    /// Below the given folder; the file name alone for a file that was given itself. Mirrored in the output folder.
    pub relative: PathBuf,
    /// What storage said of it, where it is no file of this machine: `path` is its address then.
    pub object: Option<Object>,
    /// What the walk through storage has seen beside it.
    pub beside: Beside,
}

impl Found {
    /// A file of this machine.
    #[must_use]
    pub const fn here(path: PathBuf, relative: PathBuf) -> Self {
        Self { path, relative, object: None, beside: Beside::Unknown }
    }
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
    /// Sidecars in storage whose names are those of nothing beside them.
    pub strays: Vec<ObjectAddress>,
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
    /// It is written like an address, and is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Who asked does not work with objects.
    #[error(
        "only pinpress check, fix, cover and run read object storage: copy what is there to this machine, and give the copy: {address}"
    )]
    NotHere {
        /// As given.
        address: ObjectAddress,
    },
    /// Storage could not be looked into.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A pattern that is none.
    #[error(transparent)]
    Glob(#[from] GlobError),
    /// Ignore files have mistakes.
    #[error("{count} in {IGNORE_FILE}:\n{list}\nmend {these} and run again; \\ before a character stands for the character itself",
        count = if mistakes.len() == 1 { "a mistake".to_owned() } else { format!("{} mistakes", mistakes.len()) },
        list = mistakes.iter().map(|mistake| format!("  {mistake}")).collect::<Vec<_>>().join("\n"),
        these = if mistakes.len() == 1 { "it" } else { "these" })]
    IgnoreFiles {
        /// All of them, in the order of the walk.
        mistakes: Vec<IgnoreMistake>,
    },
}

impl DiscoverError {
    /// Fails when there are any. Those of a folder that was walked twice count once.
    pub(crate) fn refuse(mut mistakes: Vec<IgnoreMistake>) -> Result<(), Self> {
        let mut told = HashSet::new();
        mistakes.retain(|mistake| told.insert((mistake.path.clone(), mistake.line)));
        if mistakes.is_empty() { Ok(()) } else { Err(Self::IgnoreFiles { mistakes }) }
    }
}

/// Finds the videos under `paths`, leaving `output` and all below it alone when that folder lies below one of them.
/// This is [`Walk`], gone to its end.
///
/// # Errors
/// When a path does not exist, or is the output folder, or a filter or a line of an ignore file is no pattern.
pub fn discover(paths: &[PathBuf], output: Option<&Path>, filters: &Filters) -> Result<Discovery, DiscoverError> {
    collect(Walk::begin(paths, output, filters)?)
}

/// The same, where `paths` may also be addresses of objects and of folders of them.
///
/// # Errors
/// As [`discover`], and when what is no address is written like one, or storage cannot be looked into.
pub fn discover_with(
    paths: &[PathBuf],
    output: Option<&Path>,
    filters: &Filters,
    stores: &Stores,
) -> Result<Discovery, DiscoverError> {
    collect(Walk::begin_with(paths, output, filters, stores)?)
}

fn collect(walk: Walk) -> Result<Discovery, DiscoverError> {
    let (mut discovery, mut mistakes) = (Discovery::default(), Vec::new());
    for seen in walk {
        match seen {
            Seen::Video(found) => discovery.videos.push(found),
            Seen::Skipped => discovery.skipped += 1,
            Seen::Sidecar(stray) => discovery.strays.push(stray),
            Seen::Unreadable(place) => discovery.unreadable.push(place),
            Seen::Loop(link) => discovery.loops.push(link),
            Seen::Mistakes(more) => mistakes.extend(more),
        }
    }
    DiscoverError::refuse(mistakes)?;
    Ok(discovery)
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
        let found = discover(&[dir.path().to_owned()], None, &Filters::default()).unwrap();
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
        assert_eq!(names(&discover(&[dir.path().to_owned()], Some(&out), &Filters::default()).unwrap()), ["b.mp4"]);
        let same = discover(std::slice::from_ref(&out), Some(&dir.path().join("b/../out")), &Filters::default());
        assert!(same.is_ok(), "a path that does not resolve is no output yet");
        assert!(matches!(
            discover(std::slice::from_ref(&out), Some(&out), &Filters::default()),
            Err(DiscoverError::OutputIsInput { .. })
        ));
    }

    #[test]
    fn every_mistake_in_an_ignore_file_is_told_at_once() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["a/deep", "b", "left-out"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("clip.mp4", "x");
        write(IGNORE_FILE, "*.mov\n[draft\nleft-out/\n");
        write("a/deep/.pinpressignore", "{a\n[z-a]\n");
        write("b/.pinpressignore", "drafts/\n");
        // Nobody looks into it.
        write("left-out/.pinpressignore", "{a\n");
        // The second time it is no news.
        let paths = [dir.path().to_owned(), dir.path().join("a")];
        let error = discover(&paths, None, &Filters::default()).unwrap_err();
        let DiscoverError::IgnoreFiles { mistakes } = &error else { panic!("{error}") };
        let told: Vec<_> =
            mistakes.iter().map(|one| (one.path.strip_prefix(dir.path()).unwrap(), one.line.unwrap())).collect();
        let deep = Path::new("a/deep/.pinpressignore");
        assert_eq!(told, [(Path::new(IGNORE_FILE), 2), (deep, 1), (deep, 2)]);
        let text = error.to_string();
        assert!(text.starts_with("3 mistakes in .pinpressignore:\n  line 2: \"[draft\""), "{text}");

        write(IGNORE_FILE, "\\[draft.mp4\nleft-out/\n");
        write("a/deep/.pinpressignore", "");
        write("[draft.mp4", "x");
        assert_eq!(names(&discover(&paths, None, &Filters::default()).unwrap()), ["clip.mp4"]);
    }

    #[test]
    fn a_missing_path_is_an_error_that_names_it() {
        let error = discover(&[PathBuf::from("/nowhere/at/all")], None, &Filters::default()).unwrap_err().to_string();
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
        let found = discover(&[dir.path().to_owned()], None, &Filters::default()).unwrap();
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
        let found = discover(&[dir.path().to_owned()], None, &Filters::default()).unwrap();
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
        let found = discover(&[dir.path().to_owned()], None, &Filters::default()).unwrap();
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
        let found = discover(&[dir.path().to_owned()], None, &Filters::default()).unwrap();
        assert!(found.videos.is_empty());
        assert_eq!(found.skipped, 1);
    }
}
