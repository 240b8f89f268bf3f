//! How each video of a run ended.

use std::path::PathBuf;

use jiff::Timestamp;
use pinpress_media::Plan;
use pinpress_probe::{MediaInfo, Report, Seconds};

use crate::discover::Unreadable;
use crate::naming::absolute;
use crate::observe::RunStage;

/// A video at the end of a run.
#[derive(Debug, Clone)]
pub struct VideoOutcome {
    /// The source, as the user would name it.
    pub source: PathBuf,
    /// The output, once there is one.
    pub output: Option<PathBuf>,
    /// The facts of the source; `None` when it was not read in this run.
    pub info: Option<Box<MediaInfo>>,
    /// What the rule set says of the source; `None` when it was not read in this run.
    pub report: Option<Report>,
    /// What was done to it, now or in an earlier run.
    pub plan: Option<Plan>,
    /// The cover beside the output.
    pub cover: Option<CoverOutcome>,
    /// The Pin.
    pub pin: Option<PinOutcome>,
    /// How it ended.
    pub end: End,
}

/// The cover of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverOutcome {
    /// The picture.
    pub file: PathBuf,
    /// When its frame is shown in the output; `None` for a picture that somebody put there.
    pub time: Option<Seconds>,
}

/// A Pin that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinOutcome {
    /// Its id.
    pub id: String,
    /// Where people see it.
    pub url: String,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Something was done, and all is done.
    Done,
    /// Everything had been done before.
    UpToDate,
    /// All is done but the Pin, whose time has not come.
    Scheduled {
        /// Its time.
        at: Timestamp,
    },
    /// Fixed and covered; the manifest has no row for it and no board was given, so it is not published.
    Unlisted,
    /// The same content as another video, which stands for both.
    Duplicate {
        /// The other.
        of: PathBuf,
    },
    /// It does not fit, and the run was to publish it as it is.
    Unfit,
    /// It may work the next time: Pinterest still processes it, or a limit is reached.
    Later {
        /// Why.
        reason: String,
    },
    /// The Pin was sent and nobody knows whether it arrived; it is not sent again.
    Unknown {
        /// Why, and what to do.
        reason: String,
    },
    /// It did not work.
    Failed {
        /// Where.
        stage: RunStage,
        /// Why, and what to do.
        reason: String,
    },
    /// It did not work too often; it is not tried again.
    SetAside {
        /// Why the last time.
        reason: String,
    },
    /// The run was stopped before this video was done.
    Interrupted,
}

impl End {
    /// Every [name](Self::name), in the order in which they are counted.
    pub const NAMES: [&str; 11] = [
        "done",
        "up-to-date",
        "duplicate",
        "scheduled",
        "unlisted",
        "later",
        "unknown",
        "unfit",
        "failed",
        "set-aside",
        "interrupted",
    ];

    /// The word for it, as programs know it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::UpToDate => "up-to-date",
            Self::Duplicate { .. } => "duplicate",
            Self::Scheduled { .. } => "scheduled",
            Self::Unlisted => "unlisted",
            Self::Later { .. } => "later",
            Self::Unknown { .. } => "unknown",
            Self::Unfit => "unfit",
            Self::Failed { .. } => "failed",
            Self::SetAside { .. } => "set-aside",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether the video is where it was meant to be.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Done | Self::UpToDate | Self::Scheduled { .. } | Self::Unlisted | Self::Duplicate { .. })
    }
}

/// A run at its end.
#[derive(Debug, Default)]
pub struct RunSummary {
    /// All videos, in the order in which they were found.
    pub videos: Vec<VideoOutcome>,
    /// Files that are no videos.
    pub skipped: usize,
    /// Places that could not be looked into.
    pub unreadable: Vec<Unreadable>,
    /// Somebody asked to stop.
    pub interrupted: bool,
    /// Why nothing could be published: the token is not accepted.
    pub refused: Option<String>,
    /// Until when Pinterest asks to be left alone: a rate limit is used up.
    pub hold: Option<Timestamp>,
}

impl RunSummary {
    /// Takes over how a later round ended for the videos that it was about.
    pub(crate) fn go_on(&mut self, round: Self) {
        // The ledger has the real path, the user may have named another.
        let places: Vec<PathBuf> = self.videos.iter().map(|video| absolute(&video.source)).collect();
        for outcome in round.videos {
            let place = absolute(&outcome.source);
            let known = self.videos.iter_mut().zip(&places).find(|(known, at)| **at == place && known.pin.is_none());
            match known {
                Some((known, _)) => {
                    let (source, info, report) = (known.source.clone(), known.info.take(), known.report.take());
                    *known = VideoOutcome { source, info, report, ..outcome };
                }
                None => self.videos.push(outcome),
            }
        }
        self.interrupted |= round.interrupted;
        self.refused = round.refused;
        self.hold = round.hold;
    }

    /// Whether nothing had to be done.
    #[must_use]
    pub fn nothing_done(&self) -> bool {
        !self.interrupted && self.videos.iter().all(|video| matches!(video.end, End::UpToDate | End::Duplicate { .. }))
    }

    /// Whether every video is where it was meant to be, and every place was looked into.
    #[must_use]
    pub fn all_good(&self) -> bool {
        !self.interrupted && self.unreadable.is_empty() && self.videos.iter().all(|video| video.end.is_good())
    }
}
