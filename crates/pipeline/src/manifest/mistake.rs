//! What is wrong with the lists, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use super::place::Place;

/// Where something was said of a video.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct At {
    /// The sidecar, or the video that has only its name; `None` in a manifest.
    pub file: Option<PathBuf>,
    /// The row of a manifest. CSV: the line in the file, the column names being line 1. JSON and TOML: its place in
    /// the list, from 1.
    pub row: Option<u64>,
    /// The place in the text, where rows are no lines.
    pub place: Option<Place>,
}

impl At {
    pub(crate) fn row(number: u64) -> Self {
        Self { row: Some(number), ..Self::default() }
    }

    pub(crate) fn file(path: &Path) -> Self {
        Self { file: Some(path.to_owned()), ..Self::default() }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub at: At,
    /// The column.
    pub column: Option<String>,
    /// What, and what to write instead.
    pub message: String,
}

impl Mistake {
    pub(crate) fn new(at: At, message: impl Into<String>) -> Self {
        Self { at, column: None, message: message.into() }
    }

    /// By which mistakes are ordered: those of the manifest by their rows, then those of each file.
    pub(crate) fn order(&self) -> impl Ord + use<'_> {
        (self.at.file.as_deref(), self.at.row, self.at.place)
    }

    pub(crate) fn of_column(self, column: &str) -> Self {
        Self { column: Some(column.to_owned()), ..self }
    }
}

/// `row 2 (line 7, column 12), title: …`, the path of a sidecar last.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let At { file, row, place } = &self.at;
        let place = match (row, place) {
            (Some(row), None) => Some(format!("row {row}")),
            (Some(row), Some(place)) => Some(format!("row {row} ({place})")),
            (None, Some(place)) => Some(place.to_string()),
            (None, None) => None,
        };
        let heads: Vec<&str> = place.iter().chain(&self.column).map(String::as_str).collect();
        if !heads.is_empty() {
            write!(f, "{}: ", heads.join(", "))?;
        }
        f.write_str(&self.message)?;
        file.as_ref().map_or(Ok(()), |file| write!(f, ": {}", file.display()))
    }
}
