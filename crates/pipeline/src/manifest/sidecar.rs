//! What lies beside a video and says what its Pin says: `clip.pin.toml` beside `clip.mp4`.
//!
//! ```toml
//! title = "Bread in an hour"
//! board = "Recipes"
//! ```
//!
//! It has the columns of a manifest but `file`. `clip.mp4.pin.toml` is of `clip.mp4` alone, for folders where
//! `clip.mov` lies too.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;

use pinpress_store::ObjectAddress;

use super::mistake::{At, Mistake};
use super::row::Row;
use super::stored::StoredSidecars;
use super::{read, tables};
use crate::discover::Found;

/// What the name of a sidecar ends in.
pub const SIDECAR_SUFFIX: &str = ".pin.toml";

/// A page of text; a film that was named by mistake is not read.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// The sidecars of some videos.
#[derive(Debug, Default)]
pub struct Sidecars {
    /// What they say, by the place of the video.
    pub rows: HashMap<usize, Row>,
    /// What is wrong with them.
    pub mistakes: Vec<Mistake>,
}

impl Sidecars {
    /// Reads the sidecars of `videos`. One beside them that could be meant for nothing that lies there, as are `strays`
    /// in storage, is a mistake: its video would go out without what it says.
    #[must_use]
    pub fn beside(videos: &[Found], strays: &[ObjectAddress], stored: &StoredSidecars) -> Self {
        let (mut here, mut there): (BTreeMap<&Path, Vec<usize>>, BTreeMap<String, _>) = Default::default();
        let mut sidecars = Self::default();
        for (place, video) in videos.iter().enumerate() {
            match stored.of(video) {
                Ok(Some(object)) => {
                    let (_, owners) = there.entry(object.address.to_string()).or_insert((object, Vec::new()));
                    owners.push(place);
                }
                Ok(None) if video.object.is_some() => {}
                Ok(None) => here.entry(folder_of(video)).or_default().push(place),
                Err((address, said)) => sidecars.mistakes.push(unreadable(At::file(&address.to_path()), &said)),
            }
        }
        for (folder, places) in here {
            sidecars.look_into(folder, &places, videos);
        }
        for (object, owners) in there.into_values() {
            let at = At::file(&object.address.to_path());
            sidecars.give(at, &owners, videos, || stored.read(&object));
        }
        let folders: HashSet<ObjectAddress> = match strays {
            [] => HashSet::new(),
            _ => videos.iter().filter_map(|video| Some(video.object.as_ref()?.address.parent())).collect(),
        };
        for stray in strays.iter().filter(|stray| folders.contains(&stray.parent())) {
            let subject = stray.name().strip_suffix(SIDECAR_SUFFIX).unwrap_or(stray.name());
            sidecars.mistakes.push(of_nothing(At::file(&stray.to_path()), subject));
        }
        sidecars
    }

    /// What the sidecar of one video says, as far as it can be read: the nearer of those with its names.
    pub(crate) fn of(video: &Found, stored: &StoredSidecars) -> Option<Row> {
        let mut one = Self::default();
        if video.object.is_some() {
            let object = stored.of(video).ok().flatten()?;
            one.take(0, At::file(&object.address.to_path()), stored.read(&object));
        } else {
            let own = [video.path.file_name(), video.path.file_stem()].into_iter().flatten();
            let mut names = own.map(|name| {
                let mut name = name.to_owned();
                name.push(SIDECAR_SUFFIX);
                video.path.with_file_name(name)
            });
            let path = names.find(|name| name.is_file())?;
            one.take(0, At::file(&path), of_file(&path));
        }
        one.rows.remove(&0)
    }

    fn look_into(&mut self, folder: &Path, places: &[usize], videos: &[Found]) {
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        // A folder that cannot be listed has been told about when it was walked.
        let Ok(entries) = std::fs::read_dir(here) else { return };
        let names: Vec<OsString> = entries.filter_map(Result::ok).map(|entry| entry.file_name()).collect();
        let mut owners: BTreeMap<&OsStr, Vec<usize>> =
            names.iter().filter_map(|name| subject(name)).map(|subject| (subject, Vec::new())).collect();
        if owners.is_empty() {
            return;
        }
        for place in places {
            let path = &videos[*place].path;
            let own = [path.file_name(), path.file_stem()].into_iter().flatten();
            // Its whole name is nearer than what it shares with others.
            if let Some(subject) = own.into_iter().find(|name| owners.contains_key(name)) {
                owners.entry(subject).or_default().push(*place);
            }
        }
        for (subject, owners) in owners {
            let mut name = subject.to_owned();
            name.push(SIDECAR_SUFFIX);
            let at = At::file(&folder.join(&name));
            match owners.as_slice() {
                [] => {
                    let meant = |other: &OsString| other == subject || Path::new(other).file_stem() == Some(subject);
                    if !names.iter().any(meant) {
                        self.mistakes.push(of_nothing(at, &Path::new(subject).display().to_string()));
                    }
                }
                owners => self.give(at, owners, videos, || of_file(&folder.join(&name))),
            }
        }
    }

    /// To the one video whose it is.
    fn give(&mut self, at: At, owners: &[usize], videos: &[Found], read: impl FnOnce() -> Result<Vec<u8>, String>) {
        if let [owner] = owners {
            return self.take(*owner, at, read());
        }
        let told = |place: &usize| videos[*place].path.file_name().unwrap_or_default().display().to_string();
        let told: Vec<String> = owners.iter().map(told).collect();
        let first = told.first().map_or("", String::as_str);
        let all = told.join(", ");
        let message = format!("it could be of each of {all}: call it {first}{SIDECAR_SUFFIX} for the one");
        self.mistakes.push(Mistake::new(at, message));
    }

    fn take(&mut self, owner: usize, at: At, read: Result<Vec<u8>, String>) {
        let text = match read.map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => return self.mistakes.push(Mistake::new(at, "it is not UTF-8: save it as UTF-8 text")),
            Err(said) => return self.mistakes.push(unreadable(at, &said)),
        };
        if let Some(record) = tables::sidecar(&text, &at, &mut self.mistakes) {
            let row = Row::of_sidecar(record, &mut self.mistakes);
            self.rows.insert(owner, row);
        }
    }
}

fn folder_of(video: &Found) -> &Path {
    video.path.parent().unwrap_or_else(|| Path::new(""))
}

fn of_file(path: &Path) -> Result<Vec<u8>, String> {
    read(path, MAX_BYTES).map_err(|error| error.to_string())
}

fn unreadable(at: At, said: &str) -> Mistake {
    Mistake::new(at, format!("cannot be read: {said}"))
}

fn of_nothing(at: At, subject: &str) -> Mistake {
    Mistake::new(at, format!("no video is called {subject} here: rename the sidecar, or move it away"))
}

/// What a sidecar of this name is of; `None` for what is none. Hidden files are nobody's.
fn subject(name: &OsStr) -> Option<&OsStr> {
    let text = name.to_str()?.strip_suffix(SIDECAR_SUFFIX)?;
    (!text.is_empty() && !text.starts_with('.')).then(|| OsStr::new(text))
}
