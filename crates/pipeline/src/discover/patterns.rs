//! The files of patterns of a folder of objects: read when something lies in their folder.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::Gitignore;
use ignore::overrides::Override;
use pinpress_store::{Bucket, Object};

use super::ignore_file::{self, IgnoreMistake};

/// A page of patterns; a film that was named by mistake is not read.
const MOST_BYTES: u64 = 1 << 20;

/// Which objects are meant: by the options, and by the files of patterns in their folders.
pub(super) struct Patterns {
    bucket: Bucket,
    /// Those of the options. They come first, as they do in a folder here.
    options: Override,
    /// By the folders they are in, below that of the walk.
    files: HashMap<PathBuf, File>,
    /// What is wrong in those that were read.
    mistakes: Vec<IgnoreMistake>,
}

enum File {
    Listed(Object),
    Read(Gitignore),
}

impl Patterns {
    pub(super) fn new(bucket: Bucket, options: Override) -> Self {
        Self { bucket, options, files: HashMap::new(), mistakes: Vec::new() }
    }

    /// Remembers the file of patterns of `folder`.
    pub(super) fn meet(&mut self, folder: PathBuf, file: Object) {
        self.files.insert(folder, File::Listed(file));
    }

    /// Whether what lies at `relative` is meant. A folder that is left out is left out with all that is in it, and
    /// nobody reads its patterns.
    pub(super) fn let_through(&mut self, relative: &Path) -> bool {
        let mut folders: Vec<&Path> = relative.ancestors().skip(1).collect();
        folders.reverse();
        for (depth, folder) in folders.iter().enumerate() {
            // The folder of the walk itself was asked for.
            if depth > 0 && self.leaves_out(folder, true, &folders[..depth]) {
                return false;
            }
            self.read(folder);
        }
        !self.leaves_out(relative, false, &folders)
    }

    /// Whether the options ask for it by a pattern of their own.
    pub(super) fn names(&self, relative: &Path) -> bool {
        self.options.matched(relative, false).is_whitelist()
    }

    /// What is wrong in the files that were read since the last call.
    pub(super) fn mistakes(&mut self) -> Vec<IgnoreMistake> {
        std::mem::take(&mut self.mistakes)
    }

    fn leaves_out(&self, path: &Path, is_folder: bool, above: &[&Path]) -> bool {
        match self.options.matched(path, is_folder) {
            Match::Ignore(_) => return true,
            Match::Whitelist(_) => return false,
            Match::None => {}
        }
        // The nearest file that says something has the word.
        let at = Path::new("/").join(path);
        for folder in above.iter().rev() {
            if let Some(File::Read(file)) = self.files.get(*folder) {
                match file.matched(&at, is_folder) {
                    Match::Ignore(_) => return true,
                    Match::Whitelist(_) => return false,
                    Match::None => {}
                }
            }
        }
        false
    }

    fn read(&mut self, folder: &Path) {
        let Some(File::Listed(file)) = self.files.get(folder) else { return };
        let path = file.address.to_path();
        let text = if file.size > MOST_BYTES {
            Err("far too long for what it should be".to_owned())
        } else {
            self.bucket.read(file, 0..file.size).map_err(|error| error.reason.to_string())
        };
        let root = Path::new("/").join(folder);
        let read = match text {
            Ok(text) => {
                let (read, mistakes) = ignore_file::parse(&root, &path, &text);
                self.mistakes.extend(mistakes);
                read
            }
            Err(said) => {
                self.mistakes.push(IgnoreMistake { path, line: None, reason: format!("cannot be read: {said}") });
                Gitignore::empty()
            }
        };
        self.files.insert(folder.to_owned(), File::Read(read));
    }
}
