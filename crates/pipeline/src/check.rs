//! The check stage: a file in, facts and findings out.

use std::path::Path;

use pinpress_probe::{Decoded, DeepReader, MediaInfo, ProbeError, Report, Source, Spec};

/// A video that could be read.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it is.
    pub info: MediaInfo,
    /// What the rule set says of it.
    pub report: Report,
    /// How decoding all of it went, when that was asked for; its faults are among the facts.
    pub decoded: Option<Decoded>,
}

/// Checks one file.
///
/// # Errors
/// When it cannot be read as a video.
pub fn check_file(path: &Path, spec: &Spec, deep: &dyn DeepReader) -> Result<Checked, ProbeError> {
    check_source(&Source::open(path)?, spec, deep)
}

/// Checks an open file.
///
/// # Errors
/// When it cannot be read as a video.
pub fn check_source(source: &Source, spec: &Spec, deep: &dyn DeepReader) -> Result<Checked, ProbeError> {
    let info = pinpress_probe::read(source, deep)?;
    let report = pinpress_probe::check(&info, spec);
    Ok(Checked { info, report, decoded: None })
}
