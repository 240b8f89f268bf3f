//! Why libav could not do what was asked.

use std::io;

use ffmpeg_next::Error as LibavError;

/// A failure of libav or of the system below it. No message names the file: the caller knows it.
#[derive(Debug, thiserror::Error)]
pub enum AvError {
    /// The operating system refused: no such file, no permission, disk full.
    #[error("{action}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// No demuxer of the allow-list knows it, or it holds no picture.
    #[error("not a video: {0}")]
    NotAVideo(String),
    /// A recording or copy that has not ended.
    #[error("incomplete: still being written, or cut off before its index (moov) was: wait, or copy it again")]
    Incomplete,
    /// Broken inside.
    #[error("corrupt: {0}: export or copy it again")]
    Corrupt(String),
    /// A stream that a job names is not there, or is of another kind.
    #[error("no {kind} stream {index}: probe the file again, it may have changed")]
    NoStream {
        /// `video` or `audio`.
        kind: &'static str,
        /// The place that was asked for.
        index: usize,
    },
    /// The linked libav has no such decoder, encoder, muxer or filter.
    #[error("this libav has no {0}: install an FFmpeg that has it")]
    Missing(String),
    /// A decoder could not be opened.
    #[error("cannot decode {codec}: {reason}")]
    Decoder {
        /// libav's name.
        codec: String,
        /// libav's reason.
        reason: String,
    },
    /// A filter graph could not be built or run.
    #[error("filter failed: {reason}: {description}")]
    Filter {
        /// libav's reason.
        reason: String,
        /// The description of the graph.
        description: String,
    },
    /// An encoder could not be opened or refused a frame.
    #[error("encoder {name} failed: {reason}")]
    Encoder {
        /// libav's name.
        name: String,
        /// libav's reason.
        reason: String,
    },
    /// The muxer refused a stream or a packet.
    #[error("cannot write MP4: {0}")]
    Muxer(String),
    /// The caller asked to stop.
    #[error("stopped as asked")]
    Cancelled,
    /// A stage ended without saying why, or the system gave no memory or thread.
    #[error("libav ended without a result: {0}")]
    Internal(String),
}

impl AvError {
    /// An error of the system while doing `action`.
    pub(crate) fn io(action: &'static str, source: io::Error) -> Self {
        Self::Io { action, source }
    }

    /// Sorts an error of reading: what the system says is [`AvError::Io`], the rest is the file's fault.
    pub(crate) fn reading(error: LibavError) -> Self {
        Self::system("cannot read it", error).unwrap_or_else(|error| Self::Corrupt(error.to_string()))
    }

    /// Sorts an error of writing: what the system says is [`AvError::Io`], the rest is the muxer's.
    pub(crate) fn writing(error: LibavError) -> Self {
        Self::system("cannot write the output", error).unwrap_or_else(|error| Self::Muxer(error.to_string()))
    }

    /// The cases that mean the same wherever they occur; gives the others back.
    pub(crate) fn system(action: &'static str, error: LibavError) -> Result<Self, LibavError> {
        match error {
            LibavError::Exit => Ok(Self::Cancelled),
            LibavError::Other { errno: libav_errno::EINVAL } => Err(error),
            LibavError::Other { errno } => Ok(Self::io(action, io::Error::from_raw_os_error(errno))),
            other => Err(other),
        }
    }
}

/// System error numbers that libav passes through, by the names of POSIX.
pub(crate) mod libav_errno {
    pub(crate) use ffmpeg_next::error::{EAGAIN, EINVAL, ENOMEM};
}
