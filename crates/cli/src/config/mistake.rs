//! What is wrong with the files, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use pinpress_pipeline::manifest::Place;

/// One thing that is wrong.
#[derive(Debug)]
pub(crate) struct Mistake {
    /// The file.
    pub(crate) path: PathBuf,
    /// Where in it; `None` for the file as a whole.
    pub(crate) place: Option<Place>,
    /// What, and what to do.
    pub(crate) message: String,
}

impl Mistake {
    /// Of the file as a whole.
    pub(super) fn of(path: &Path, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), place: None, message: message.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}: {}", self.message, self.path.display())
    }
}

/// The files cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {}:\n{}", counted(mistakes.len()), listed(mistakes))]
pub(crate) struct ConfigError {
    /// All of them.
    pub(crate) mistakes: Vec<Mistake>,
}

fn counted(count: usize) -> String {
    if count == 1 { "a mistake".to_owned() } else { format!("{count} mistakes") }
}

fn listed(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|mistake| format!("  {mistake}")).collect::<Vec<_>>().join("\n")
}
