//! How fast an upload goes, and how long it still takes.

use std::collections::VecDeque;
use std::time::Duration;

/// The stretch that the rate is taken over: long enough to be calm, short enough to show that something changed.
const OVER: Duration = Duration::from_secs(10);
/// Steps closer than this are one.
const STEP: Duration = Duration::from_millis(200);

/// The rate of an upload and the time that is left, from what [`crate::Observer::upload`] hears. Pure: the caller tells
/// the time, counted from any moment.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    /// Time and bytes, oldest first. The first is where the stretch begins.
    steps: VecDeque<(Duration, u64)>,
}

impl Pace {
    /// So many bytes were sent by now. Fewer than before begin anew: the upload is sent again.
    pub fn moved(&mut self, now: Duration, sent: u64) {
        if self.steps.back().is_some_and(|(_, before)| *before > sent) {
            self.steps.clear();
        }
        let count = self.steps.len();
        if count >= 2 && now.saturating_sub(self.steps[count - 2].0) < STEP {
            self.steps.pop_back();
        }
        self.steps.push_back((now, sent));
        while self.steps.len() > 2 && now.saturating_sub(self.steps[1].0) >= OVER {
            self.steps.pop_front();
        }
    }

    /// Bytes a second over the last ten seconds or so; `None` before there is anything to go by, and when nothing
    /// moved.
    #[must_use]
    pub fn bytes_per_second(&self, now: Duration) -> Option<u64> {
        let ((since, from), (_, to)) = (self.steps.front()?, self.steps.back()?);
        let millis = now.saturating_sub(*since).as_millis();
        let rate = u128::from(to - from) * 1_000 / Some(millis).filter(|millis| *millis > 0)?;
        u64::try_from(rate).ok().filter(|rate| *rate > 0)
    }

    /// Until all `total` bytes are sent at this rate.
    #[must_use]
    pub fn time_left(&self, now: Duration, total: u64) -> Option<Duration> {
        let (_, sent) = self.steps.back()?;
        let rate = self.bytes_per_second(now)?;
        let millis = u128::from(total.saturating_sub(*sent)) * 1_000 / u128::from(rate);
        Some(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_steady_upload_has_a_rate_and_an_end() {
        let mut pace = Pace::default();
        assert_eq!((pace.bytes_per_second(ms(0)), pace.time_left(ms(0), 9)), (None, None));
        for second in 0..=30 {
            pace.moved(ms(second * 1_000), second * 5_000);
        }
        assert_eq!(pace.bytes_per_second(ms(30_000)), Some(5_000));
        assert_eq!(pace.time_left(ms(30_000), 200_000), Some(ms(10_000)));
        assert_eq!(pace.time_left(ms(30_000), 150_000), Some(ms(0)));
        assert!(pace.steps.len() < 60, "it does not grow");
    }

    #[test]
    fn a_change_shows_after_a_while_and_a_stall_at_once() {
        let mut pace = Pace::default();
        for tenth in 0..600 {
            pace.moved(ms(tenth * 100), tenth * 1_000);
        }
        assert_eq!(pace.bytes_per_second(ms(59_900)), Some(10_000));
        let before = pace.time_left(ms(59_900), 1_000_000).unwrap();
        assert!(pace.time_left(ms(69_900), 1_000_000).unwrap() > before * 3 / 2, "nothing moved for ten seconds");
        for tenth in 600..800 {
            pace.moved(ms(tenth * 100), 599_000 + (tenth - 599) * 100);
        }
        let rate = pace.bytes_per_second(ms(79_900)).unwrap();
        assert!((1_000..1_100).contains(&rate), "{rate}");
    }

    #[test]
    fn an_upload_that_is_sent_again_begins_anew() {
        let mut pace = Pace::default();
        pace.moved(ms(0), 0);
        pace.moved(ms(1_000), 900_000);
        pace.moved(ms(2_000), 0);
        assert_eq!(pace.bytes_per_second(ms(2_000)), None);
        pace.moved(ms(3_000), 1_000);
        assert_eq!(pace.bytes_per_second(ms(3_000)), Some(1_000));
    }

    proptest::proptest! {
        #[test]
        fn no_steps_break_it(steps in proptest::collection::vec((0..5_000_u64, 0..u64::MAX), 0..50)) {
            let (mut pace, mut now) = (Pace::default(), Duration::ZERO);
            for (wait, sent) in steps {
                now += ms(wait);
                pace.moved(now, sent);
                let _ = (pace.bytes_per_second(now), pace.time_left(now, u64::MAX));
            }
        }
    }
}
