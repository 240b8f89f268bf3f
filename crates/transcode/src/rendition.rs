//! The temp file beside an output.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use pinpress_media::{Failure, FailureKind};

use crate::failure;

/// The end of every temp file's name: `.NAME.<pid>.pinpress-tmp`.
pub const TEMP_ENDING: &str = "pinpress-tmp";

/// Bytes of a file name that filesystems take.
const NAME_MAX: usize = 255;

/// A file that was written and is not yet trusted. It goes when this goes.
#[derive(Debug)]
pub struct Rendition {
    temp: PathBuf,
    output: PathBuf,
    /// Whether it holds the source's own bytes.
    pub(crate) passthrough: bool,
    kept: bool,
}

impl Rendition {
    /// Makes an empty temp file beside `output`.
    pub(crate) fn create(output: &Path) -> Result<Self, Failure> {
        let rendition = Self::named(output)?;
        let create = || OpenOptions::new().write(true).create_new(true).open(&rendition.temp);
        create().map_err(|error| failure::from_io("cannot create a file in the output folder", &error))?;
        Ok(rendition)
    }

    /// A temp name beside `output` under which nothing is.
    pub(crate) fn named(output: &Path) -> Result<Self, Failure> {
        let temp = temp_name(output)
            .ok_or_else(|| Failure::new(FailureKind::Io, "the output has no file name: name a file".to_owned()))?;
        // With our own process id in it, it is left from a process that had the same.
        match std::fs::remove_file(&temp) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failure::from_io("cannot clear an old temp file", &error));
            }
            _ => {}
        }
        Ok(Self { temp, output: output.to_owned(), passthrough: false, kept: false })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.temp
    }

    /// The name that it is meant for.
    #[must_use]
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// Makes it durable and gives it its final name.
    pub(crate) fn publish(mut self, overwrite: bool) -> Result<(), Failure> {
        let durable = File::open(&self.temp).and_then(|file| file.sync_all());
        durable.map_err(|error| failure::from_io("cannot write the output to disk", &error))?;
        if overwrite {
            std::fs::rename(&self.temp, &self.output)
                .map_err(|error| failure::from_io("cannot rename the output", &error))?;
        } else {
            rename_new(&self.temp, &self.output).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => exists(),
                _ => failure::from_io("cannot rename the output", &error),
            })?;
        }
        self.kept = true;
        let folder = self.output.parent().filter(|folder| !folder.as_os_str().is_empty());
        let synced = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        synced.map_err(|error| failure::from_io("cannot write the output folder to disk", &error))
    }
}

impl Drop for Rendition {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        if let Err(error) = std::fs::remove_file(&self.temp)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %self.temp.display(), "a temp file could not be removed");
        }
    }
}

/// The failure for an output that is there.
pub(crate) fn exists() -> Failure {
    Failure::new(FailureKind::OutputExists, "the output exists already: remove it, or pass --overwrite")
}

fn temp_name(output: &Path) -> Option<PathBuf> {
    let name = output.file_name()?;
    let ending = format!(".{}.{TEMP_ENDING}", std::process::id());
    let mut temp = OsString::from(".");
    if name.len() + ending.len() < NAME_MAX {
        temp.push(name);
    } else {
        // Too long to keep: what fits of it, by whole characters.
        let room = NAME_MAX - ending.len() - 1;
        let text = name.to_string_lossy();
        let cut = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        temp.push(&text[..cut]);
    }
    temp.push(ending);
    Some(output.with_file_name(temp))
}

/// Renames, and fails when the new name is taken; without a moment between asking and doing where the system can.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // A second name for the file fails when the name is taken, on every filesystem that has hard links.
    match std::fs::hard_link(from, to) {
        Ok(()) => std::fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) if std::fs::symlink_metadata(to).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => std::fs::rename(from, to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temp_names_are_hidden_and_fit() {
        let temp = temp_name(Path::new("/out/a b.mp4")).unwrap();
        assert_eq!(temp, PathBuf::from(format!("/out/.a b.mp4.{}.pinpress-tmp", std::process::id())));
        for text in ["x".repeat(251), "ü".repeat(125)] {
            let temp = temp_name(&Path::new("/out").join(text + ".mp4")).unwrap();
            let name = temp.file_name().unwrap();
            assert!(name.len() <= NAME_MAX && name.to_str().unwrap().ends_with(".pinpress-tmp"));
        }
        assert_eq!(temp_name(Path::new("/")), None);
    }

    #[test]
    fn a_dropped_rendition_leaves_nothing_and_a_published_one_does_not_clobber() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("a.mp4");
        let names = || std::fs::read_dir(folder.path()).unwrap().count();
        drop(Rendition::create(&output).unwrap());
        assert_eq!(names(), 0);
        Rendition::create(&output).unwrap().publish(false).unwrap();
        assert_eq!(names(), 1);
        std::fs::write(&output, "mine").unwrap();
        let refused = Rendition::create(&output).unwrap().publish(false).unwrap_err();
        assert_eq!(refused.kind, FailureKind::OutputExists);
        assert_eq!((names(), std::fs::read(&output).unwrap()), (1, b"mine".to_vec()));
        Rendition::create(&output).unwrap().publish(true).unwrap();
        assert_eq!((names(), std::fs::read(&output).unwrap()), (1, Vec::new()));
    }
}
