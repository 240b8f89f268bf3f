//! The check stage: a file in, facts and findings out.

use std::path::Path;

use pinpress_probe::{DeepReader, MediaInfo, ProbeError, Report, Source, Spec};

use crate::discover::Found;
use crate::interrupt::Interrupt;
use crate::ordered::in_order;

/// A video that could be read.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it is.
    pub info: MediaInfo,
    /// What the rule set says of it.
    pub report: Report,
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
    Ok(Checked { info, report })
}

/// Checks `videos` on `jobs` threads and hands the results to `take` in the order of `videos`.
pub fn check_all(
    videos: &[Found],
    spec: &Spec,
    deep: &dyn DeepReader,
    jobs: usize,
    interrupt: &Interrupt,
    mut take: impl FnMut(&Found, Result<Checked, ProbeError>),
) {
    in_order(
        videos.len(),
        jobs,
        interrupt,
        |index| check_file(&videos[index].path, spec, deep),
        |index, checked| take(&videos[index], checked),
    );
}
