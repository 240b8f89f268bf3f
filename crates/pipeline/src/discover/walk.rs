//! The walk through the given paths, one file after another, so that work can begin before it ends.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};
use pinpress_media::TEMP_SUFFIX;
use pinpress_store::{ObjectAddress, Stores};

use super::ignore_file::{self, IgnoreMistake};
use super::objects::{self, ObjectWalk};
use super::{DiscoverError, Filters, Found, IGNORE_FILE, Unreadable, has_video_extension, looks_like_video};

/// What the walk met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A file to work on.
    Video(Found),
    /// A file that is no video by name and content.
    Skipped,
    /// An object that says what a Pin says, of nothing that lies beside it. It is besides one that is skipped.
    Sidecar(ObjectAddress),
    /// A place that could not be looked into.
    Unreadable(Unreadable),
    /// A link that leads back to a folder above it; it is not followed.
    Loop(PathBuf),
    /// An ignore file with lines that are no patterns.
    Mistakes(Vec<IgnoreMistake>),
}

/// A walk: an iterator over what lies under the given paths, each file once.
pub struct Walk {
    /// What is still to be walked, the next one last.
    roots: Vec<Root>,
    /// Where the videos that were met really are.
    met: HashSet<PathBuf>,
}

enum Root {
    Local(Box<Folder>),
    Objects(Box<ObjectWalk>),
}

struct Folder {
    path: PathBuf,
    /// Where it really is.
    real: PathBuf,
    /// The files below it; `None` for a file that was given itself.
    below: Option<ignore::Walk>,
    /// Folders behind links: what lies in them is elsewhere than its path says.
    behind: Vec<PathBuf>,
}

impl std::fmt::Debug for Walk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let roots: Vec<_> = self.roots.iter().map(Root::path).collect();
        f.debug_struct("Walk").field("roots", &roots).field("met", &self.met.len()).finish()
    }
}

impl Walk {
    /// Begins at the first of `paths`. `output` and all below it are left out when that folder lies below one of them.
    ///
    /// A path that is a file is taken whatever it is called. A path given twice, or a file reached by two of them, is
    /// taken once.
    ///
    /// # Errors
    /// When a path does not exist, or is the output folder, or a filter is no pattern.
    pub fn begin(paths: &[PathBuf], output: Option<&Path>, filters: &Filters) -> Result<Self, DiscoverError> {
        Self::begin_in(paths, output, filters, None)
    }

    /// The same, where `paths` may also be addresses of objects and of folders of them.
    ///
    /// # Errors
    /// As [`Walk::begin`], and when what is no address is written like one, or storage cannot be looked into.
    pub fn begin_with(
        paths: &[PathBuf],
        output: Option<&Path>,
        filters: &Filters,
        stores: &Stores,
    ) -> Result<Self, DiscoverError> {
        Self::begin_in(paths, output, filters, Some(stores))
    }

    fn begin_in(
        paths: &[PathBuf],
        output: Option<&Path>,
        filters: &Filters,
        stores: Option<&Stores>,
    ) -> Result<Self, DiscoverError> {
        let output_in_storage = output.and_then(ObjectAddress::of_argument).and_then(Result::ok);
        let output = output.and_then(|path| path.canonicalize().ok());
        let mut roots = Vec::with_capacity(paths.len());
        for path in paths {
            let address = ObjectAddress::of_argument(path).transpose()?;
            let local = address.as_ref().map(ObjectAddress::local_path);
            let path = match (address, local) {
                (Some(_), Some(Some(local))) => &local.clone(),
                (Some(address), _) => {
                    let Some(stores) = stores else { return Err(DiscoverError::NotHere { address }) };
                    if output_in_storage.as_ref().is_some_and(|output| objects::are_one(output, &address)) {
                        return Err(DiscoverError::OutputIsInput { path: path.clone() });
                    }
                    roots.push(Root::Objects(Box::new(ObjectWalk::begin(
                        address,
                        output_in_storage.clone(),
                        filters,
                        stores,
                    )?)));
                    continue;
                }
                _ => path,
            };
            let missing = |source| DiscoverError::Missing { path: path.clone(), source };
            let metadata = std::fs::metadata(path).map_err(missing)?;
            let real = path.canonicalize().map_err(missing)?;
            let mut below = None;
            if metadata.is_dir() {
                if output.as_ref() == Some(&real) {
                    return Err(DiscoverError::OutputIsInput { path: path.clone() });
                }
                below = Some(walker(path, output.clone(), filters)?);
            }
            roots.push(Root::Local(Box::new(Folder { path: path.clone(), real, below, behind: Vec::new() })));
        }
        roots.reverse();
        Ok(Self { roots, met: HashSet::new() })
    }

