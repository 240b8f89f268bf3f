//! What the rehearsal knows: boards, uploads and Pins. Kept as JSON beside the media, so that the page of a rehearsal
//! that ended can be shown again.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::inspect::Checked;
use crate::options::BoardOptions;

/// Ids begin here: 19 digits, more than a double keeps exact, so that a client that reads them as numbers is found out.
const FIRST_ID: u64 = 5_212_123_920_968_240_001;

/// A board.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptBoard {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
    pub(crate) sections: Vec<KeptSection>,
}

/// A section of a board.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptSection {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// How far an upload is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub(crate) enum Stage {
    /// No bytes yet.
    Registered,
    /// All bytes are here; the inspector has not answered yet.
    Inspecting,
    /// Fit.
    Succeeded { checked: Checked },
    /// Not fit.
    Failed { reason: String },
}

/// An upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptMedia {
    pub(crate) id: String,
    pub(crate) stage: Stage,
    /// How often its status was asked for since the bytes are here.
    pub(crate) polls: u32,
    /// Never gets out of `processing`.
    pub(crate) stuck: bool,
    /// Fails whatever it holds.
    pub(crate) doomed: bool,
}

impl KeptMedia {
    /// OpenAPI `MediaUploadStatus` as it is told now.
    pub(crate) const fn status(&self, processing_polls: u32) -> &'static str {
        match &self.stage {
            Stage::Registered => "registered",
            _ if self.stuck || self.polls <= processing_polls => "processing",
            Stage::Inspecting => "processing",
            Stage::Succeeded { .. } => "succeeded",
            Stage::Failed { .. } => "failed",
        }
    }
}

/// A Pin that was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPin {
    /// OpenAPI `Pin.id`.
    pub id: String,
    /// The board.
    pub board_id: String,
    /// The section of the board.
    pub board_section_id: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Where it leads.
    pub link: Option<String>,
    /// For people who do not see the video.
    pub alt_text: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The upload it shows.
    pub media_id: String,
    /// Its cover.
    pub cover: KeptCover,
    /// What was checked of its video.
    pub checked: Checked,
}

/// The cover of a Pin, in the form in which it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "kebab-case")]
pub enum KeptCover {
    /// `cover_image_data`: the name of the file in the folder `media`.
    Image {
        /// `PIN_ID.jpg` or `PIN_ID.png`.
        file: String,
    },
    /// `cover_image_key_frame_time`.
    KeyFrame {
        /// Seconds.
        seconds: u64,
    },
    /// The card's `cover_image_timestamp_ms`.
    TimestampMs {
        /// Milliseconds.
        millis: u64,
    },
    /// `cover_image_url`.
    Url {
        /// The address.
        url: String,
    },
}

/// Everything that is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Store {
    #[serde(skip)]
    folder: PathBuf,
    /// Pins that are not listed yet, and for how many looks more.
    #[serde(skip)]
    pub(crate) unlisted: HashMap<String, u32>,
    issued: u64,
    pub(crate) boards: Vec<KeptBoard>,
    pub(crate) media: Vec<KeptMedia>,
    pub(crate) pins: Vec<KeptPin>,
}

impl Store {
    /// Opens the folder, with what an earlier rehearsal kept there, and adds the boards that it does not have.
    pub(crate) fn open(folder: &Path, boards: &[BoardOptions]) -> io::Result<Self> {
        let media = folder.join("media");
        fs::create_dir_all(&media)?;
        sweep(&media)?;
        let mut store: Self = match fs::read(folder.join("rehearsal.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                io::Error::other(format!(
                    "rehearsal.json is not one of ours: move it away, or use another folder: {error}"
                ))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(error) => return Err(error),
        };
        folder.clone_into(&mut store.folder);
        let had = store.boards.len();
        for (place, wanted) in boards.iter().enumerate() {
            let same = |board: &&KeptBoard| board.name == wanted.name;
            // Names need not differ: the second of a name is another board.
            let earlier = boards[..place].iter().filter(|board| board.name == wanted.name).count();
            if store.boards[..had].iter().filter(same).count() > earlier {
                continue;
            }
            let id = store.issue();
            let sections =
                wanted.sections.iter().map(|name| KeptSection { id: store.issue(), name: name.clone() }).collect();
            store.boards.push(KeptBoard { id, name: wanted.name.clone(), created_at: Timestamp::now(), sections });
        }
        store.save()?;
        Ok(store)
    }

    /// A new id.
    pub(crate) fn issue(&mut self) -> String {
        self.issued += 1;
        (FIRST_ID + self.issued).to_string()
    }

    /// Writes everything under the final name at once.
    pub(crate) fn save(&self) -> io::Result<()> {
        let part = self.folder.join("rehearsal.json.part");
        fs::write(&part, serde_json::to_vec_pretty(self)?)?;
        fs::rename(part, self.folder.join("rehearsal.json"))
    }

    pub(crate) fn board(&self, id: &str) -> Option<&KeptBoard> {
        self.boards.iter().find(|board| board.id == id)
    }

    /// The Pins of a listing, newest first. Those that are not listed yet come one look nearer to it.
    pub(crate) fn listed(&mut self, belongs: impl Fn(&KeptPin) -> bool) -> Vec<KeptPin> {
        let Self { pins, unlisted, .. } = self;
        let is_listed = |pin: &&KeptPin| match unlisted.get_mut(&pin.id) {
            Some(looks) if *looks > 0 => {
                *looks -= 1;
                false
            }
            _ => true,
        };
        pins.iter().rev().filter(|pin| belongs(pin)).filter(is_listed).cloned().collect()
    }

    pub(crate) fn media(&mut self, id: &str) -> Option<&mut KeptMedia> {
        self.media.iter_mut().find(|media| media.id == id)
    }
}

/// Removes what uploads left behind when an earlier rehearsal was killed.
fn sweep(media: &Path) -> io::Result<()> {
    for entry in fs::read_dir(media)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "part") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_rehearsal_left_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let media = folder.path().join("media");
        fs::create_dir(&media).unwrap();
        fs::write(media.join("7.0.part"), b"half").unwrap();
        fs::write(media.join("7.mp4"), b"whole").unwrap();
        Store::open(folder.path(), &[]).unwrap();
        assert!(!media.join("7.0.part").exists() && media.join("7.mp4").exists());
        fs::write(folder.path().join("rehearsal.json"), b"{").unwrap();
        assert!(Store::open(folder.path(), &[]).unwrap_err().to_string().contains("rehearsal.json"));
    }

    #[test]
    fn boards_keep_their_ids_from_one_rehearsal_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let boards = |names: &[&str]| names.iter().map(|name| BoardOptions::named(*name)).collect::<Vec<_>>();
        let ids = |names: &[&str]| {
            let store = Store::open(folder.path(), &boards(names)).unwrap();
            store.boards.iter().map(|board| (board.name.clone(), board.id.clone())).collect::<Vec<_>>()
        };
        let first = ids(&["Food", "Food"]);
        assert_eq!(first.len(), 2);
        assert_eq!(ids(&["Food", "Food"]), first);
        let more = ids(&["Food", "Garden", "Food", "Food"]);
        assert_eq!((more.len(), &more[..2]), (4, &first[..]));
    }
}
