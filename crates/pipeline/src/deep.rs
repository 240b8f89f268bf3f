//! The check stage that also decodes all of every file.

use std::path::Path;

use pinpress_media::{Failure, FailureKind, Observer, Workers, wire_millis};
use pinpress_probe::{Decoded, DeepReader, MediaInfo, ProbeError, Source, Spec};

use crate::check::Checked;

/// Decodes files whole, wherever that is done. [`Workers`] is the one that is there.
pub trait Decoder: DeepReader {
    /// Decodes every picture and sound of the file at `path`, whose facts are known.
    ///
    /// # Errors
    /// As the worker says. Faults in the file are no error.
    fn decode(&self, path: &Path, info: &MediaInfo, observer: &dyn Observer) -> Result<Decoded, Failure>;
}

impl Decoder for Workers {
    fn decode(&self, path: &Path, info: &MediaInfo, observer: &dyn Observer) -> Result<Decoded, Failure> {
        Self::decode(self, path, info.duration.map(wire_millis), observer)
    }
}

/// Checks one file as [`crate::check_file`] does, and decodes all of it: its faults are findings. `None` when
/// `observer` stopped it.
#[must_use]
pub fn check_deep(
    path: &Path,
    spec: &Spec,
    decoder: &dyn Decoder,
    observer: &dyn Observer,
) -> Option<Result<Checked, ProbeError>> {
    let mut info = match Source::open(path).and_then(|source| pinpress_probe::read(&source, decoder)) {
        Ok(info) => info,
        Err(error) => return Some(Err(error)),
    };
    match decoder.decode(path, &info, observer) {
        Ok(decoded) => {
            decoded.add_to(&mut info);
            let report = pinpress_probe::check(&info, spec);
            Some(Ok(Checked { info, report, decoded: Some(decoded) }))
        }
        Err(failure) if failure.kind == FailureKind::Cancelled => None,
        Err(failure) => Some(Err(failure.into_probe_error(path))),
    }
}
