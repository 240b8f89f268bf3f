//! libav's errors and the system's, as failures for the front.

use std::io;

use pinpress_av::AvError;
use pinpress_media::{Failure, FailureKind};

/// Why libav could not give frames.
pub(crate) fn of_libav(error: &AvError) -> Failure {
    let kind = match error {
        AvError::Io { .. } => FailureKind::Io,
        AvError::NotAVideo(_) => FailureKind::NotAVideo,
        AvError::Incomplete => FailureKind::Incomplete,
        AvError::Corrupt(_) | AvError::NoStream { .. } => FailureKind::Corrupt,
        AvError::Cancelled => FailureKind::Cancelled,
        AvError::Missing(_)
        | AvError::Decoder { .. }
        | AvError::Filter { .. }
        | AvError::Encoder { .. }
        | AvError::Muxer(_)
        | AvError::Internal(_) => FailureKind::Encoder,
    };
    Failure::new(kind, error.to_string())
}

/// Why a picture could not be written.
#[must_use]
pub fn of_writing(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => exists(),
        _ => Failure::new(FailureKind::Io, format!("cannot write the picture: {error}")),
    }
}

/// A picture is already there.
#[must_use]
pub fn exists() -> Failure {
    Failure::new(FailureKind::OutputExists, "the picture exists already: give --overwrite or another folder")
}
