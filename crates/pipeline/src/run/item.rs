//! A video on its way through the stages.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use pinpress_media::{Observer, Progress};
use pinpress_probe::{Seconds, Spec};
use pinpress_store::Object;
use tracing::Span;

use super::Run;
use super::twins::{First, Twin};
use crate::check::Checked;
use crate::discover::Found;
use crate::interrupt::is_nearly_done;
use crate::ledger::{Hold, Job};
use crate::observe::RunEvent;
use crate::outcome::{CoverOutcome, End, VideoOutcome};

/// A video whose job is in the ledger.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    /// Its place in the book.
    pub(super) index: usize,
    /// Where it was found, as the user would name it.
    pub(super) source: PathBuf,
    /// What is done with it belongs into this one.
    pub(super) span: Span,
    /// What storage said of it, where it is no file of this machine.
    pub(super) object: Option<Object>,
    /// Its job as the ledger has it.
    pub(super) job: Job,
    /// The output as an address of the file system.
    pub(super) output: PathBuf,
    /// Where its receipt goes.
    pub(super) receipt: PathBuf,
    /// Its rule set.
    pub(super) spec: SpecOf<'a>,
    /// The frame to take as the cover.
    pub(super) cover_at: Option<Seconds>,
    /// Facts and findings, when it was read in this run.
    pub(super) checked: Option<Checked>,
    /// The cover beside the output.
    pub(super) cover: Option<CoverOutcome>,
    /// The first video with its content, which did the work.
    pub(super) twin_of: Option<First>,
    /// Something was done in this run.
    pub(super) worked: bool,
}

/// The rule set of a video: that of the run, or its own.
#[derive(Debug, Clone)]
pub(super) enum SpecOf<'a> {
    /// That of the run.
    Run(&'a Spec),
    /// That of its row.
    Own(Arc<Spec>),
}

impl std::ops::Deref for SpecOf<'_> {
    type Target = Spec;

    fn deref(&self) -> &Spec {
        match self {
            Self::Run(spec) => spec,
            Self::Own(spec) => spec,
        }
    }
}

impl Item<'_> {
    /// How long it plays, as far as that is known.
    pub(super) fn duration(&self) -> Option<Seconds> {
        let planned = self.job.plan.as_ref().and_then(|plan| plan.duration);
        planned.or_else(|| self.checked.as_ref().and_then(|checked| checked.info.duration))
    }

    /// The outcome, as far as the item knows it.
    pub(super) fn outcome(self, end: End) -> VideoOutcome {
        let fixed = self.job.rendition.is_some();
        let (info, report) = self.checked.map(|checked| (Box::new(checked.info), checked.report)).unzip();
        VideoOutcome {
            source: self.source,
            output: fixed.then_some(self.output),
            info,
            report,
            plan: self.job.plan,
            cover: self.cover,
            pin: None,
            end,
        }
    }

    /// What was found.
    pub(super) fn found(&self) -> Found {
        Found { object: self.object.clone(), ..Found::here(self.source.clone(), PathBuf::new()) }
    }

    /// The good end of an item for which nothing is left to do.
    pub(super) const fn settled(&self) -> End {
        if self.worked { End::Done } else { End::UpToDate }
    }

    /// The same output, for a video with the same content.
    pub(super) fn for_twin(&self, twin: Twin) -> Self {
        Self {
            index: twin.index,
            source: twin.source,
            span: twin.span,
            receipt: twin.receipt,
            twin_of: Some(twin.of),
            checked: None,
            worked: false,
            ..self.clone()
        }
    }
}

impl VideoOutcome {
    /// A video about which nothing more is known.
    pub(super) fn of(source: &Path, end: End) -> Self {
        let source = source.to_owned();
        Self { source, output: None, info: None, report: None, plan: None, cover: None, pin: None, end }
    }
}

/// Passes on what the worker tells, and the wish to stop.
pub(super) struct Listener<'a> {
    run: &'a Run<'a>,
    video: &'a Path,
    /// Its claim.
    hold: &'a Hold<'a>,
    pace: Mutex<Pace>,
    /// Whether it was nearly done when it was asked to stop.
    goes_on: OnceLock<bool>,
}

/// How far the present stage of the work has come.
#[derive(Default)]
struct Pace {
    stage: Option<(pinpress_media::Stage, Instant)>,
    done_ms: u64,
    total_ms: Option<u64>,
}

impl<'a> Listener<'a> {
    pub(super) fn new(run: &'a Run<'a>, video: &'a Path, hold: &'a Hold<'a>) -> Self {
        Self { run, video, hold, pace: Mutex::default(), goes_on: OnceLock::new() }
    }

    fn is_nearly_done(&self) -> bool {
        let pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some((_, begun)), Some(total)) = (pace.stage, pace.total_ms) else { return false };
        is_nearly_done(pace.done_ms, total, begun.elapsed())
    }
}

impl Observer for Listener<'_> {
    fn progress(&self, progress: Progress) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if pace.stage.is_none_or(|(stage, _)| stage != progress.stage) {
            pace.stage = Some((progress.stage, Instant::now()));
        }
        (pace.done_ms, pace.total_ms) = (progress.done_ms, progress.total_ms);
        drop(pace);
        self.run.observer.event(&RunEvent::Media { video: self.video, progress });
    }

    fn warning(&self, message: &str) {
        let message = message.to_owned();
        self.run.observer.event(&RunEvent::Warning { video: Some(self.video), message });
    }

    fn cancelled(&self) -> bool {
        if !self.run.stopping() {
            return self.hold.is_lost();
        }
        // Minutes of encoding are not thrown away for the sake of seconds.
        let goes_on = *self.goes_on.get_or_init(|| self.is_nearly_done());
        !goes_on || self.hold.is_lost() || self.run.broken() || self.run.interrupt.halted()
    }
}
