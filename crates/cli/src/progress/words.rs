//! Sizes and spans of time in words.

use std::time::Duration;

/// Bytes in the units of Pinterest's limits: powers of ten.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| count >= *unit) else {
        return format!("{count} B");
    };
    let tenths = u128::from(count) * 10 / u128::from(unit);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// `3.2×`, and `140×` where the decimals say nothing: milliseconds of video done in a second.
pub(super) fn speed(media_ms: u64) -> Option<String> {
    match media_ms / 100 {
        0 => None,
        tenths @ 1..1_000 => Some(format!("{}.{}×", tenths / 10, tenths % 10)),
        tenths => Some(format!("{}×", tenths / 10)),
    }
}

/// `45 s`, `3 min 20 s`, `2 h 5 min`.
pub(super) fn time(span: Duration) -> String {
    let seconds = span.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// The same for an estimate: no finer than it can be trusted, and rather too long than too short.
pub(super) fn about(span: Duration) -> String {
    let up_to = |step: u64| span.as_secs().max(1).div_ceil(step) * step;
    match span.as_secs() {
        0..51 => format!("about {} s", up_to(10)),
        51..3_600 => match up_to(60) / 60 {
            60 => "about 1 h".to_owned(),
            minutes => format!("about {minutes} min"),
        },
        _ => match (up_to(600) / 3_600, up_to(600) / 60 % 60) {
            (hours, 0) => format!("about {hours} h"),
            (hours, minutes) => format!("about {hours} h {minutes} min"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_change_where_people_expect_it() {
        for (count, told) in [(999, "999 B"), (1_000, "1.0 kB"), (999_999, "999.9 kB"), (1_999_999_999, "1.9 GB")] {
            assert_eq!(bytes(count), told);
        }
        for (seconds, told) in [(59, "59 s"), (60, "1 min 0 s"), (3_599, "59 min 59 s"), (7_500, "2 h 5 min")] {
            assert_eq!(time(Duration::from_secs(seconds)), told);
        }
        for (media_ms, told) in [(99, None), (100, Some("0.1×")), (3_250, Some("3.2×")), (140_900, Some("140×"))] {
            assert_eq!(speed(media_ms).as_deref(), told);
        }
    }

    #[test]
    fn an_estimate_is_rounded_up() {
        for (seconds, told) in [
            (0, "about 10 s"),
            (41, "about 50 s"),
            (55, "about 1 min"),
            (60, "about 1 min"),
            (61, "about 2 min"),
            (3_590, "about 1 h"),
            (3_600, "about 1 h"),
            (7_500, "about 2 h 10 min"),
            (7_900, "about 2 h 20 min"),
        ] {
            assert_eq!(about(Duration::from_secs(seconds)), told, "{seconds} s");
        }
    }
}
