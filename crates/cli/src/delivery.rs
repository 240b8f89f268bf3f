//! Results of one command on their way to storage: made among the temp files of this machine, uploaded when they are whole.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use pinpress_media::{Failure, FailureKind, Observer};
use pinpress_pipeline::Objects;
use pinpress_pipeline::objects::undelivered;
use pinpress_store::ObjectAddress;

/// A folder in storage, and the one in which its files are made.
pub(crate) struct Delivery {
    to: ObjectAddress,
    /// The folder of this machine.
    pub(crate) staging: PathBuf,
}

impl Delivery {
    /// # Errors
    /// When there is no room on this machine.
    pub(crate) fn new(to: ObjectAddress, objects: &Objects) -> anyhow::Result<Self> {
        let staging = objects.staging().context("no room for results: set TMPDIR to a folder that can be written")?;
        Ok(Self { to, staging })
    }

    /// The object that `file`, one of the staging folder, becomes.
    ///
    /// # Errors
    /// `Io` when no object can be named so.
    pub(crate) fn target(&self, file: &Path) -> Result<ObjectAddress, Failure> {
        let failed = |reason: &str| Failure::new(FailureKind::Io, format!("no object can be named so: {reason}"));
        let relative = file.strip_prefix(&self.staging).map_err(|error| failed(&error.to_string()))?;
        let relative = relative.to_str().ok_or_else(|| failed("the name is not UTF-8"))?;
        self.to.join(relative).map_err(|error| failed(&error.to_string()))
    }

    /// Uploads `file` and removes it here; answers where it is now.
    ///
    /// # Errors
    /// `OutputExists` when an object is there that may not be replaced, `Cancelled`, `Io`.
    pub(crate) fn deliver(
        &self,
        file: &Path,
        replace: bool,
        objects: &Objects,
        observer: &dyn Observer,
    ) -> Result<ObjectAddress, Failure> {
        let target = self.target(file)?;
        objects.deliver(file, &target, replace, observer).map_err(|error| undelivered(&error, observer))?;
        Ok(target)
    }
}
