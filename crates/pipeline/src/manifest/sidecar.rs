//! What lies beside a video and says what its Pin says: `clip.pin.toml` beside `clip.mp4`.
//!
//! ```toml
//! title = "Bread in an hour"
//! board = "Recipes"
//! ```
//!
//! It has the columns of a manifest but `file`. `clip.mp4.pin.toml` is of `clip.mp4` alone, for folders where
//! `clip.mov` lies too.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::mistake::{At, Mistake};
use super::row::Row;
use super::{read, tables};
use crate::discover::Found;

/// What the name of a sidecar ends in.
pub const SIDECAR_SUFFIX: &str = ".pin.toml";

/// A page of text; a film that was named by mistake is not read.
const MAX_BYTES: u64 = 1 << 20;

/// The sidecars of some videos.
#[derive(Debug, Default)]
pub struct Sidecars {
    /// What they say, by the place of the video.
    pub rows: HashMap<usize, Row>,
    /// What is wrong with them.
    pub mistakes: Vec<Mistake>,
}

impl Sidecars {
    /// Reads the sidecars of `videos`. One beside none of them, that could be meant for none that lies there, is a
    /// mistake: its video would go out without what it says.
    #[must_use]
    pub fn beside(videos: &[Found]) -> Self {
        let mut folders: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
        for (place, video) in videos.iter().enumerate() {
            folders.entry(video.path.parent().unwrap_or_else(|| Path::new(""))).or_default().push(place);
        }
        let mut sidecars = Self::default();
        for (folder, places) in folders {
            sidecars.look_into(folder, &places, videos);
        }
        sidecars
    }

    /// What the sidecar of one video says, as far as it can be read: the nearer of those with its names.
    pub(crate) fn of(video: &Path) -> Option<Row> {
        let own = [video.file_name(), video.file_stem()].into_iter().flatten();
        let mut names = own.map(|name| {
            let mut name = name.to_owned();
            name.push(SIDECAR_SUFFIX);
            video.with_file_name(name)
        });
        let at = At::file(&names.find(|name| name.is_file())?);
        let mut one = Self::default();
        one.take(0, at);
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
                        let wanted = Path::new(subject).display();
                        let message = format!("no video is called {wanted} here: rename the sidecar, or move it away");
                        self.mistakes.push(Mistake::new(at, message));
                    }
                }
                [owner] => self.take(*owner, at),
                several => {
                    let told =
                        |place: &usize| videos[*place].path.file_name().unwrap_or_default().display().to_string();
                    let told: Vec<String> = several.iter().map(told).collect();
                    let message = format!(
                        "it could be of each of {}: call it {}{SIDECAR_SUFFIX} for the one",
                        told.join(", "),
                        told[0]
                    );
                    self.mistakes.push(Mistake::new(at, message));
                }
            }
        }
    }

    fn take(&mut self, owner: usize, at: At) {
        let Some(path) = &at.file else { return };
        let text = match read(path, MAX_BYTES).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => return self.mistakes.push(Mistake::new(at, "it is not UTF-8: save it as UTF-8 text")),
            Err(error) => return self.mistakes.push(Mistake::new(at, format!("cannot be read: {error}"))),
        };
        if let Some(record) = tables::sidecar(&text, &at, &mut self.mistakes) {
            let row = Row::of_sidecar(record, &mut self.mistakes);
            self.rows.insert(owner, row);
        }
    }
}

/// What a sidecar of this name is of; `None` for what is none. Hidden files are nobody's.
fn subject(name: &OsStr) -> Option<&OsStr> {
    let text = name.to_str()?.strip_suffix(SIDECAR_SUFFIX)?;
    (!text.is_empty() && !text.starts_with('.')).then(|| OsStr::new(text))
}
