//! How long something is good for, in words.

use jiff::Timestamp;

/// From `now` to `end`: the largest unit alone, rounded down, as nobody plans by the minutes of a month.
pub(crate) fn in_words(now: Timestamp, end: Timestamp) -> String {
    let seconds = end.duration_since(now).as_secs();
    let (count, unit) = match seconds {
        ..60 => return if seconds > 0 { "less than a minute".to_owned() } else { "no time".to_owned() },
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// A time for people, to the minute.
pub(crate) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_unit_is_told() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let told = |seconds: i64| in_words(now, now + jiff::SignedDuration::from_secs(seconds));
        for (seconds, words) in [
            (-5, "no time"),
            (0, "no time"),
            (59, "less than a minute"),
            (60, "1 minute"),
            (3_599, "59 minutes"),
            (3_600, "1 hour"),
            (86_399, "23 hours"),
            (2_591_999, "29 days"),
        ] {
            assert_eq!(told(seconds), words);
        }
        assert_eq!(minute(now), "2026-11-30 12:00 UTC");
    }
}
