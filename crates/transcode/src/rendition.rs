//! The temp file beside an output.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use pinpress_av::{Done, Facts};
use pinpress_media::final_name::{give_name, sync_folder_of};
use pinpress_media::{Failure, Salvaged, sweep_abandoned, temp_name};

use crate::failure;
use crate::stamp::Stamp;
use crate::writeback::WriteBack;

/// A file that was written and is not yet trusted. It goes when this goes.
#[derive(Debug)]
pub struct Rendition {
    temp: PathBuf,
    output: PathBuf,
    /// Whether it holds the source's own bytes.
    pub(crate) passthrough: bool,
    /// What the muxer was given.
    pub(crate) done: Done,
    /// What it was made from, where that was opened.
    pub(crate) source: Option<Facts>,
    write_back: Option<WriteBack>,
    /// What was left out of the source.
    pub(crate) salvaged: Option<Salvaged>,
    /// The file that it was made from, which has to be the same still when it is published.
    pub(crate) stamp: Option<Stamp>,
    /// The file with its lock, from its making until it has its final name.
    locked: Option<File>,
    kept: bool,
}

impl Rendition {
    /// Makes an empty temp file beside `output`.
    pub(crate) fn create(output: &Path) -> Result<Self, Failure> {
        let mut rendition = Self::named(output)?;
        rendition.create_file().map_err(|error| failure::of_creating(&error))?;
        rendition.write_back();
        Ok(rendition)
    }

    /// Makes the file and takes its lock, which tells others that it is not abandoned.
    pub(crate) fn create_file(&mut self) -> io::Result<&File> {
        let file = OpenOptions::new().write(true).create_new(true).open(&self.temp)?;
        // A filesystem without locks has nobody to tell.
        let _ = file.try_lock();
        Ok(self.locked.insert(file))
    }

    /// A temp name beside `output` under which nothing is. What killed processes have left of it goes.
    pub(crate) fn named(output: &Path) -> Result<Self, Failure> {
        if output.file_name().is_none() {
            return Err(failure::nameless());
        }
        sweep_abandoned(output);
        let temp = temp_name(output, std::process::id());
        // With our own process id in it, it is left from a process that had the same.
        match std::fs::remove_file(&temp) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failure::from_io("cannot clear an old temp file", &error));
            }
            _ => {}
        }
        Ok(Self {
            temp,
            output: output.to_owned(),
            passthrough: false,
            done: Done::default(),
            source: None,
            write_back: None,
            salvaged: None,
            stamp: None,
            locked: None,
            kept: false,
        })
    }

    /// Lets it go to the disk as it grows, from now on, where it is there.
    pub(crate) fn write_back(&mut self) {
        self.write_back = WriteBack::begin(&self.temp).ok();
    }

    /// Says that it is whole: the rest can go to the disk while it is proven.
    pub(crate) fn written(&self) {
        if let Some(write_back) = &self.write_back {
            write_back.written();
        }
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
        let begun = self.write_back.take().map_or(Ok(()), WriteBack::wait);
        // What a failed write made of it is told to the one who asked first, so both are heard.
        let durable = begun.and_then(|()| File::open(&self.temp)).and_then(|file| file.sync_all());
        durable.map_err(|error| failure::from_io("cannot write the output to disk", &error))?;
        self.stamp.as_ref().map_or(Ok(()), Stamp::holds)?;
        give_name(&self.temp, &self.output, overwrite).map_err(|error| failure::of_renaming(&error))?;
        self.kept = true;
        sync_folder_of(&self.output).map_err(|error| failure::of_syncing(&error))
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

#[cfg(test)]
mod tests {
    use super::*;
    use pinpress_media::FailureKind;

    #[test]
    fn an_output_without_a_name_is_refused() {
        assert_eq!(Rendition::create(Path::new("/")).unwrap_err().kind, FailureKind::Io);
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