    /// Whether that file was not met before.
    fn is_new(&mut self, seen: &Seen, real: Option<PathBuf>) -> bool {
        // A file that cannot be resolved stays: reading it will say why.
        !matches!(seen, Seen::Video(_)) || real.is_none_or(|real| self.met.insert(real))
    }
}

impl Iterator for Walk {
    type Item = Seen;

    fn next(&mut self) -> Option<Seen> {
        loop {
            let root = match self.roots.last_mut()? {
                Root::Local(root) => root,
                Root::Objects(objects) => {
                    let Some(seen) = objects.next() else {
                        self.roots.pop();
                        continue;
                    };
                    let address = match &seen {
                        Seen::Video(found) => Some(found.path.clone()),
                        _ => None,
                    };
                    if self.is_new(&seen, address) {
                        return Some(seen);
                    }
                    continue;
                }
            };
            let Some(below) = &mut root.below else {
                let relative = root.path.file_name().map_or_else(|| root.path.clone(), PathBuf::from);
                let seen = Seen::Video(Found::here(root.path.clone(), relative));
                let real = std::mem::take(&mut root.real);
                self.roots.pop();
                if self.is_new(&seen, Some(real)) {
                    return Some(seen);
                }
                continue;
            };
            let Some(entry) = below.next() else {
                self.roots.pop();
                continue;
            };
            let (seen, real) = match entry {
                Ok(entry) => {
                    let Some(seen) = root.take(&entry) else { continue };
                    let real = root.real_path(&entry, &seen);
                    (seen, real)
                }
                Err(error) => {
                    let seen = refuse(&error, &root.path);
                    let real = match &seen {
                        Seen::Video(found) => resolve(&found.path),
                        _ => None,
                    };
                    (seen, real)
                }
            };
            if self.is_new(&seen, real) {
                return Some(seen);
            }
        }
    }
}

fn walker(root: &Path, output: Option<PathBuf>, filters: &Filters) -> Result<ignore::Walk, DiscoverError> {
    let mut builder = WalkBuilder::new(root);
    builder
        .standard_filters(false)
        .add_custom_ignore_filename(IGNORE_FILE)
        .overrides(filters.below(root)?)
        .follow_links(true)
        .sort_by_file_name(Ord::cmp)
        .filter_entry(move |entry| entry.depth() == 0 || (!is_hidden(entry) && !is_output(entry, output.as_deref())));
    Ok(builder.build())
}

impl Root {
    fn path(&self) -> &Path {
        match self {
            Self::Local(folder) => &folder.path,
            Self::Objects(objects) => objects.path(),
        }
    }
}

impl Folder {
    /// What an entry is; `None` for a folder in which all is well.
    fn take(&mut self, entry: &DirEntry) -> Option<Seen> {
        let path = entry.path();
        if entry.file_type().is_some_and(|kind| kind.is_dir()) {
            if entry.depth() > 0 && entry.path_is_symlink() {
                self.behind.push(path.to_owned());
            }
            let mistakes = ignore_file::mistakes(path);
            return (!mistakes.is_empty()).then_some(Seen::Mistakes(mistakes));
        }
        // Pipes, sockets and devices are no videos, and opening one could wait for ever.
        let regular = entry.file_type().is_some_and(|kind| kind.is_file());
        if regular && (has_video_extension(path) || looks_like_video(path)) {
            let relative = path.strip_prefix(&self.path).unwrap_or(path).to_owned();
            return Some(Seen::Video(Found::here(path.to_owned(), relative)));
        }
        Some(Seen::Skipped)
    }

    /// Where the file is, whatever links lead to it. Resolving each of ten thousand takes a while, so only what has a
    /// link on its way is.
    fn real_path(&self, entry: &DirEntry, seen: &Seen) -> Option<PathBuf> {
        let Seen::Video(found) = seen else { return None };
        if entry.path_is_symlink() || self.behind.iter().any(|link| found.path.starts_with(link)) {
            return resolve(&found.path);
        }
        Some(self.real.join(&found.relative))
    }
}

/// Where the file is; of a link that leads nowhere, where that link is.
fn resolve(path: &Path) -> Option<PathBuf> {
    let of_link = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(of_link)
}

fn refuse(error: &ignore::Error, root: &Path) -> Seen {
    let (path, reason) = place(error);
    let path = path.unwrap_or(root).to_owned();
    match reason {
        Reason::Loop => Seen::Loop(path),
        // There is nothing to look into behind it. One that is called a video is a video that cannot be read.
        Reason::Text(_) if leads_nowhere(&path) => {
            if !has_video_extension(&path) {
                return Seen::Skipped;
            }
            let relative = path.strip_prefix(root).unwrap_or(&path).to_owned();
            Seen::Video(Found::here(path, relative))
        }
        Reason::Text(reason) => Seen::Unreadable(Unreadable { path, reason }),
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
        ignore::Error::WithDepth { err, .. } => place(err),
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
