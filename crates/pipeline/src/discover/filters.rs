//! Patterns that say which of the files in a folder are meant.

use std::path::Path;

use ignore::overrides::{Override, OverrideBuilder};

/// A file of patterns of what is left out, in the form of a `.gitignore`, for its folder and all below.
pub const IGNORE_FILE: &str = ".pinpressignore";

/// Which files in the given folders are meant. Files that are given themselves always are.
///
/// Patterns are those of a `.gitignore`: `*.mov` is a name at any depth, `2024/**` a path from the given folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// When there are any: only what one of them matches.
    pub include: Vec<String>,
    /// Never what one of them matches, folders with all that is in them.
    pub exclude: Vec<String>,
}

/// A pattern that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{glob:?} is no pattern of file names: {reason}")]
pub struct GlobError {
    /// As given.
    pub glob: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Filters {
    /// The patterns, from the folder `root`.
    pub(super) fn below(&self, root: &Path) -> Result<Override, GlobError> {
        let mut builder = OverrideBuilder::new(root);
        // In an override the meaning of `!` is turned round: it leaves out, and what is without it is meant.
        let globs = self.include.iter().map(|glob| (glob, glob.clone()));
        for (asked, glob) in globs.chain(self.exclude.iter().map(|glob| (glob, format!("!{glob}")))) {
            let refused = |reason: String| GlobError { glob: asked.clone(), reason };
            if asked.is_empty() || asked.starts_with('!') {
                return Err(refused("write it without !, as --include or --exclude".to_owned()));
            }
            builder.add(&glob).map_err(|error| refused(reason(&error)))?;
        }
        builder.build().map_err(|error| GlobError { glob: String::new(), reason: reason(&error) })
    }
}

/// The reason without the pattern, which is named beside it.
fn reason(error: &ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => err.clone(),
        other => other.to_string(),
    }
}
