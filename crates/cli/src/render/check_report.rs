//! What every format of `pinpress check` is given, and the little that it must do.

use std::io::Write;
use std::path::Path;

use pinpress_pipeline::Checked;
use pinpress_probe::ProbeError;
use schemars::JsonSchema;
use serde::Serialize;

/// One video, as it was found.
#[derive(Debug)]
pub(crate) struct CheckedVideo {
    /// Facts and findings, or why there are none.
    pub(crate) result: Result<Checked, ProbeError>,
}

impl CheckedVideo {
    /// How it did.
    pub(crate) fn verdict(&self) -> Verdict {
        match &self.result {
            Ok(checked) if checked.report.passes() => Verdict::Pass,
            Ok(_) => Verdict::Fail,
            Err(_) => Verdict::Error,
        }
    }
}

/// Why a file could not be read, without its path, which stands beside it already.
pub(crate) fn reason(error: &ProbeError, path: &Path) -> String {
    let text = error.to_string();
    text.strip_suffix(&format!(": {}", path.display())).unwrap_or(&text).to_owned()
}

/// The word for how a video did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// Every rule is met.
    Pass,
    /// Some rule is not.
    Fail,
    /// It could not be read as a video.
    Error,
}

/// How many did how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Summary {
    /// Videos that meet every rule.
    pub(crate) pass: usize,
    /// Videos that do not.
    pub(crate) fail: usize,
    /// Files that could not be read as videos.
    pub(crate) error: usize,
}

impl Summary {
    pub(crate) const fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Pass => self.pass += 1,
            Verdict::Fail => self.fail += 1,
            Verdict::Error => self.error += 1,
        }
    }

    pub(crate) const fn total(self) -> usize {
        self.pass + self.fail + self.error
    }
}

/// What is known once every video was checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckEnd {
    /// How many did how.
    pub(crate) summary: Summary,
    /// Files that were passed over as no videos.
    pub(crate) skipped: usize,
}

/// A format: writes as the videos come, and keeps nothing of them, so that ten thousand cost no more memory than one.
/// A report that is not ended (an interruption, a closed pipe) must not be taken for a whole one.
pub(crate) trait CheckReport {
    /// What stands before the first video.
    fn begin(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        let _ = out;
        Ok(())
    }

    /// One video, in the order of their paths.
    fn video(&mut self, out: &mut dyn Write, path: &Path, video: &CheckedVideo) -> anyhow::Result<()>;

    /// What stands after the last.
    fn end(&mut self, out: &mut dyn Write, end: CheckEnd) -> anyhow::Result<()> {
        let _ = (out, end);
        Ok(())
    }
}
