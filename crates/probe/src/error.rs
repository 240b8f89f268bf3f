//! Why a file could not be read. A broken rule is not an error: see [`crate::Finding`].

use std::path::{Path, PathBuf};

/// A video could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The operating system refused.
    #[error("cannot read it: {source}: {path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Not a regular file: a folder, pipe, socket or device.
    #[error("not a regular file: give a video file: {path}", path = path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// No bytes at all.
    #[error("the file is empty: copy it again from its source: {path}", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A recording or copy that has not ended: no `moov`, `mdat` to the end of the file.
    #[error("incomplete: still being written, or cut off before its index (moov) was: wait, or copy it again: {path}", path = path.display())]
    Incomplete {
        /// The file.
        path: PathBuf,
    },
    /// No reader knows the format, or it holds no picture.
    #[error("not a video: {reason}: {path}", path = path.display())]
    NotAVideo {
        /// What was found instead.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// It looks like a video, but its structure is broken.
    #[error("corrupt: {reason}: export or copy it again: {path}", path = path.display())]
    Corrupt {
        /// The box or packet, and what is wrong with it.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// The reader itself failed: the worker died, or could not be started.
    #[error("could not be checked: {reason}: {path}", path = path.display())]
    Reader {
        /// What happened, and what to do.
        reason: String,
        /// The file.
        path: PathBuf,
    },
}

impl ProbeError {
    /// The same of a file that is called `name`: what was read was a copy of it.
    #[must_use]
    pub fn of(mut self, name: &Path) -> Self {
        let (Self::Io { path, .. }
        | Self::NotAFile { path }
        | Self::Empty { path }
        | Self::Incomplete { path }
        | Self::NotAVideo { path, .. }
        | Self::Corrupt { path, .. }
        | Self::Reader { path, .. }) = &mut self;
        name.clone_into(path);
        self
    }
}
