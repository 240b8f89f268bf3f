//! When a call is made again, and after how long.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// Which calls may be made again after a failure that leaves the effect open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// A second call does no harm: every GET, `POST /media` (it leaves an orphan).
    Safe,
    /// Only when the first certainly had no effect: HTTP 429, or no byte was sent.
    OnlyUnsent,
}

/// Bounds of the tries of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all, at least 1.
    pub attempts: u32,
    /// Delay after the first try; doubled after each further one.
    pub first_delay: Duration,
    /// Longest delay of our own choosing.
    pub max_delay: Duration,
    /// Longest delay that a server may ask for; over that the call gives up and says so.
    pub max_wait: Duration,
    /// No try begins later than this after the first one began, however many are left.
    pub limit: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(20),
            // The window of Pinterest's per-minute limit.
            max_wait: Duration::from_secs(65),
            limit: Duration::from_secs(300),
        }
    }
}

impl RetryPolicy {
    /// The delay after try number `attempt` (from 1): between half and the whole of the doubled delay, placed by
    /// `roll` (0 to `u32::MAX`), so that many clients do not come back at once.
    #[must_use]
    pub fn delay(&self, attempt: u32, roll: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let full = self.first_delay.saturating_mul(factor).min(self.max_delay);
        let half = full / 2;
        let millis = half.as_millis() * u128::from(roll) / u128::from(u32::MAX);
        half + Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// The jittered delay after try number `attempt`.
    pub(crate) fn jittered(&self, attempt: u32) -> Duration {
        self.delay(attempt, rand::random())
    }
}

/// How long the server asks to wait: `Retry-After` in seconds or as a date (RFC 9110 §10.2.3; undocumented at
/// Pinterest), else `x-ratelimit-reset`, the seconds until the window ends.
#[must_use]
pub(crate) fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.trim());
    let seconds = |name: &str| text(name)?.parse::<u64>().ok().map(Duration::from_secs);
    let date = |name: &str| httpdate::parse_http_date(text(name)?).ok();
    seconds(RETRY_AFTER.as_str())
        .or_else(|| {
            let at = date(RETRY_AFTER.as_str())?;
            // By the server's own clock, where it tells it: ours may be wrong.
            let now = date(DATE.as_str()).unwrap_or_else(SystemTime::now);
            Some(at.duration_since(now).unwrap_or_default())
        })
        .or_else(|| seconds("x-ratelimit-reset"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn delays_double_up_to_the_limit_and_never_fall_under_half() {
        let policy = RetryPolicy {
            first_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(5),
            ..RetryPolicy::default()
        };
        let ends = |attempt| (policy.delay(attempt, 0).as_millis(), policy.delay(attempt, u32::MAX).as_millis());
        assert_eq!(ends(1), (500, 1_000));
        assert_eq!(ends(2), (1_000, 2_000));
        assert_eq!(ends(3), (2_000, 4_000));
        assert_eq!(ends(4), (2_500, 5_000));
        assert_eq!(ends(400), (2_500, 5_000));
    }

    #[test]
    fn the_server_is_asked_first() {
        let mut headers = HeaderMap::new();
        assert_eq!(asked_wait(&headers), None);
        headers.insert("x-ratelimit-reset", HeaderValue::from_static("7"));
        assert_eq!(asked_wait(&headers), Some(Duration::from_secs(7)));
        headers.insert(RETRY_AFTER, HeaderValue::from_static(" 3 "));
        assert_eq!(asked_wait(&headers), Some(Duration::from_secs(3)));
        let date = |text: &'static str| HeaderValue::from_static(text);
        headers.insert(RETRY_AFTER, date("Wed, 21 Oct 2026 07:28:00 GMT"));
        headers.insert(DATE, date("Wed, 21 Oct 2026 07:27:15 GMT"));
        assert_eq!(asked_wait(&headers), Some(Duration::from_secs(45)), "by the server's clock");
        headers.insert(DATE, date("Wed, 21 Oct 2026 07:29:00 GMT"));
        assert_eq!(asked_wait(&headers), Some(Duration::ZERO), "it is past");
        headers.remove(DATE);
        headers.insert(RETRY_AFTER, date("Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(asked_wait(&headers), Some(Duration::ZERO));
        headers.insert(RETRY_AFTER, date("tomorrow"));
        assert_eq!(asked_wait(&headers), Some(Duration::from_secs(7)), "the reset is understood");
    }
}
