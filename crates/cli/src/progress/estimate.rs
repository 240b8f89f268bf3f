//! How far all of it is, and how long it still takes. Pure: the caller tells the time, counted from any moment.
//!
//! Videos count by how long they play. Of those that nobody has looked at yet that is not known: they are taken for
//! average ones. What needed nothing at all says nothing of what the rest needs, and is left out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::step::Step;
use super::words::{about, time};
use crate::render::check_human::counted;

/// So long has to be worked before anything is foretold: the first video has its start to pay for.
const ENOUGH: Duration = Duration::from_secs(5);

/// How much of a video, in thousandths, is behind it when a stage begins, and when it ends. A guess, as nobody knows
/// beforehand what encoding costs beside uploading: it makes the estimate move between one video's end and the next.
const STAGES: [(&str, u64, u64); 4] =
    [("decode", 0, 1_000), ("fix", 0, 600), ("cover", 600, 700), ("publish", 700, 1_000)];

/// Where in its stage a proof begins, in thousandths.
const PROOF: u64 = 850;

/// Counts.
#[derive(Debug, Default)]
pub(crate) struct Estimate {
    known: usize,
    finished: usize,
    failed: usize,
    running: HashMap<PathBuf, Part>,
    /// What was worked on and is done: how many, and how long they play.
    worked: u64,
    worked_ms: u64,
    begun: Option<Duration>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Part {
    plays_ms: Option<u64>,
    thousandths: u64,
}

impl Estimate {
    /// So many videos are known by now. When all that were known before are done, it is another round.
    pub(crate) fn expect(&mut self, videos: usize) {
        if self.known > 0 && self.finished >= self.known && self.running.is_empty() {
            *self = Self::default();
        }
        self.known = videos.max(self.finished);
    }

    /// Work on a video began.
    pub(crate) fn started(&mut self, video: &Path, stage: &str, now: Duration) {
        // A check costs next to nothing, and most of the videos that need nothing have one.
        let Some((_, begin, _)) = STAGES.iter().find(|(name, ..)| *name == stage) else { return };
        self.begun.get_or_insert(now);
        let part = self.running.entry(video.to_owned()).or_default();
        part.thousandths = part.thousandths.max(*begin);
    }

    /// It came further.
    pub(crate) fn moved(&mut self, video: &Path, stage: &str, step: &Step) {
        let Some(part) = self.running.get_mut(video) else { return };
        let Some((_, begin, end)) = STAGES.iter().find(|(name, ..)| *name == stage) else { return };
        if step.unit == super::step::Unit::MediaMillis {
            part.plays_ms = part.plays_ms.max(step.total);
        }
        let Some(share) = step.per(1_000) else { return };
        let share =
            if step.word == "verifying" { PROOF + share * (1_000 - PROOF) / 1_000 } else { share * PROOF / 1_000 };
        part.thousandths = part.thousandths.max(begin + share * (end - begin) / 1_000);
    }

    /// Nothing more is done with a video.
    pub(crate) fn finished(&mut self, video: &Path, failed: bool) {
        self.finished += 1;
        self.known = self.known.max(self.finished);
        self.failed += usize::from(failed);
        if let Some(part) = self.running.remove(video)
            && !failed
        {
            self.worked_ms = self.worked_ms.saturating_add(part.plays_ms.unwrap_or_else(|| self.average_ms()));
            self.worked += 1;
        }
    }

    /// How long a video plays on average, as far as is known; what it is measured in does not matter where nothing is.
    fn average_ms(&self) -> u64 {
        let (mut count, mut sum) = (self.worked, self.worked_ms);
        for plays_ms in self.running.values().filter_map(|part| part.plays_ms) {
            (count, sum) = (count + 1, sum.saturating_add(plays_ms));
        }
        sum.checked_div(count).filter(|average| *average > 0).unwrap_or(1_000)
    }

    /// Until all that are known are done: from how long the videos play that were done so far, and how long that took.
    pub(crate) fn left(&self, now: Duration) -> Option<Duration> {
        let spent = now.saturating_sub(self.begun?);
        if spent < ENOUGH {
            return None;
        }
        let average = u128::from(self.average_ms());
        let (mut done, mut open) = (u128::from(self.worked_ms) * 1_000, 0);
        for part in self.running.values() {
            let plays_ms = part.plays_ms.map_or(average, u128::from);
            done += plays_ms * u128::from(part.thousandths);
            open += plays_ms * u128::from(1_000 - part.thousandths.min(1_000));
        }
        let waiting = self.known.saturating_sub(self.finished + self.running.len());
        open += average * 1_000 * u128::try_from(waiting).unwrap_or(0);
        let millis = (spent.as_millis() * open).checked_div(done)?;
        u64::try_from(millis).ok().map(Duration::from_millis)
    }

    /// `12 of 40 videos, 1 failed, about 12 min left`.
    pub(crate) fn text(&self, now: Duration) -> String {
        let mut text = format!("{} of {}", self.finished, counted(self.known, "video"));
        if self.failed > 0 {
            text.push_str(&format!(", {} failed", self.failed));
        }
        if self.finished < self.known {
            if let Some(left) = self.left(now) {
                text.push_str(&format!(", {} left", about(left)));
            }
        } else {
            text.push_str(&format!(", after {}", time(now)));
        }
        text
    }

