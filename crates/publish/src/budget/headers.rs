//! What an answer tells of the rate limits: `x-ratelimit-limit`, `x-ratelimit-remaining`, `x-ratelimit-reset`, in the
//! form of draft-polli-ratelimit-headers-05 (IETF), as Pinterest sends them.

use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderMap;

/// The window of trial apps, and the longest that is waited for where a header gives none.
pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// So many calls in so much time, as `100;w=1` in `x-ratelimit-limit`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RateWindow {
    /// `w`: how long the window is; `None` when the header gives a limit alone.
    pub span: Option<Duration>,
    /// Calls that are allowed in it, at least 1.
    pub limit: u64,
    /// `name`, where it has one.
    pub name: Option<String>,
}

impl fmt::Display for RateWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls", self.limit)?;
        match self.span {
            Some(span) if span == DAY => f.write_str(" a day"),
            Some(span) => write!(f, " in {}", InWords(span)),
            None => Ok(()),
        }
    }
}

/// A time as people say it, rounded up: `40 s`, `3 min`, `7 h`.
pub(crate) struct InWords(pub(crate) Duration);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0);
        match seconds {
            0..=120 => write!(f, "{} s", seconds.max(1)),
            121..=7_200 => write!(f, "{} min", seconds.div_ceil(60)),
            _ => write!(f, "{} h", seconds.div_ceil(3_600)),
        }
    }
}

/// What is left of one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) window: RateWindow,
    /// `x-ratelimit-remaining`.
    pub(crate) remaining: u64,
    /// How long that holds at most.
    pub(crate) resets_in: Duration,
}

/// The three headers of one answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RateHeaders {
    /// All windows that hold for the call.
    pub(crate) windows: Vec<RateWindow>,
    /// The one that is nearest to its end.
    pub(crate) told: Option<Told>,
}

impl RateHeaders {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let first = |name: &str| text(name).and_then(|value| value.split([',', ';']).next()?.trim().parse().ok());
        Self::of(
            text("x-ratelimit-limit").unwrap_or_default(),
            first("x-ratelimit-remaining"),
            first("x-ratelimit-reset"),
        )
    }

    fn of(limit: &str, remaining: Option<u64>, reset: Option<u64>) -> Self {
        let mut windows = Vec::new();
        let mut current = None;
        for item in split_outside_quotes(limit, ',') {
            let mut parameters = split_outside_quotes(item, ';').map(str::trim);
            let Some(limit) = parameters.next().and_then(|number| number.parse().ok()) else { continue };
            let mut window = RateWindow { span: None, limit, name: None };
            for (key, value) in parameters.filter_map(|parameter| parameter.split_once('=')) {
                let value = value.trim().trim_matches('"');
                match key.trim() {
                    "w" => window.span = value.parse().ok().filter(|span| *span > 0).map(Duration::from_secs),
                    "name" => window.name = Some(value.to_owned()),
                    _ => {}
                }
            }
            // The first item is the limit that `remaining` and `reset` speak of, without its window.
            if window.span.is_none() {
                current.get_or_insert(limit);
            } else if limit > 0 && !windows.contains(&window) {
                windows.push(window);
            }
        }
        let reset = reset.map(Duration::from_secs);
        let fits = |window: &&RateWindow| {
            current.is_none_or(|limit| window.limit == limit) && window.span >= reset.map(|reset| reset.min(DAY))
        };
        let speaks_of = windows.iter().filter(fits).min_by_key(|window| window.span).cloned().or_else(|| {
            let limit = current.filter(|limit| *limit > 0)?;
            Some(RateWindow { span: None, limit, name: None })
        });
        if let Some(window) = &speaks_of
            && !windows.contains(window)
        {
            windows.push(window.clone());
        }
        let told = speaks_of.zip(remaining).and_then(|(window, remaining)| {
            // Whole seconds may be rounded down. No window ends later than its length from now.
            let rounded_up = reset.map(|reset| reset.min(DAY) + Duration::from_secs(1));
            let resets_in = match (rounded_up, window.span) {
                (Some(reset), Some(span)) => reset.min(span),
                (Some(end), None) | (None, Some(end)) => end,
                (None, None) => return None,
            };
            Some(Told { window, remaining, resets_in })
        });
        Self { windows, told }
    }
}

