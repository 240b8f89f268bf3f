//! What the events of a run come to.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pinpress_pipeline::naming::absolute;
use pinpress_pipeline::{End, RunEvent, RunStage, VideoOutcome};
use pinpress_probe::{Report, RuleId};

/// All stages, in their order.
pub(crate) const STAGES: [RunStage; 4] = [RunStage::Check, RunStage::Fix, RunStage::Cover, RunStage::Publish];

/// Where a video is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Working(RunStage),
    /// The word for its end.
    Ended(&'static str),
}

/// The words for where a video is before it has ended, and for the good end that has a Pin; the others are
/// [`End::NAMES`].
const STATES: [&str; 6] = ["waiting", "checking", "fixing", "covering", "publishing", "published"];

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Working(RunStage::Check) => "checking",
            Self::Working(RunStage::Fix) => "fixing",
            Self::Working(RunStage::Cover) => "covering",
            Self::Working(RunStage::Publish) => "publishing",
            Self::Ended(end) => end,
        }
    }
}

#[derive(Debug)]
struct Video {
    state: State,
    /// How it ended the last time.
    ended: Option<&'static str>,
    /// When it was found, or found changed.
    since: Instant,
    /// Bytes of the present try of its upload.
    sent: u64,
}

/// What a stage has done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StageTally {
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) media: Duration,
    pub(crate) work: Duration,
}

/// What is known so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// By what its path comes to: a run of a million videos keeps no million paths here.
    videos: HashMap<u64, Video>,
    hasher: RandomState,
    stages: [StageTally; STAGES.len()],
    rules: BTreeMap<RuleId, u64>,
    uploaded: u64,
    pins_waiting: usize,
    next_pin: Option<Timestamp>,
}

impl Tally {
    /// Takes an event in.
    pub(crate) fn event(&mut self, event: &RunEvent<'_>) {
        match event {
            RunEvent::Found { video } => drop(self.video(video)),
            RunEvent::Started { video, stage } => {
                let video = self.video(video);
                if matches!(video.state, State::Ended(_)) {
                    video.since = Instant::now();
                }
                video.state = State::Working(*stage);
                video.sent = 0;
            }
            RunEvent::StageDone { video, stage, took, media, succeeded } => {
                self.video(video).state = State::Waiting;
                let tally = &mut self.stages[place(*stage)];
                tally.work += *took;
                tally.media += media
                    .and_then(|media| u64::try_from(media.micros()).ok())
                    .map_or(Duration::ZERO, Duration::from_micros);
                *(if *succeeded { &mut tally.done } else { &mut tally.failed }) += 1;
            }
            RunEvent::Upload { video, sent, .. } => {
                let video = self.video(video);
                // A new try begins at nothing.
                let more = if *sent >= video.sent { *sent - video.sent } else { *sent };
                video.sent = *sent;
                self.uploaded += more;
            }
            RunEvent::Finished { outcome, .. } => self.finished(outcome),
            RunEvent::Idle { pins, until } => self.round_is_over(*pins, Some(*until)),
            RunEvent::Watching { pins, until } => self.round_is_over(*pins, *until),
            RunEvent::Begun { .. }
            | RunEvent::Discovered { .. }
            | RunEvent::Swept { .. }
            | RunEvent::Media { .. }
            | RunEvent::Waiting { .. }
            | RunEvent::Warning { .. } => {}
        }
    }

    fn video(&mut self, path: &Path) -> &mut Video {
        // With --watch a video comes again under the name that the ledger has for it.
        let key = self.hasher.hash_one(absolute(path));
        self.videos.entry(key).or_insert_with(|| Video {
            state: State::Waiting,
            ended: None,
            since: Instant::now(),
            sent: 0,
        })
    }

    fn finished(&mut self, outcome: &VideoOutcome) {
        let end = match outcome.end {
            End::Done | End::UpToDate if outcome.pin.is_some() => "published",
            ref end => end.name(),
        };
        let video = self.video(&outcome.source);
        (video.state, video.ended) = (State::Ended(end), Some(end));
        let errors = outcome.report.iter().flat_map(Report::errors);
        let mut failed: Vec<RuleId> = errors.map(|finding| finding.rule).collect();
        // A rule may fail for several streams.
        failed.sort_unstable();
        failed.dedup();
        for rule in failed {
            *self.rules.entry(rule).or_default() += 1;
        }
    }

    /// All is done that can be. A run that watches does not tell again of a video that was worked on once more and ended
    /// as before.
    fn round_is_over(&mut self, pins: usize, due: Option<Timestamp>) {
        (self.pins_waiting, self.next_pin) = (pins, due.filter(|_| pins > 0));
        for video in self.videos.values_mut() {
            if let (State::Waiting, Some(ended)) = (video.state, video.ended) {
                video.state = State::Ended(ended);
            }
        }
    }

