//! What a run tells while it goes on. Libraries report; who listens decides what becomes of it.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use pinpress_media::Progress;
use pinpress_probe::Seconds;
use tracing::Span;
use tracing::field::Empty;

use crate::ledger::Reach;
use crate::outcome::VideoOutcome;

/// A step of the flow, as people know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunStage {
    /// Reading and judging.
    Check,
    /// Planning, carrying out, verifying.
    Fix,
    /// Picking the cover.
    Cover,
    /// Uploading and creating the Pin.
    Publish,
}

impl RunStage {
    /// The word for it: `check`, `fix`, `cover`, `publish`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Fix => "fix",
            Self::Cover => "cover",
            Self::Publish => "publish",
        }
    }

    /// The span of this stage, within that of its video. A span's name is a literal, so there are four.
    pub(crate) fn span(self) -> Span {
        macro_rules! span {
            ($name:literal) => {
                tracing::info_span!(target: "pinpress", $name, otel.status_code = Empty)
            };
        }
        match self {
            Self::Check => span!("check"),
            Self::Fix => span!("fix"),
            Self::Cover => span!("cover"),
            Self::Publish => span!("publish"),
        }
    }
}

impl std::fmt::Display for RunStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Where this machine has the results that an outcome names, as long as one hears of it: those that are kept in storage are
/// removed here then.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResultFiles<'a> {
    /// The output.
    pub output: Option<&'a Path>,
    /// The picture of the cover.
    pub cover: Option<&'a Path>,
}

/// Something that happened in a run.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// The ledger is open and work begins.
    Begun {
        /// Whether the ledger is within reach, from now on.
        ledger: Reach,
    },
    /// A video was found.
    Found {
        /// The source.
        video: &'a Path,
    },
    /// So many videos were found; told again while the walk goes on, and at its end.
    Discovered {
        /// Videos, so far.
        videos: usize,
        /// Other files, so far.
        skipped: usize,
        /// No more will be found.
        complete: bool,
    },
    /// Temp files of a killed run were removed.
    Swept {
        /// How many.
        files: usize,
    },
    /// A stage began to work on a video. What needs nothing is not started.
    Started {
        /// The source.
        video: &'a Path,
        /// The stage.
        stage: RunStage,
    },
    /// A stage that was started has done what it can with a video in this run.
    StageDone {
        /// The source.
        video: &'a Path,
        /// The stage.
        stage: RunStage,
        /// How long it took.
        took: Duration,
        /// How long the video plays that it was done for; `None` when that is not known, and when it did not work.
        media: Option<Seconds>,
        /// Whether it worked.
        succeeded: bool,
    },
    /// The worker came further.
    Media {
        /// The source.
        video: &'a Path,
        /// How far.
        progress: Progress,
    },
    /// Bytes were sent.
    Upload {
        /// The source.
        video: &'a Path,
        /// Bytes sent.
        sent: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The publisher waits: Pinterest works, or a call failed and is made again.
    Waiting {
        /// The source.
        video: &'a Path,
        /// Why.
        reason: String,
        /// How long.
        delay: Duration,
    },
    /// Nothing is to be done until then: Pins wait for their time.
    Idle {
        /// How many.
        pins: usize,
        /// When the first of them is due.
        until: Timestamp,
    },
    /// All that is there is done; it waits for what may come, and for the time of Pins.
    Watching {
        /// Pins that wait.
        pins: usize,
        /// When the first of them is due.
        until: Option<Timestamp>,
    },
    /// Something a person should know that stops nothing.
    Warning {
        /// The source, when it is about one.
        video: Option<&'a Path>,
        /// The text.
        message: String,
    },
    /// Nothing more will be done with a video in this run. Each video has this once.
    Finished {
        /// How it ended.
        outcome: &'a VideoOutcome,
        /// Its results on this machine.
        here: ResultFiles<'a>,
    },
}

/// How the targets of our spans begin.
const OURS: &str = "pinpress";

/// The span in which a log has what is done with `video`: the one that this thread is in, when it is in one, or in one
/// within it.
#[must_use]
pub fn video_span(video: &Path) -> Span {
    let current = Span::current();
    if current.metadata().is_some_and(|span| span.target().starts_with(OURS)) {
        return current;
    }
    new_video_span(video)
}

/// A span that holds all that is done with `video` in a run.
pub(crate) fn new_video_span(video: &Path) -> Span {
    // A text, which a log shows escaped: a name must not break a line of it.
    let path = &*video.to_string_lossy();
    tracing::info_span!(target: "pinpress", parent: None, "video", path, end = Empty, otel.status_code = Empty)
}

/// Hears how a run goes. Called from many threads.
pub trait RunObserver: Sync {
    /// Something happened.
    fn event(&self, event: &RunEvent<'_>);
}

impl RunObserver for () {
    fn event(&self, _: &RunEvent<'_>) {}
}
