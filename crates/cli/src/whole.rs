//! A video as a file of this machine, when one is needed at last.

use std::cell::OnceCell;
use std::path::Path;

use pinpress_media::{Failure, FailureKind, Observer};
use pinpress_pipeline::{Fetched, Found, Objects};
use pinpress_probe::ProbeError;

/// Fetches what was found when its bytes are first asked for. The copy goes with it.
pub(crate) struct Whole<'a> {
    objects: &'a Objects,
    found: &'a Found,
    observer: &'a dyn Observer,
    file: OnceCell<Fetched<'a>>,
}

impl<'a> Whole<'a> {
    pub(crate) const fn new(objects: &'a Objects, found: &'a Found, observer: &'a dyn Observer) -> Self {
        Self { objects, found, observer, file: OnceCell::new() }
    }

    /// The file, for a job.
    ///
    /// # Errors
    /// As [`Self::file`].
    pub(crate) fn path(&self) -> Result<&Path, Failure> {
        self.file().map_err(|error| self.failure(&error))
    }

    /// The file.
    ///
    /// # Errors
    /// When storage refuses or cannot be reached, the object is another one by now, or the copy cannot be written.
    pub(crate) fn file(&self) -> Result<&Path, ProbeError> {
        if self.file.get().is_none() {
            let file = self.objects.fetch(self.found, None, self.observer)?;
            drop(self.file.set(file));
        }
        // It is there by now.
        Ok(self.file.get().map_or(&self.found.path, Fetched::path))
    }

    fn failure(&self, error: &ProbeError) -> Failure {
        if self.observer.cancelled() {
            return Failure::new(FailureKind::Cancelled, "interrupted");
        }
        // Its address stands beside it.
        let text = error.to_string();
        let text = text.strip_suffix(&format!(": {}", self.found.path.display())).unwrap_or(&text);
        Failure::new(FailureKind::Io, text)
    }
}
