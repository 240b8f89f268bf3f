//! A video on its way through the stages.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use pinpress_media::{Observer, Progress};
use pinpress_probe::Spec;

use super::Run;
use crate::check::Checked;
use crate::ledger::Job;
use crate::observe::{RunEvent, RunStage};
use crate::outcome::{CoverOutcome, End, VideoOutcome};

/// A video whose job is in the ledger.
pub(super) struct Item<'a> {
    /// Its place among the videos.
    pub(super) index: usize,
    /// Where it was found, as the user would name it.
    pub(super) source: &'a Path,
    /// Its job as the ledger has it.
    pub(super) job: Job,
    /// The output as an address of the file system.
    pub(super) output: PathBuf,
    /// Its rule set.
    pub(super) spec: Cow<'a, Spec>,
    /// Facts and findings, when it was read in this run.
    pub(super) checked: Option<Checked>,
    /// The cover beside the output.
    pub(super) cover: Option<CoverOutcome>,
    /// Something was done in this run.
    pub(super) worked: bool,
}

impl Item<'_> {
    /// The outcome, as far as the item knows it.
    pub(super) fn outcome(self, end: End) -> VideoOutcome {
        let fixed = self.job.rendition.is_some();
        VideoOutcome {
            source: self.source.to_owned(),
            output: fixed.then_some(self.output),
            report: self.checked.map(|checked| checked.report),
            plan: self.job.plan,
            cover: self.cover,
            pin: None,
            end,
        }
    }

    /// The good end of an item for which nothing is left to do.
    pub(super) const fn settled(&self) -> End {
        if self.worked { End::Done } else { End::UpToDate }
    }
}

impl VideoOutcome {
    /// A video about which nothing more is known.
    pub(super) fn of(source: &Path, end: End) -> Self {
        Self { source: source.to_owned(), output: None, report: None, plan: None, cover: None, pin: None, end }
    }
}

/// Passes on what the worker tells, and the wish to stop.
pub(super) struct Listener<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) video: &'a Path,
}

impl Observer for Listener<'_> {
    fn progress(&self, progress: Progress) {
        self.run.observer.event(&RunEvent::Media { video: self.video, progress });
    }

    fn warning(&self, message: &str) {
        let message = message.to_owned();
        self.run.observer.event(&RunEvent::Warning { video: Some(self.video), message });
    }

    fn cancelled(&self) -> bool {
        self.run.stopping()
    }
}

impl Run<'_> {
    pub(super) fn started(&self, video: &Path, stage: RunStage) {
        self.observer.event(&RunEvent::Started { video, stage });
    }
}