/// The parts between `separator`, those in quotes apart.
fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(limit: u64, span: u64) -> RateWindow {
        RateWindow { span: Some(Duration::from_secs(span)), limit, name: None }
    }

    #[test]
    fn several_windows_are_read_and_the_rest_belongs_to_the_first_limit() {
        let read = RateHeaders::of("100, 100;w=1, 1000;w=60", Some(99), Some(1));
        assert_eq!(read.windows, [window(100, 1), window(1_000, 60)]);
        let told = read.told.unwrap();
        assert_eq!((told.window, told.remaining, told.resets_in), (window(100, 1), 99, Duration::from_secs(1)));
        let read = RateHeaders::of("1000, 100;w=1, 1000;w=60", Some(7), Some(30));
        let told = read.told.unwrap();
        assert_eq!((told.window, told.resets_in), (window(1_000, 60), Duration::from_secs(31)), "rounded up");
    }

    #[test]
    fn windows_have_names_and_comments() {
        let read = RateHeaders::of(r#"100, 100;w=1;name="all, app", 1000;w=60;comment="a;b, c""#, Some(3), None);
        let named = RateWindow { name: Some("all, app".to_owned()), ..window(100, 1) };
        assert_eq!(read.windows, [named.clone(), window(1_000, 60)]);
        assert_eq!(read.told, Some(Told { window: named, remaining: 3, resets_in: Duration::from_secs(1) }));
    }

    #[test]
    fn a_limit_alone_holds_until_its_reset() {
        let alone = RateWindow { span: None, limit: 10, name: None };
        let read = RateHeaders::of("10", Some(0), Some(5));
        assert_eq!(read.windows, std::slice::from_ref(&alone));
        assert_eq!(read.told, Some(Told { window: alone, remaining: 0, resets_in: Duration::from_secs(6) }));
        assert_eq!(RateHeaders::of("10", Some(0), None).told, None, "for ever would be too long");
    }

    #[test]
    fn the_shortest_window_that_fits_the_reset_is_meant() {
        let told = |reset| RateHeaders::of("100, 100;w=1, 100;w=60", Some(1), Some(reset)).told.unwrap();
        assert_eq!(told(1).window, window(100, 1));
        assert_eq!(told(2).window, window(100, 60));
        assert_eq!(told(3_000).window.span, None, "no window is that long");
    }

    #[test]
    fn what_is_no_limit_is_none() {
        for text in ["", "x", "0", "0;w=60", "-1, -1;w=5", "100;w=0", ";;,,", "\"", "w=1"] {
            let read = RateHeaders::of(text, Some(1), Some(1));
            assert!(read.windows.iter().all(|window| window.limit > 0 && window.span.is_none()), "{text}: {read:?}");
        }
        assert_eq!(RateHeaders::read(&HeaderMap::new()), RateHeaders::default());
    }

    #[test]
    fn times_are_in_words() {
        let words = |millis| InWords(Duration::from_millis(millis)).to_string();
        assert_eq!([words(0), words(1_001), words(121_000), words(7_201_000)], ["1 s", "2 s", "3 min", "3 h"]);
        assert_eq!(window(1_000, 86_400).to_string(), "1000 calls a day");
        assert_eq!(window(100, 60).to_string(), "100 calls in 60 s");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "[0-9a-z;=,\" .-]{0,60}", remaining: Option<u64>, reset: Option<u64>) {
            let read = RateHeaders::of(&text, remaining, reset);
            proptest::prop_assert!(read.windows.iter().all(|window| window.limit > 0));
            if let Some(told) = read.told {
                proptest::prop_assert!(read.windows.contains(&told.window));
                proptest::prop_assert!(told.resets_in <= told.window.span.unwrap_or(DAY + Duration::from_secs(1)));
            }
        }

        #[test]
        fn what_is_written_is_read(windows in proptest::collection::vec((1..5_000_u64, 1..100_000_u64), 1..5)) {
            let items: Vec<_> = windows.iter().map(|(limit, span)| format!("{limit};w={span}")).collect();
            let read = RateHeaders::of(&format!("{}, {}", windows[0].0, items.join(", ")), None, None);
            for (limit, span) in windows {
                proptest::prop_assert!(read.windows.contains(&window(limit, span)));
            }
        }
    }
}
