//! How an upload goes, in words: bytes, rate, time left.

use std::time::{Duration, Instant};

use pinpress_publish::Pace;

/// In a log a line at most so often: an upload of an hour is told in some hundred.
const LINES_APART: Duration = Duration::from_secs(30);

/// One upload that is under way.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) begun: Instant,
    pace: Pace,
    told: Duration,
}

impl Default for Upload {
    fn default() -> Self {
        Self { begun: Instant::now(), pace: Pace::default(), told: Duration::ZERO }
    }
}

impl Upload {
    /// `42 %  uploading 4.2 MB of 10.0 MB, 2.1 MB/s, 2 s left`, at `now` after its begin.
    pub(crate) fn line(&mut self, now: Duration, sent: u64, total: u64) -> String {
        self.pace.moved(now, sent);
        let share = sent.saturating_mul(100).checked_div(total).unwrap_or(100).min(100);
        let rate = self.pace.bytes_per_second(now).map_or_else(String::new, |rate| format!(", {}/s", bytes(rate)));
        let left = self.pace.time_left(now, total).filter(|left| sent < total && left.as_secs() > 0);
        let left = left.map_or_else(String::new, |left| format!(", {} left", time(left)));
        format!("{share:>3} %  uploading {} of {}{rate}{left}", bytes(sent), bytes(total))
    }

    /// Whether a log should have a line of it again.
    pub(crate) fn is_due(&mut self, now: Duration) -> bool {
        let due = now.saturating_sub(self.told) >= LINES_APART;
        if due {
            self.told = now;
        }
        due
    }
}

/// Bytes in the units of Pinterest's limits: powers of ten.
fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| count >= *unit) else {
        return format!("{count} B");
    };
    let tenths = u128::from(count) * 10 / u128::from(unit);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// `45 s`, `3 min 20 s`, `2 h 5 min`.
fn time(left: Duration) -> String {
    let seconds = left.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_rate_and_time_left_are_told() {
        let mut upload = Upload::default();
        let at = Duration::from_secs;
        assert_eq!(upload.line(at(0), 0, 10_000_000), "  0 %  uploading 0 B of 10.0 MB");
        assert_eq!(upload.line(at(2), 4_200_000, 10_000_000), " 42 %  uploading 4.2 MB of 10.0 MB, 2.1 MB/s, 2 s left");
        let done = upload.line(at(4), 10_000_000, 10_000_000);
        assert!(done.starts_with("100 %  uploading 10.0 MB of 10.0 MB") && !done.contains("left"), "{done}");
        assert!(Upload::default().line(at(0), 0, 0).starts_with("100 %"), "an empty file divides nothing");
    }

    #[test]
    fn units_change_where_people_expect_it() {
        for (count, told) in [(999, "999 B"), (1_000, "1.0 kB"), (999_999, "999.9 kB"), (1_999_999_999, "1.9 GB")] {
            assert_eq!(bytes(count), told);
        }
        for (seconds, told) in [(59, "59 s"), (60, "1 min 0 s"), (3_599, "59 min 59 s"), (7_500, "2 h 5 min")] {
            assert_eq!(time(Duration::from_secs(seconds)), told);
        }
    }

    #[test]
    fn a_log_has_a_line_twice_a_minute() {
        let mut upload = Upload::default();
        let due = (0..120).filter(|second| upload.is_due(Duration::from_secs(*second))).count();
        assert_eq!(due, 3);
    }
}