    /// A bar of so many cells.
    pub(crate) fn bar(&self, cells: usize) -> String {
        let full = (self.finished * cells).checked_div(self.known).unwrap_or(0).min(cells);
        format!("{}{}", "━".repeat(full), "╌".repeat(cells - full))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::step::Unit;
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn encoding(done: u64, total: u64) -> Step {
        let left = None;
        Step { word: "encoding", unit: Unit::MediaMillis, done, total: Some(total), rate: None, left }
    }

    /// One after the other: each plays so long, and is done at twice that speed.
    fn after(done: &[u64], known: usize) -> (Estimate, Duration) {
        let (mut estimate, mut now) = (Estimate::default(), Duration::ZERO);
        estimate.expect(known);
        for (number, seconds) in done.iter().enumerate() {
            let video = PathBuf::from(format!("{number}.mp4"));
            estimate.started(&video, "fix", now);
            estimate.moved(&video, "fix", &encoding(1, seconds * 1_000));
            now += at(*seconds) / 2;
            estimate.finished(&video, false);
        }
        (estimate, now)
    }

    #[test]
    fn equal_videos_take_what_those_before_took() {
        let (estimate, now) = after(&[10, 10, 10], 10);
        assert_eq!(estimate.left(now), Some(at(35)));
        assert_eq!(estimate.text(now), "3 of 10 videos, about 40 s left");
        assert_eq!(estimate.bar(10), "━━━╌╌╌╌╌╌╌");
    }

    #[test]
    fn a_long_video_that_is_known_to_be_long_counts_as_such() {
        let (mut estimate, now) = after(&[10, 10], 3);
        estimate.started(Path::new("long.mp4"), "fix", now);
        assert_eq!(estimate.left(now), Some(at(5)), "nobody knows yet");
        estimate.moved(Path::new("long.mp4"), "fix", &encoding(0, 600_000));
        assert_eq!(estimate.left(now), Some(at(300)));
        estimate.moved(Path::new("long.mp4"), "fix", &encoding(300_000, 600_000));
        assert!(estimate.left(now).unwrap() < at(300));
    }

    #[test]
    fn nothing_is_foretold_of_nothing() {
        let mut estimate = Estimate::default();
        estimate.expect(3);
        assert_eq!((estimate.left(at(60)), estimate.text(at(60)).as_str()), (None, "0 of 3 videos"));
        // All was done before, or failed at once: that says nothing of the rest.
        estimate.finished(Path::new("a"), false);
        estimate.started(Path::new("b"), "check", at(60));
        estimate.finished(Path::new("b"), true);
        assert_eq!((estimate.left(at(90)), estimate.text(at(90)).as_str()), (None, "2 of 3 videos, 1 failed"));
        estimate.started(Path::new("c"), "fix", at(90));
        assert_eq!(estimate.left(at(91)), None, "too early");
        assert_eq!(estimate.left(at(100)), None, "nothing moved");
    }

    #[test]
    fn videos_may_become_known_on_the_way_and_come_in_rounds() {
        let (mut estimate, now) = after(&[10, 10], 4);
        let before = estimate.left(now).unwrap();
        estimate.expect(8);
        assert_eq!(estimate.left(now).unwrap(), before * 3);
        let (mut watched, now) = after(&[10, 10], 2);
        assert_eq!(watched.text(now), "2 of 2 videos, after 10 s");
        watched.expect(1);
        assert_eq!(watched.text(now), "0 of 1 video");
    }

    proptest! {
        #[test]
        fn it_neither_breaks_nor_promises_the_past(
            steps in proptest::collection::vec((0..4_u8, 0..6_u8, 0..u64::MAX, 0..u64::MAX, 0..100_000_u64), 0..60),
        ) {
            let (mut estimate, mut now) = (Estimate::default(), Duration::ZERO);
            for (what, video, done, total, wait) in steps {
                now += Duration::from_millis(wait);
                let video = PathBuf::from(video.to_string());
                match what {
                    0 => estimate.expect(usize::try_from(done % 10_000).unwrap()),
                    1 => estimate.started(&video, ["check", "fix", "cover", "publish"][usize::from(done.to_le_bytes()[0] % 4)], now),
                    2 => estimate.moved(&video, "fix", &encoding(done, total)),
                    _ => estimate.finished(&video, done % 2 == 0),
                }
                let _ = (estimate.left(now), estimate.bar(20));
                prop_assert!(estimate.finished <= estimate.known);
            }
        }

        #[test]
        fn more_videos_never_take_less_time(done in proptest::collection::vec(4..900_u64, 2..10), more in 0..50_usize) {
            let (fewer, now) = after(&done, done.len() + more);
            let (greater, _) = after(&done, done.len() + more + 1);
            prop_assert!(greater.left(now) > fewer.left(now) || now < ENOUGH);
        }
    }
}
