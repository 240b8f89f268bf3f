//! Rate limits: how many calls are answered in which time, and the headers that tell of it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// So many calls in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateWindow {
    /// Calls that are answered in each window.
    pub calls: u64,
    /// Its length in seconds, at least 1. Windows lie end to end from the first second of 1970 on, so that a day
    /// begins at midnight UTC.
    pub seconds: u64,
}

/// Limits that hold together, written as the header has them: `100;w=1, 1000;w=60`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimits(Vec<RateWindow>);

/// Text that tells no limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no rate limits, which are written like \"100;w=1, 1000;w=60\": {0:?}")]
pub struct NotLimits(String);

impl RateLimits {
    /// What apps with trial access have: 1,000 calls a day.
    #[must_use]
    pub fn trial() -> Self {
        Self(vec![RateWindow { calls: 1_000, seconds: 86_400 }])
    }

    /// The windows.
    #[must_use]
    pub fn windows(&self) -> &[RateWindow] {
        &self.0
    }
}

impl Default for RateLimits {
    /// More than a rehearsal asks, as it shall not end for its own sake.
    fn default() -> Self {
        Self(vec![RateWindow { calls: 100_000, seconds: 60 }])
    }
}

impl FromStr for RateLimits {
    type Err = NotLimits;

    fn from_str(text: &str) -> Result<Self, NotLimits> {
        let window = |part: &str| {
            let (calls, seconds) = part.trim().split_once(";w=")?;
            let (calls, seconds) = (calls.parse().ok()?, seconds.parse().ok()?);
            (seconds > 0).then_some(RateWindow { calls, seconds })
        };
        text.split(',').map(window).collect::<Option<_>>().map(Self).ok_or_else(|| NotLimits(text.to_owned()))
    }
}

impl fmt::Display for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, RateWindow { calls, seconds }) in self.0.iter().enumerate() {
            write!(f, "{}{calls};w={seconds}", if place == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// What the headers of an answer say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    limit: String,
    remaining: u64,
    /// Seconds until the window ends that has fewest calls left, rounded up: after this they are there again.
    reset: u64,
}

impl Standing {
    /// Nothing left, and this long until there is.
    pub(crate) fn spent(mut self, reset: u64) -> Self {
        (self.remaining, self.reset) = (0, reset);
        self
    }

    /// Puts the headers on.
    pub(crate) fn dress(&self, headers: &mut HeaderMap) {
        let values = [
            ("x-ratelimit-limit", self.limit.clone()),
            ("x-ratelimit-remaining", self.remaining.to_string()),
            ("x-ratelimit-reset", self.reset.to_string()),
        ];
        for (name, value) in values {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// The calls of each window that runs.
#[derive(Debug)]
pub(crate) struct Counted {
    limits: RateLimits,
    /// For each window: its number since 1970, and the calls in it.
    running: Vec<(u64, u64)>,
}

impl Counted {
    pub(crate) fn new(limits: RateLimits) -> Self {
        let running = vec![(0, 0); limits.0.len()];
        Self { limits, running }
    }

    /// Counts a call at this time since 1970, if every window has room for it; else none does.
    pub(crate) fn admit(&mut self, now: Duration) -> Result<Standing, Standing> {
        self.roll(now);
        let has_room = self.limits.0.iter().zip(&self.running).all(|(window, (_, calls))| *calls < window.calls);
        if !has_room {
            return Err(self.standing(now));
        }
        for (_, calls) in &mut self.running {
            *calls += 1;
        }
        Ok(self.standing(now))
    }

    /// How things stand, with no call counted.
    pub(crate) fn look(&mut self, now: Duration) -> Standing {
        self.roll(now);
        self.standing(now)
    }

    fn roll(&mut self, now: Duration) {
        for (window, (number, calls)) in self.limits.0.iter().zip(&mut self.running) {
            let current = now.as_secs() / window.seconds;
            if *number != current {
                (*number, *calls) = (current, 0);
            }
        }
    }

    /// As Envoy tells it: of several windows the one with fewest calls left, and of those the one that ends last.
    fn standing(&self, now: Duration) -> Standing {
        let left = self.limits.0.iter().zip(&self.running).map(|(window, (number, calls))| {
            let end = Duration::from_secs((number + 1) * window.seconds).saturating_sub(now);
            let reset = end.as_secs() + u64::from(end.subsec_nanos() > 0);
            (window.calls.saturating_sub(*calls), std::cmp::Reverse(reset), window.calls)
        });
        let (remaining, std::cmp::Reverse(reset), limit) = left.min().unwrap_or((u64::MAX, std::cmp::Reverse(0), 0));
        Standing { limit: format!("{limit}, {}", self.limits), remaining, reset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(standing: &Standing) -> (u64, u64) {
        (standing.remaining, standing.reset)
    }

    #[test]
    fn limits_are_written_as_the_header_has_them() {
        for text in ["100;w=1, 1000;w=60", "1000;w=86400"] {
            assert_eq!(text.parse::<RateLimits>().unwrap().to_string(), text);
        }
        assert_eq!("5;w=1,6;w=2".parse::<RateLimits>().unwrap().windows().len(), 2);
        for bad in ["", "100", "100;w=0", "100;w=x", "100;w=1,", "-1;w=1"] {
            assert!(bad.parse::<RateLimits>().unwrap_err().to_string().contains("w=60"), "{bad}");
        }
    }

    #[test]
    fn each_window_holds_and_the_nearest_to_its_end_of_calls_is_told() {
        let mut counted = Counted::new("2;w=1, 3;w=10".parse().unwrap());
        let at = Duration::from_millis;
        assert_eq!(told(&counted.admit(at(1_000_000_250)).unwrap()), (1, 1));
        let second = counted.admit(at(1_000_000_500)).unwrap();
        assert_eq!((told(&second), &*second.limit), ((0, 1), "2, 2;w=1, 3;w=10"));
        assert_eq!(told(&counted.admit(at(1_000_000_999)).unwrap_err()), (0, 1));
        // A new second, the same ten: one call is left of three, and the refused one does not count.
        let third = counted.admit(at(1_000_001_000)).unwrap();
        assert_eq!((told(&third), &*third.limit), ((0, 9), "3, 2;w=1, 3;w=10"));
        assert_eq!(told(&counted.admit(at(1_000_009_001)).unwrap_err()), (0, 1), "rounded up");
        assert_eq!(told(&counted.look(at(1_000_010_000))), (2, 1));
    }

    proptest::proptest! {
        #[test]
        fn no_window_ever_answers_more_than_it_may(
            steps in proptest::collection::vec(0..900_u64, 1..200),
            calls in 1..9_u64,
            seconds in 1..4_u64,
        ) {
            let longer = RateWindow { calls: calls * 3, seconds: seconds * 4 };
            let limits = RateLimits(vec![RateWindow { calls, seconds }, longer]);
            let mut counted = Counted::new(limits.clone());
            let mut answered = Vec::new();
            let mut now = 0;
            for step in steps {
                now += step;
                match counted.admit(Duration::from_millis(now)) {
                    Ok(_) => answered.push(now),
                    Err(standing) => {
                        now += standing.reset * 1_000;
                        proptest::prop_assert!(counted.admit(Duration::from_millis(now)).is_ok(), "it said so");
                        answered.push(now);
                    }
                }
            }
            for window in &limits.0 {
                let mut in_window = std::collections::BTreeMap::<u64, u64>::new();
                for time in &answered {
                    *in_window.entry(time / 1_000 / window.seconds).or_default() += 1;
                }
                proptest::prop_assert!(in_window.values().all(|count| *count <= window.calls));
            }
        }
    }
}
