//! The list that says what each video is to become: CSV, JSON or TOML, one row a Pin.
//!
//! ```csv
//! file,board,title,link
//! clips/one.mov,Recipes,Bread in an hour,https://example.com/bread
//! ```
//!
//! JSON is a list of objects, TOML a list of `[[pins]]` tables, both with the same names. The same can be said beside
//! each video, in a [sidecar](Sidecars). Every mistake is found before anything is sent, and all of them are told at
//! once.

mod mistake;
mod objects;
mod parse;
mod place;
mod row;
mod sidecar;
mod starter;
mod stored;
mod tables;
mod template;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

pub use mistake::{At, Mistake};
pub use place::Place;
pub use row::{COLUMNS, Row};
pub use sidecar::{SIDECAR_SUFFIX, Sidecars};
pub use starter::Starter;
pub use stored::StoredSidecars;
pub(crate) use template::{IN_A_SEGMENT, words};
pub use template::{Named, Template, TemplateError};

/// A row takes some hundred bytes; a hundred thousand of them fit.
const MAX_BYTES: u64 = 64 << 20;

/// A manifest whose rows have been read; the files they name have not been looked for yet.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Where it was read.
    pub path: PathBuf,
    /// Its rows in order.
    pub rows: Vec<Row>,
    /// What can be seen to be wrong in it alone. It is told together with what only the videos show.
    pub mistakes: Vec<Mistake>,
}

/// The formats, by the ending of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With a line of column names.
    Csv,
    /// A list of objects.
    Json,
    /// `[[pins]]` tables.
    Toml,
}

impl Format {
    /// By the ending of the file name.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }
}

/// The manifest could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It could not be read.
    #[error("cannot read the manifest: {source}: {path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// None of the endings.
    #[error("not a manifest by its name: call it .csv, .json or .toml: {path}", path = path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// It, or what lies beside the videos, says what cannot be.
    #[error("{what} {count}:\n{list}\nnothing was sent; mend {these} and run again{last}",
        what = if path.is_some() { "the manifest has" } else { "the texts of the Pins have" },
        count = counted(mistakes.len()), list = listed(mistakes), these = if mistakes.len() == 1 { "it" } else { "these" },
        last = path.as_ref().map_or_else(String::new, |path| format!(": {}", path.display())))]
    Mistakes {
        /// All of them, in order of their rows.
        mistakes: Vec<Mistake>,
        /// The manifest, where there is one.
        path: Option<PathBuf>,
    },
}

fn counted(count: usize) -> String {
    if count == 1 { "a mistake".to_owned() } else { format!("{count} mistakes") }
}

fn listed(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|mistake| format!("  {mistake}")).collect::<Vec<_>>().join("\n")
}

impl Manifest {
    /// Reads the manifest at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or is none by its name. What is wrong in it is kept: an unknown column, a number that is
    /// none, a time that is none, a row without a file, two rows for one file.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let format = Format::of(path).ok_or_else(|| ManifestError::UnknownFormat { path: path.to_owned() })?;
        let bytes = read(path, MAX_BYTES).map_err(|source| ManifestError::Io { path: path.to_owned(), source })?;
        Ok(Self::parse(&bytes, format, path))
    }

    /// Reads a manifest from its bytes; `path` is for messages.
    #[must_use]
    pub fn parse(bytes: &[u8], format: Format, path: &Path) -> Self {
        let mut mistakes = Vec::new();
        let records = parse::records(bytes, format, &mut mistakes);
        let rows: Vec<Row> = records.into_iter().map(|record| Row::read(record, &mut mistakes)).collect();
        let mut named: HashMap<&Path, &Row> = HashMap::new();
        for row in rows.iter().filter(|row| !row.file.as_os_str().is_empty()) {
            match named.get(row.file.as_path()) {
                Some(earlier) => {
                    let earlier = earlier.at.row.unwrap_or_default();
                    mistakes.push(row.mistake("file", format!("row {earlier} names the same file: one Pin a file")));
                }
                None => drop(named.insert(&row.file, row)),
            }
        }
        Self { path: path.to_owned(), rows, mistakes }
    }
}

/// An error when there are mistakes. `manifest` is where most of them are, when there is one.
///
/// # Errors
/// [`ManifestError::Mistakes`], those of the manifest in order of their rows, then those of sidecars.
pub(crate) fn refuse(mut mistakes: Vec<Mistake>, manifest: Option<&Path>) -> Result<(), ManifestError> {
    if mistakes.is_empty() {
        return Ok(());
    }
    mistakes.sort_by(|one, other| one.order().cmp(&other.order()));
    Err(ManifestError::Mistakes { mistakes, path: manifest.map(Path::to_owned) })
}

/// Bounded, and never from what could be waited for for ever: a pipe, a terminal, a device.
fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let refuse = |reason: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    if !std::fs::metadata(path)?.is_file() {
        return refuse("not a regular file");
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { refuse("far too long for what it should be") } else { Ok(bytes) }
}

#[cfg(test)]
mod tests;
