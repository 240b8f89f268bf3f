//! From errors of libav and the system to failures on the wire.

use std::io;
use std::path::Path;

use pinpress_av::AvError;
use pinpress_media::final_name::folder_of;
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

/// An output that is no file's.
#[must_use]
pub fn nameless() -> Failure {
    Failure::new(FailureKind::Io, "the output has no file name: name a file")
}

/// Why nothing could be made in the output folder.
#[must_use]
pub fn of_creating(error: &io::Error) -> Failure {
    from_io("cannot create a file in the output folder", error)
}

/// Why the output did not get its final name.
#[must_use]
pub fn of_renaming(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::output_exists(),
        _ => from_io("cannot rename the output", error),
    }
}

/// Why the final name may not last.
#[must_use]
pub fn of_syncing(error: &io::Error) -> Failure {
    from_io("cannot write the output folder to disk", error)
}

/// What is told in the place of all else when the folder of `output` is there no more.
#[must_use]
pub fn of_a_folder_that_is_gone(output: &Path) -> Option<Failure> {
    let message = "the output folder was removed or renamed while it was written to: run it again";
    (!folder_of(output).is_dir()).then(|| Failure::new(FailureKind::Io, message))
}
