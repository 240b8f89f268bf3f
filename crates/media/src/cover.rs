//! Cover frames as data.

use std::path::PathBuf;

use pinpress_probe::Seconds;
use serde::{Deserialize, Serialize};

use crate::wire::WirePath;

/// What is asked of a cover request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverOptions {
    /// How many distinct frames, at least 1.
    pub count: usize,
    /// Take the frame that is shown at this time instead of choosing.
    pub at: Option<Seconds>,
    /// Where the pictures go; `None` ranks without writing.
    pub pictures: Option<PictureFiles>,
    /// One picture with all candidates, their time and score.
    pub contact_sheet: Option<WirePath>,
    /// Replace pictures that exist.
    pub overwrite: bool,
}

impl CoverOptions {
    /// The names that this request gives its pictures, in order of rank: `stem.ext` when one is asked for, else
    /// `stem.1.ext`, `stem.2.ext` and so on, also when fewer are found.
    #[must_use]
    pub fn picture_names(&self) -> Vec<PathBuf> {
        let Some(files) = &self.pictures else { return Vec::new() };
        let (folder, stem): (PathBuf, PathBuf) = ((&files.folder).into(), (&files.stem).into());
        let name = |rank: Option<usize>| {
            let mut name = stem.clone().into_os_string();
            if let Some(rank) = rank {
                name.push(format!(".{rank}"));
            }
            name.push(format!(".{}", files.format.extension()));
            folder.join(name)
        };
        if self.count <= 1 || self.at.is_some() {
            vec![name(None)]
        } else {
            (1..=self.count).map(|rank| name(Some(rank))).collect()
        }
    }
}

/// How the pictures of a cover request are named: one alone `stem.ext`, several `stem.1.ext` in order of rank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureFiles {
    /// An existing folder.
    pub folder: WirePath,
    /// The name without its ending.
    pub stem: WirePath,
    /// JPEG or PNG.
    pub format: PictureFormat,
    /// The longest side in pixels; larger frames are made smaller. `None` for frames as large as the video.
    #[serde(default)]
    pub max_side: Option<u32>,
}

/// The file format of a cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PictureFormat {
    /// `image/jpeg`, sRGB; quality 90, or 80 where [`PictureFiles::max_side`] is given.
    Jpeg,
    /// `image/png`.
    Png,
}

impl PictureFormat {
    /// The ending of the file name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }
}

/// The answer to a cover request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Covers {
    /// Best first. Never empty: a video that shows a picture has a cover.
    pub candidates: Vec<Candidate>,
    /// Frames that were looked at and refused, in order of time.
    pub rejected: Vec<Rejected>,
    /// How many frames were decoded and looked at.
    pub looked_at: usize,
}

/// A frame that could be the cover.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// When the frame is shown, from the start of the video.
    pub time: Seconds,
    /// 0 to 1, higher is better; comparable within one video only.
    pub score: f64,
    /// The parts of the score by name, 0 to 1 each.
    pub parts: Vec<ScorePart>,
    /// Why a filter would have refused it, when nothing better was there.
    pub flaw: Option<Flaw>,
    /// The picture, when one was written.
    pub file: Option<WirePath>,
}

/// One part of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScorePart {
    /// `representativeness`, `stillness`, `sharpness`, `picture`, `full-frame`, `exposure`, `contrast`,
    /// `colourfulness`.
    pub name: String,
    /// 0 to 1.
    pub value: f64,
}

/// A frame that was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    /// When the frame is shown.
    pub time: Seconds,
    /// Why not.
    pub flaw: Flaw,
}

/// Why a frame is no good as a cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// Mean luma at or under the limit.
    TooDark,
    /// Mean luma at or over the limit.
    TooBright,
    /// Nearly one luma everywhere.
    Flat,
    /// Hardly an edge in it, or out of focus beside the rest of the video.
    Blurred,
    /// Pixels that have nothing to do with their neighbours: no signal.
    Noise,
    /// Letters on a plain ground: a title or an end card.
    Card,
    /// Burnt-in bars, in a video that has pictures without.
    Bars,
    /// Two moments woven line by line.
    Combed,
    /// The decoder could not make the whole of it, or its parts are not where they belong.
    Damaged,
    /// In or right before a fade, a dissolve or a cut.
    Transition,
    /// In the first 3 % of the video.
    Beginning,
    /// In the last 3 % of the video.
    End,
    /// Too like a better one.
    Duplicate,
}