    /// How many videos are where.
    pub(crate) fn states(&self) -> BTreeMap<&'static str, u64> {
        let mut counts: BTreeMap<_, _> = STATES.into_iter().chain(End::NAMES).map(|state| (state, 0)).collect();
        for video in self.videos.values() {
            *counts.entry(video.state.name()).or_default() += 1;
        }
        counts
    }

    /// How long the oldest video has been known that waits.
    pub(crate) fn queue_age(&self) -> Duration {
        let waiting = self.videos.values().filter(|video| video.state == State::Waiting);
        waiting.map(|video| video.since.elapsed()).max().unwrap_or_default()
    }

    /// What the stages have done, in their order.
    pub(crate) fn stages(&self) -> impl Iterator<Item = (RunStage, StageTally)> {
        STAGES.into_iter().zip(self.stages)
    }

    /// Videos by the rule that they fail.
    pub(crate) fn rule_failures(&self) -> impl Iterator<Item = (RuleId, u64)> {
        RuleId::ALL.into_iter().map(|rule| (rule, self.rules.get(&rule).copied().unwrap_or_default()))
    }

    pub(crate) const fn uploaded(&self) -> u64 {
        self.uploaded
    }

    /// Pins that wait, and when the first is due.
    pub(crate) const fn pins(&self) -> (usize, Option<Timestamp>) {
        (self.pins_waiting, self.next_pin)
    }
}

const fn place(stage: RunStage) -> usize {
    match stage {
        RunStage::Check => 0,
        RunStage::Fix => 1,
        RunStage::Cover => 2,
        RunStage::Publish => 3,
    }
}

#[cfg(test)]
mod tests {
    use pinpress_pipeline::{PinOutcome, ResultFiles};
    use pinpress_probe::Seconds;

    use super::*;

    fn finished(tally: &mut Tally, name: &str, end: End, pinned: bool) {
        let pin = pinned.then(|| PinOutcome { id: "1".to_owned(), url: "u".to_owned() });
        let outcome = VideoOutcome {
            source: name.into(),
            output: None,
            info: None,
            report: None,
            plan: None,
            cover: None,
            pin,
            end,
        };
        tally.event(&RunEvent::Finished { outcome: &outcome, here: ResultFiles::default() });
    }

    fn done(stage: RunStage, succeeded: bool) -> RunEvent<'static> {
        let media = succeeded.then(|| Seconds::from_millis(2_500));
        RunEvent::StageDone { video: Path::new("a"), stage, took: Duration::from_secs(1), media, succeeded }
    }

    #[test]
    fn a_video_is_in_one_place_at_a_time() {
        let mut tally = Tally::default();
        let video = Path::new("a");
        let at = |tally: &Tally| {
            let states = tally.states();
            assert_eq!(states.values().sum::<u64>(), 1, "{states:?}");
            states.into_iter().find(|(_, count)| *count == 1).unwrap().0
        };
        tally.event(&RunEvent::Found { video });
        assert_eq!(at(&tally), "waiting");
        assert!(tally.queue_age() > Duration::ZERO);
        for (stage, name) in STAGES.into_iter().zip(["checking", "fixing", "covering", "publishing"]) {
            tally.event(&RunEvent::Started { video, stage });
            assert_eq!((at(&tally), tally.queue_age()), (name, Duration::ZERO), "what is worked on does not wait");
            tally.event(&done(stage, true));
            assert_eq!(at(&tally), "waiting");
        }
        finished(&mut tally, "a", End::Done, true);
        assert_eq!((at(&tally), tally.queue_age()), ("published", Duration::ZERO));
        // The next round of --watch finds it, and has nothing to do.
        tally.event(&RunEvent::Found { video });
        assert_eq!(at(&tally), "published");
        // It was written anew, and ends as before: that is not told a second time.
        tally.event(&RunEvent::Started { video, stage: RunStage::Check });
        tally.event(&done(RunStage::Check, true));
        assert_eq!(at(&tally), "waiting");
        tally.event(&RunEvent::Watching { pins: 0, until: None });
        assert_eq!((at(&tally), tally.queue_age()), ("published", Duration::ZERO));
        finished(&mut tally, "a", End::SetAside { reason: String::new() }, false);
        assert_eq!(at(&tally), "set-aside");
    }

    #[test]
    fn every_end_is_a_state() {
        let (reason, of, at) = (String::new(), "b".into(), Timestamp::UNIX_EPOCH);
        let ends = [
            End::Done,
            End::UpToDate,
            End::Scheduled { at },
            End::Unlisted,
            End::Duplicate { of },
            End::Unfit,
            End::Later { reason: reason.clone() },
            End::Unknown { reason: reason.clone() },
            End::Failed { stage: RunStage::Fix, reason: reason.clone() },
            End::SetAside { reason },
            End::Interrupted,
        ];
        for end in ends {
            assert!(Tally::default().states().contains_key(end.name()), "{end:?}");
        }
    }

    #[test]
    fn only_what_worked_counts_as_video() {
        let mut tally = Tally::default();
        for succeeded in [true, false, true] {
            tally.event(&done(RunStage::Fix, succeeded));
        }
        let (stage, fix) = tally.stages().nth(1).unwrap();
        assert_eq!(stage, RunStage::Fix);
        assert_eq!((fix.done, fix.failed, fix.media, fix.work), (2, 1, Duration::from_secs(5), Duration::from_secs(3)));
    }

    #[test]
    fn bytes_of_every_try_of_an_upload_count() {
        let mut tally = Tally::default();
        let mut upload = |sent| {
            tally.event(&RunEvent::Upload { video: Path::new("a"), sent, total: 100 });
            tally.uploaded()
        };
        // The connection breaks at 60, and the next try sends all.
        assert_eq!([0, 40, 60, 0, 50, 100].map(&mut upload), [0, 40, 60, 60, 110, 160]);
    }
}
