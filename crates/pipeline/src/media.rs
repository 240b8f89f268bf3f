//! What the batch needs of the media worker.

use std::path::Path;

use pinpress_media::{CoverOptions, Covers, Failure, Fix, Fixed, Observer, Workers};
use pinpress_probe::DeepReader;

/// Fixes and covers, wherever they are made. [`Workers`] is the one that is there; tests and programs that start
/// workers only when they are needed bring their own.
pub trait Media: DeepReader + Send {
    /// Carries `fix` out; the result is verified before it has its final name.
    ///
    /// # Errors
    /// As the worker says; then there is nothing new under its output.
    fn fix(&self, fix: Fix<'_>, observer: &dyn Observer) -> Result<Fixed, Failure>;

    /// Picks and writes covers of `source`.
    ///
    /// # Errors
    /// As the worker says.
    fn cover(&self, source: &Path, options: &CoverOptions, observer: &dyn Observer) -> Result<Covers, Failure>;
}

impl Media for Workers {
    fn fix(&self, fix: Fix<'_>, observer: &dyn Observer) -> Result<Fixed, Failure> {
        Self::fix(self, fix, observer)
    }

    fn cover(&self, source: &Path, options: &CoverOptions, observer: &dyn Observer) -> Result<Covers, Failure> {
        Self::cover(self, source, options, observer)
    }
}
