//! What a job says: event lines to the parent.

use std::io::{PipeWriter, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pinpress_media::{Event, Outcome, Progress, Stage};

/// Progress lines of one stage are at least this far apart: enough for a display, and nothing beside an encode.
const PACE: Duration = Duration::from_millis(100);

/// Writes events; many threads may report at once.
#[derive(Debug)]
pub(crate) struct Events {
    out: Mutex<Out>,
}

#[derive(Debug)]
struct Out {
    pipe: PipeWriter,
    last: Option<(Progress, Instant)>,
}

impl Events {
    /// Events that go into `pipe`.
    #[must_use]
    pub(crate) fn new(pipe: PipeWriter) -> Self {
        Self { out: Mutex::new(Out { pipe, last: None }) }
    }

    /// Work went on. Reports that follow fast on one another are left out.
    pub(crate) fn progress(&self, progress: Progress) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let due = out.last.is_none_or(|(last, at)| last.stage != progress.stage || at.elapsed() >= PACE);
        if due {
            out.last = Some((progress, Instant::now()));
            out.write(&Event::Progress(progress));
        }
    }

    /// Work goes on, with nothing to show for it yet: says again how far it was, so that nobody takes it for stuck.
    pub(crate) fn alive(&self) {
        let before = Progress { stage: Stage::Probing, done_ms: 0, total_ms: None };
        let last = self.out.lock().unwrap_or_else(PoisonError::into_inner).last;
        self.progress(last.map_or(before, |(progress, _)| progress));
    }

    /// libav said something.
    pub(crate) fn log(&self, line: &str) {
        self.write(&Event::Log { line: line.to_owned() });
    }

    /// The last word.
    pub(crate) fn done(&self, outcome: Outcome) {
        self.write(&Event::Done { outcome });
    }

    fn write(&self, event: &Event) {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).write(event);
    }
}

impl Out {
    fn write(&mut self, event: &Event) {
        // One write for the whole line. It fails when the parent is gone, which ends this process anyway; an event
        // that cannot be put into JSON does not exist (the parent would report a job without an end).
        if let Ok(mut line) = serde_json::to_vec(event) {
            line.push(b'\n');
            let _ = self.pipe.write_all(&line);
        }
    }
}
