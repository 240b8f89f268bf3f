//! A video that is being worked on: what is done to it, how far that is, how fast it goes. Pure: the caller tells the
//! time, counted from any moment.

use std::time::Duration;

use pinpress_media::Stage;
use pinpress_publish::Pace;

use super::words::{bytes, speed, time};

/// What the figures of a step count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Milliseconds of video.
    MediaMillis,
    /// Bytes.
    Bytes,
}

/// How far a step has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// What is being done: `encoding`.
    pub(crate) word: &'static str,
    /// What the figures count.
    pub(crate) unit: Unit,
    /// How much is done.
    pub(crate) done: u64,
    /// How much there is to do, where that is known.
    pub(crate) total: Option<u64>,
    /// How much is done in a second, lately.
    pub(crate) rate: Option<u64>,
    /// Until this step is done, at that rate.
    pub(crate) left: Option<Duration>,
}

impl Step {
    /// How much of it is done, of a hundred.
    pub(crate) fn percent(&self) -> Option<u64> {
        self.per(100)
    }

    /// How much of it is done, of so many.
    pub(super) fn per(&self, whole: u64) -> Option<u64> {
        let total = u128::from(self.total?);
        let share = (u128::from(self.done) * u128::from(whole)).checked_div(total).unwrap_or(u128::from(whole));
        u64::try_from(share).ok().map(|share| share.min(whole))
    }

    /// `42 %  encoding, 3.2×, 1 min 5 s left`, `42 %  uploading 4.2 MB of 10.0 MB, 2.1 MB/s, 2 s left`.
    pub(super) fn text(&self) -> String {
        let share = self.percent().map_or_else(String::new, |percent| format!("{percent} %  "));
        share + &self.figures()
    }

    /// The same without the share.
    pub(super) fn figures(&self) -> String {
        let amount = match (self.unit, self.total) {
            (Unit::Bytes, Some(total)) => format!(" {} of {}", bytes(self.done), bytes(total)),
            _ => String::new(),
        };
        let rate = self.rate.and_then(|rate| match self.unit {
            Unit::MediaMillis => speed(rate),
            Unit::Bytes => Some(format!("{}/s", bytes(rate))),
        });
        let rate = rate.map_or_else(String::new, |rate| format!(", {rate}"));
        let left = self.left.filter(|left| self.total.is_some_and(|total| self.done < total) && left.as_secs() > 0);
        let left = left.map_or_else(String::new, |left| format!(", {} left", time(left)));
        format!("{}{amount}{rate}{left}", self.word)
    }
}

/// One video on its way.
#[derive(Debug)]
pub(crate) struct Running {
    /// The stage that it is in: `fix`.
    pub(crate) stage: &'static str,
    word: &'static str,
    pace: Pace,
    told: Duration,
    told_word: &'static str,
}

impl Running {
    /// It entered `stage`.
    pub(crate) fn enter(stage: &'static str, now: Duration) -> Self {
        Self { stage, word: "", pace: Pace::default(), told: now, told_word: "" }
    }

    /// It came further, in what a worker does.
    pub(crate) fn worked(&mut self, now: Duration, progress: pinpress_media::Progress) -> Step {
        self.moved(now, word(progress.stage), Unit::MediaMillis, progress.done_ms, progress.total_ms)
    }

    /// Bytes of it were sent.
    pub(crate) fn uploaded(&mut self, now: Duration, sent: u64, total: u64) -> Step {
        self.moved(now, "uploading", Unit::Bytes, sent, Some(total))
    }

    fn moved(&mut self, now: Duration, word: &'static str, unit: Unit, done: u64, total: Option<u64>) -> Step {
        if self.word != word {
            (self.word, self.pace) = (word, Pace::default());
        }
        self.pace.moved(now, done);
        let left = total.and_then(|total| self.pace.time_left(now, total));
        Step { word, unit, done, total, rate: self.pace.bytes_per_second(now), left }
    }

    /// Whether something should be told of it again that is told once in so long a time; then it is taken as told.
    pub(crate) fn is_due(&mut self, now: Duration, apart: Duration) -> bool {
        let due = now.saturating_sub(self.told) >= apart;
        if due {
            self.told = now;
        }
        due
    }

    /// The same, and whenever another step began.
    pub(crate) fn is_news(&mut self, now: Duration, apart: Duration) -> bool {
        if self.told_word == self.word {
            return self.is_due(now, apart);
        }
        (self.told_word, self.told) = (self.word, now);
        true
    }
}

/// The word for what a worker does.
const fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Probing => "reading",
        Stage::Decoding => "decoding",
        Stage::Copying => "copying",
        Stage::Encoding => "encoding",
        Stage::Verifying => "verifying",
        Stage::Covering => "looking",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn encoded(done_ms: u64) -> pinpress_media::Progress {
        pinpress_media::Progress { stage: Stage::Encoding, done_ms, total_ms: Some(60_000) }
    }

    #[test]
    fn an_encode_tells_share_speed_and_time_left() {
        let mut running = Running::enter("fix", at(0));
        assert_eq!(running.worked(at(0), encoded(0)).text(), "0 %  encoding");
        assert_eq!(running.worked(at(5), encoded(12_500)).text(), "20 %  encoding, 2.5×, 19 s left");
        assert_eq!(running.worked(at(24), encoded(60_000)).text(), "100 %  encoding, 2.5×");
        // The proof of it has a pace of its own.
        let verified = pinpress_media::Progress { stage: Stage::Verifying, done_ms: 6_000, total_ms: Some(60_000) };
        assert_eq!(running.worked(at(25), verified).text(), "10 %  verifying");
        let unknown = pinpress_media::Progress { stage: Stage::Probing, done_ms: 6_000, total_ms: None };
        assert_eq!(running.worked(at(25), unknown).text(), "reading");
    }

    #[test]
    fn an_upload_tells_bytes_rate_and_time_left() {
        let mut running = Running::enter("publish", at(0));
        assert_eq!(running.uploaded(at(0), 0, 10_000_000).text(), "0 %  uploading 0 B of 10.0 MB");
        let half = running.uploaded(at(2), 4_200_000, 10_000_000).text();
        assert_eq!(half, "42 %  uploading 4.2 MB of 10.0 MB, 2.1 MB/s, 2 s left");
        let done = running.uploaded(at(4), 10_000_000, 10_000_000).text();
        assert!(done.starts_with("100 %  uploading 10.0 MB of 10.0 MB") && !done.contains("left"), "{done}");
        let empty = Running::enter("publish", at(0)).uploaded(at(0), 0, 0);
        assert_eq!(empty.percent(), Some(100), "an empty file divides nothing");
    }

    #[test]
    fn a_log_has_a_line_twice_a_minute() {
        let mut running = Running::enter("publish", at(0));
        let due = (0..120).filter(|second| running.is_due(at(*second), at(30))).count();
        assert_eq!(due, 3);
    }

    #[test]
    fn every_step_is_news() {
        let mut running = Running::enter("fix", at(0));
        let told = (0..100).filter(|tenth| {
            let now = Duration::from_millis(tenth * 100);
            let stage = if *tenth < 60 { Stage::Encoding } else { Stage::Verifying };
            running.worked(now, pinpress_media::Progress { stage, done_ms: *tenth, total_ms: None });
            running.is_news(now, at(1))
        });
        // Each second, counted from when a step began.
        assert_eq!(told.collect::<Vec<_>>(), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    }
}
