//! What every format of `pinpress check` is given, and the little that it must do.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write};
use std::path::Path;

use anyhow::Context as _;
use pinpress_pipeline::{Checked, Unreadable};
use pinpress_probe::{Finding, ProbeError, Severity};
use schemars::JsonSchema;
use serde::Serialize;

use crate::output::clean;

/// One video, as it was found.
#[derive(Debug)]
pub(crate) struct CheckedVideo {
    /// Facts and findings, or why there are none.
    pub(crate) result: Result<Checked, ProbeError>,
    /// A small JPEG of it, for the format that shows one.
    pub(crate) still: Option<Vec<u8>>,
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

/// A finding without its rule, in one line: `23.976 fps; required at least 25 fps → raise the frame rate`.
pub(crate) fn in_one_line(finding: &Finding) -> String {
    let Finding { measured, required, remedy, severity, .. } = finding;
    let asked = match (required.is_empty(), severity) {
        (true, _) => String::new(),
        (false, Severity::Error) => format!("; required {required}"),
        (false, Severity::Advice) => format!("; better {required}"),
    };
    clean(&format!("{measured}{asked} → {remedy}"))
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
pub(crate) struct CheckEnd<'a> {
    /// How many did how.
    pub(crate) summary: Summary,
    /// Files that were passed over as no videos.
    pub(crate) skipped: usize,
    /// Places that could not be looked into.
    pub(crate) unreadable: &'a [Unreadable],
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
    fn end(&mut self, out: &mut dyn Write, end: CheckEnd<'_>) -> anyhow::Result<()> {
        let _ = (out, end);
        Ok(())
    }
}

/// What a report keeps until its end where something must stand before it that is only known then: on disk, unnamed.
pub(crate) struct Spool(BufWriter<File>);

impl Spool {
    /// An empty one, in the folder for temp files.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let file = tempfile::tempfile().context("cannot keep the report: no room for a temp file (set TMPDIR)")?;
        Ok(Self(BufWriter::new(file)))
    }

    /// Writes all of it to `out`.
    pub(crate) fn copy_to(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        self.0.flush()?;
        let file = self.0.get_mut();
        file.rewind()?;
        io::copy(file, out)?;
        Ok(())
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A document of JSON around a list that is written piece by piece: what stands before the first entry of the empty
/// list called `list`, and what after the last.
pub(crate) fn around(document: &impl Serialize, list: &str) -> anyhow::Result<(String, String)> {
    let text = serde_json::to_string(document)?;
    // Inside a string of JSON the quotes would be escaped: this can only be the key.
    let empty = format!("\"{list}\":[]");
    let place = text.find(&empty).with_context(|| format!("the document has no place for {list}"))? + empty.len() - 1;
    let (before, after) = text.split_at(place);
    Ok((before.to_owned(), after.to_owned()))
}
