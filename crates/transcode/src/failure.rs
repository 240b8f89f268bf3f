//! From errors of libav and the system to failures on the wire.

use std::io;

use pinpress_av::AvError;
use pinpress_media::{Failure, FailureKind};

/// The failure that an error of libav amounts to, with the lines that libav logged.
#[must_use]
pub fn from_av(error: &AvError) -> Failure {
    let kind = match error {
        AvError::Io { action, source } => {
            return Failure { log: pinpress_av::take_log(), ..from_io(action, source) };
        }
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
    Failure { log: pinpress_av::take_log(), ..Failure::new(kind, error.to_string()) }
}

/// A failure of the operating system while doing `action`.
#[must_use]
pub fn from_io(action: &str, error: &io::Error) -> Failure {
    let remedy = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ": make room and run it again",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ": choose a folder you can write to",
        _ => "",
    };
    Failure::new(FailureKind::Io, format!("{action}: {error}{remedy}"))
}
