//! The list that says what each video is to become: CSV, JSON or TOML, one row a Pin.
//!
//! ```csv
//! file,board,title,link
//! clips/one.mov,Recipes,Bread in an hour,https://example.com/bread
//! ```
//!
//! JSON is a list of objects, TOML a list of `[[pins]]` tables, both with the same names. Every mistake is found
//! before anything is sent, and all of them are told at once.

mod parse;
mod row;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

pub use row::{COLUMNS, Row};

/// A row takes some hundred bytes; a hundred thousand of them fit.
const MAX_BYTES: u64 = 64 << 20;

/// A manifest whose rows have been read; the files they name have not been looked for yet.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Where it was read.
    pub path: PathBuf,
    /// Its rows in order.
    pub rows: Vec<Row>,
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
    /// The text does not parse.
    #[error("the manifest cannot be read: {reason}: {path}", path = path.display())]
    Syntax {
        /// Where, and why.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// It parses, and says what cannot be.
    #[error("the manifest has {count}:\n{list}\nnothing was sent; mend these and run again: {path}",
        count = counted(mistakes.len()), list = listed(mistakes), path = path.display())]
    Mistakes {
        /// All of them, in order of their rows.
        mistakes: Vec<Mistake>,
        /// The file.
        path: PathBuf,
    },
}

fn counted(count: usize) -> String {
    if count == 1 { "a mistake".to_owned() } else { format!("{count} mistakes") }
}

fn listed(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|mistake| format!("  {mistake}")).collect::<Vec<_>>().join("\n")
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The row, as [`Row::number`]; `None` for the file as a whole.
    pub row: Option<u64>,
    /// The column.
    pub column: Option<String>,
    /// What, and what to write instead.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(f, "row {row}, ")?;
        }
        if let Some(column) = &self.column {
            write!(f, "{column}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl Manifest {
    /// Reads the manifest at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or has mistakes that can be seen in it alone: an unknown column, a number that is
    /// none, a time that is none, a row without a file, two rows for one file.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let format = Format::of(path).ok_or_else(|| ManifestError::UnknownFormat { path: path.to_owned() })?;
        let bytes = read(path).map_err(|source| ManifestError::Io { path: path.to_owned(), source })?;
        Self::parse(&bytes, format, path)
    }

    /// Reads a manifest from its bytes; `path` is for messages.
    ///
    /// # Errors
    /// As [`Manifest::load`].
    pub fn parse(bytes: &[u8], format: Format, path: &Path) -> Result<Self, ManifestError> {
        let records =
            parse::records(bytes, format).map_err(|reason| ManifestError::Syntax { reason, path: path.to_owned() })?;
        let mut mistakes = Vec::new();
        let rows: Vec<Row> = records.iter().map(|record| Row::read(record, &mut mistakes)).collect();
        for (index, row) in rows.iter().enumerate() {
            if let Some(earlier) = rows[..index].iter().find(|earlier| earlier.file == row.file)
                && !row.file.as_os_str().is_empty()
            {
                mistakes.push(Mistake {
                    row: Some(row.number),
                    column: Some("file".to_owned()),
                    message: format!("row {} names the same file: one Pin a file", earlier.number),
                });
            }
        }
        mistakes.dedup();
        let manifest = Self { path: path.to_owned(), rows };
        manifest.refuse(mistakes).map(|()| manifest)
    }

    /// An error when there are mistakes.
    ///
    /// # Errors
    /// [`ManifestError::Mistakes`], in order of their rows.
    pub fn refuse(&self, mut mistakes: Vec<Mistake>) -> Result<(), ManifestError> {
        if mistakes.is_empty() {
            return Ok(());
        }
        mistakes.sort_by_key(|mistake| mistake.row);
        Err(ManifestError::Mistakes { mistakes, path: self.path.clone() })
    }
}

/// Bounded, and never from what could be waited for for ever: a pipe, a terminal, a device.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let refuse = |reason: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    if !std::fs::metadata(path)?.is_file() {
        return refuse("not a regular file");
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES { refuse("too long for a manifest") } else { Ok(bytes) }
}

#[cfg(test)]
mod tests;
