//! What the batch needs of the media worker.

use std::path::Path;

use pinpress_media::{CoverOptions, Covers, Failure, FixOptions, Fixed, Observer, Workers};
use pinpress_probe::{DeepReader, MediaInfo, Spec};

/// Fixes and covers, wherever they are made. [`Workers`] is the one that is there; tests and programs that start
/// workers only when they are needed bring their own.
pub trait Media: DeepReader + Send {
    /// Makes `source` fit `spec` as `output`, whose folder exists; verified before it has that name.
    ///
    /// # Errors
    /// As the worker says; then there is nothing new under `output`.
    fn fix(
        &self,
        source: &Path,
        info: &MediaInfo,
        spec: &Spec,
        options: &FixOptions,
        output: &Path,
        observer: &dyn Observer,
    ) -> Result<Fixed, Failure>;

    /// Picks and writes covers of `source`.
    ///
    /// # Errors
    /// As the worker says.
    fn cover(&self, source: &Path, options: &CoverOptions, observer: &dyn Observer) -> Result<Covers, Failure>;
}

impl Media for Workers {
    fn fix(
        &self,
        source: &Path,
        info: &MediaInfo,
        spec: &Spec,
        options: &FixOptions,
        output: &Path,
        observer: &dyn Observer,
    ) -> Result<Fixed, Failure> {
        Self::fix(self, source, info, spec, options, output, observer)
    }

    fn cover(&self, source: &Path, options: &CoverOptions, observer: &dyn Observer) -> Result<Covers, Failure> {
        Self::cover(self, source, options, observer)
    }
}
