//! A stage at work on a video: told when it begins, and when it is over in whatever way.

use std::path::Path;
use std::time::Instant;

use pinpress_probe::Seconds;
use tracing::Span;

use super::Run;
use crate::observe::{RunEvent, RunStage};

/// What is known of a stage that is under way. Dropped, it is over; it did not work unless that was said.
pub(super) struct Working<'a> {
    run: &'a Run<'a>,
    video: &'a Path,
    stage: RunStage,
    begun: Instant,
    span: Span,
    media: Option<Seconds>,
    succeeded: bool,
}

impl<'a> Working<'a> {
    /// Begins `stage` of a video, within the span that this thread is in.
    pub(super) fn begin(run: &'a Run<'a>, video: &'a Path, stage: RunStage) -> Self {
        run.observer.event(&RunEvent::Started { video, stage });
        Self { run, video, stage, begun: Instant::now(), span: stage.span(), media: None, succeeded: false }
    }

    /// What is done in the stage belongs into this one.
    pub(super) const fn span(&self) -> &Span {
        &self.span
    }

    /// It worked, for a video that plays so long.
    pub(super) fn succeeded(&mut self, media: Option<Seconds>) {
        (self.media, self.succeeded) = (media, true);
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        if !self.succeeded {
            self.span.record("otel.status_code", "ERROR");
        }
        let Self { video, stage, media, succeeded, .. } = *self;
        self.run.observer.event(&RunEvent::StageDone { video, stage, took: self.begun.elapsed(), media, succeeded });
    }
}
