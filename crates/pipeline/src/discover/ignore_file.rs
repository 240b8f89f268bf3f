//! Mistakes in an ignore file. The walk reads the same file and takes what is right in it; a line that is no pattern
//! would leave nothing out, and what was meant to stay at home would be published.

use std::fmt;
use std::path::{Path, PathBuf};

use ignore::Error;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::IGNORE_FILE;

/// One thing that is wrong in an ignore file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreMistake {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; `None` when the file could not be opened.
    pub line: Option<u64>,
    /// What is wrong.
    pub reason: String,
}

/// `line 2: "{a" is no pattern of file names: …`, the path last.
impl fmt::Display for IgnoreMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}: {}", self.reason, self.path.display())
    }
}

/// The mistakes in the ignore file of `folder`, in order of their lines; none where it has no such file.
pub(super) fn mistakes(folder: &Path) -> Vec<IgnoreMistake> {
    let path = folder.join(IGNORE_FILE);
    if !path.exists() {
        return Vec::new();
    }
    let mut builder = GitignoreBuilder::new(folder);
    // The walk takes what is not closed as it stands. Nobody means that, and --exclude refuses it.
    builder.allow_unclosed_class(false);
    let mut found = Vec::new();
    if let Some(error) = builder.add(&path) {
        collect(&error, None, &path, &mut found);
    }
    found
}

/// The patterns in `text`, which is that of the file at `path` and holds for `folder`, and what is wrong with them.
pub(super) fn parse(folder: &Path, path: &Path, text: &[u8]) -> (Gitignore, Vec<IgnoreMistake>) {
    let mut found = Vec::new();
    let mistake = |line, reason| IgnoreMistake { path: path.to_owned(), line, reason };
    let mut builder = GitignoreBuilder::new(folder);
    builder.allow_unclosed_class(false);
    match std::str::from_utf8(text) {
        Ok(text) => {
            // Editors on Windows begin a file with this mark.
            let lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines();
            for (line, number) in lines.zip(1..) {
                if let Err(error) = builder.add_line(None, line) {
                    collect(&error, Some(number), path, &mut found);
                }
            }
        }
        Err(error) => found.push(mistake(None, format!("cannot be read: {error}"))),
    }
    let patterns = builder.build().unwrap_or_else(|error| {
        found.push(mistake(None, error.to_string()));
        Gitignore::empty()
    });
    (patterns, found)
}

fn collect(error: &Error, line: Option<u64>, path: &Path, found: &mut Vec<IgnoreMistake>) {
    let reason = match error {
        Error::Partial(errors) => return errors.iter().for_each(|error| collect(error, line, path, found)),
        Error::WithLineNumber { line, err } => return collect(err, Some(*line), path, found),
        Error::WithPath { err, .. } | Error::WithDepth { err, .. } => return collect(err, line, path, found),
        Error::Glob { glob: Some(glob), err } => format!("{glob:?} is no pattern of file names: {err}"),
        Error::Io(io) => format!("cannot be read: {io}"),
        other => other.to_string(),
    };
    found.push(IgnoreMistake { path: path.to_owned(), line, reason });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_that_is_no_pattern_is_told_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(mistakes(folder.path()), []);
        let text = "# [ of a comment\n\n[draft\n*.mov\n\\[draft\n{a,b\n[z-a].mp4\n!keep/**\n";
        std::fs::write(folder.path().join(IGNORE_FILE), text).unwrap();
        let told: Vec<_> = mistakes(folder.path()).iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        for (told, begins) in
            told.iter().zip(["line 3: \"[draft\" is no", "line 6: \"{a,b\" is no", "line 7: \"[z-a].mp4\" is no"])
        {
            assert!(told.starts_with(begins) && told.ends_with(IGNORE_FILE), "{told}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(IGNORE_FILE);
        std::fs::write(&path, b"*.mov\n\xff\xfe\n*.mkv\n").unwrap();
        let told = mistakes(folder.path());
        assert!(told.len() == 1 && told[0].line == Some(2) && told[0].reason.contains("cannot be read"), "{told:?}");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(mistakes(folder.path()).len(), 1);
    }
}
