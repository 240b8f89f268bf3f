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
    /// The one that is nearest to its end; all that it may be, where several have the same limit.
    pub(crate) told: Vec<Told>,
}

impl RateHeaders {
    /// Reads them. Whole seconds may be rounded down, so that one more is waited for, ahead of a 429; a 429 itself says
    /// when to come again.
    pub(crate) fn read(status: u16, headers: &HeaderMap) -> Self {
        let mut read = Self::exact(headers);
        if status != 429 {
            for told in &mut read.told {
                let longest = told.window.span.unwrap_or(Duration::MAX);
                told.resets_in = (told.resets_in + Duration::from_secs(1)).min(longest);
            }
        }
        read
    }

    fn exact(headers: &HeaderMap) -> Self {
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
        let fits: Vec<_> = windows.iter().filter(fits).cloned().collect();
        let alone = || current.filter(|limit| *limit > 0).map(|limit| RateWindow { span: None, limit, name: None });
        let speaks_of = if fits.is_empty() { alone().into_iter().collect() } else { fits };
        for window in &speaks_of {
            if !windows.contains(window) {
                windows.push(window.clone());
            }
        }
        let told = speaks_of.into_iter().filter_map(|window| {
            // No window ends later than its length from now.
            let resets_in = match (reset.map(|reset| reset.min(DAY)), window.span) {
                (Some(reset), Some(span)) => reset.min(span),
                (Some(end), None) | (None, Some(end)) => end,
                (None, None) => return None,
            };
            Some(Told { window, remaining: remaining?, resets_in })
        });
        let told = told.collect();
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

    fn told(limit: &str, remaining: u64, reset: Option<u64>) -> Vec<(RateWindow, u64, u64)> {
        let told = RateHeaders::of(limit, Some(remaining), reset).told.into_iter();
        told.map(|told| (told.window, told.remaining, told.resets_in.as_secs())).collect()
    }

    #[test]
    fn several_windows_are_read_and_the_rest_belongs_to_the_first_limit() {
        assert_eq!(RateHeaders::of("100, 100;w=1, 1000;w=60", None, None).windows, [window(100, 1), window(1_000, 60)]);
        assert_eq!(told("100, 100;w=1, 1000;w=60", 99, Some(1)), [(window(100, 1), 99, 1)]);
        assert_eq!(told("1000, 100;w=1, 1000;w=60", 7, Some(30)), [(window(1_000, 60), 7, 30)]);
    }

    #[test]
    fn windows_have_names_and_comments() {
        let text = r#"100, 100;w=1;name="all, app", 1000;w=60;comment="a;b, c""#;
        let named = RateWindow { name: Some("all, app".to_owned()), ..window(100, 1) };
        assert_eq!(RateHeaders::of(text, None, None).windows, [named.clone(), window(1_000, 60)]);
        assert_eq!(told(text, 3, None), [(named, 3, 1)]);
    }

    #[test]
    fn a_limit_alone_holds_until_its_reset() {
        let alone = RateWindow { span: None, limit: 10, name: None };
        assert_eq!(RateHeaders::of("10", None, None).windows, std::slice::from_ref(&alone));
        assert_eq!(told("10", 0, Some(5)), [(alone, 0, 5)]);
        assert_eq!(told("10", 0, None), [], "for ever would be too long");
    }

    #[test]
    fn a_second_more_is_waited_for_unless_the_server_says_when_to_come() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("limit", "100, 100;w=1, 1000;w=60"), ("remaining", "0"), ("reset", "1")] {
            let name: reqwest::header::HeaderName = format!("x-ratelimit-{name}").parse().unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        let resets_in = |status, headers: &HeaderMap| RateHeaders::read(status, headers).told[0].resets_in.as_secs();
        assert_eq!(resets_in(200, &headers), 1, "no window ends later than its length from now");
        headers.insert("x-ratelimit-limit", "1000, 100;w=1, 1000;w=60".parse().unwrap());
        assert_eq!((resets_in(200, &headers), resets_in(429, &headers)), (2, 1));
    }

    #[test]
    fn windows_of_the_same_limit_are_told_apart_by_their_reset_where_it_does() {
        let text = "100, 100;w=1, 100;w=60";
        assert_eq!(told(text, 7, Some(1)), [(window(100, 1), 7, 1), (window(100, 60), 7, 1)]);
        assert_eq!(told(text, 7, Some(2)), [(window(100, 60), 7, 2)]);
        let alone = RateWindow { span: None, limit: 100, name: None };
        assert_eq!(told(text, 7, Some(3_000)), [(alone, 7, 3_000)], "no window is that long");
    }

    #[test]
    fn what_is_no_limit_is_none() {
        for text in ["", "x", "0", "0;w=60", "-1, -1;w=5", "100;w=0", ";;,,", "\"", "w=1"] {
            let read = RateHeaders::of(text, Some(1), Some(1));
            assert!(read.windows.iter().all(|window| window.limit > 0 && window.span.is_none()), "{text}: {read:?}");
        }
        assert_eq!(RateHeaders::read(200, &HeaderMap::new()), RateHeaders::default());
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
            for told in read.told {
                proptest::prop_assert!(read.windows.contains(&told.window));
                proptest::prop_assert!(told.resets_in <= told.window.span.unwrap_or(DAY));
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
