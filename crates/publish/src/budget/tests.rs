//! The budget against servers that count in several ways, in a time of its own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What the server's clock shows when ours begins, in milliseconds.
const BEGIN: u64 = 120_000;

/// How a server counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In windows that begin at multiples of their length, after this offset.
    Fixed { offset: u64 },
    /// Over the window that ends now.
    Sliding,
    /// A bucket of the limit, which refills at limit / window.
    Bucket,
}

/// One window at the server, in milliseconds.
#[derive(Debug, Clone)]
struct Enforced {
    limit: u64,
    span: u64,
    way: Way,
    /// When calls were counted.
    counted: Vec<u64>,
}

impl Enforced {
    fn remaining(&self, now: u64) -> u64 {
        match self.way {
            Way::Fixed { offset } => {
                let window = |time: u64| (time + offset) / self.span;
                let used = self.counted.iter().filter(|time| window(**time) == window(now)).count();
                self.limit.saturating_sub(used as u64)
            }
            Way::Sliding => {
                let used = self.counted.iter().filter(|time| **time + self.span > now).count();
                self.limit.saturating_sub(used as u64)
            }
            Way::Bucket => {
                // Thousandths of a call would do; this is exact: in units of 1 / span.
                let full = self.limit * self.span;
                let (mut level, mut last) = (full, 0);
                for time in &self.counted {
                    level = (level + (time - last) * self.limit).min(full) - self.span;
                    last = *time;
                }
                (level + (now - last) * self.limit).min(full) / self.span
            }
        }
    }

    /// Milliseconds until there is more again.
    fn reset(&self, now: u64) -> u64 {
        match self.way {
            Way::Fixed { offset } => self.span - (now + offset) % self.span,
            Way::Sliding => {
                let oldest = self.counted.iter().find(|time| **time + self.span > now);
                oldest.map_or(0, |time| time + self.span - now)
            }
            Way::Bucket => self.span / self.limit,
        }
    }
}

#[derive(Debug, Clone)]
struct Server {
    windows: Vec<Enforced>,
    /// Whether whole seconds are rounded up.
    rounds_up: bool,
}

impl Server {
    /// Whether the call is within all limits; what the headers say then.
    fn take(&mut self, now: u64) -> (bool, RateHeaders) {
        let fits = self.windows.iter().all(|window| window.remaining(now) > 0);
        if fits {
            self.windows.iter_mut().for_each(|window| window.counted.push(now));
        }
        // Of two that are used up, a truthful server names the one that stays so for longer.
        let nearest = |window: &&Enforced| (window.remaining(now), Reverse(window.reset(now)));
        let nearest = self.windows.iter().min_by_key(nearest).unwrap();
        let reset = nearest.reset(now);
        let reset = if self.rounds_up { reset.div_ceil(1_000) } else { reset / 1_000 };
        let mut items = vec![nearest.limit.to_string()];
        items.extend(self.windows.iter().map(|window| format!("{};w={}", window.limit, window.span / 1_000)));
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: String| headers.insert(name, value.parse().unwrap());
        put("x-ratelimit-limit", items.join(", "));
        put("x-ratelimit-remaining", nearest.remaining(now).to_string());
        put("x-ratelimit-reset", reset.to_string());
        (fits, RateHeaders::read(if fits { 200 } else { 429 }, &headers))
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Somebody may want to look again.
    Look,
    Arrives(usize),
    /// The call ends: with its answer, or given up.
    Ends(usize),
}

/// What became of a run.
#[derive(Debug)]
struct Ran {
    refused: usize,
    took: u64,
}

/// `calls` calls from `tasks` tasks at once; one in `loses` answers is lost (0: none).
fn run(server: &mut Server, tasks: usize, calls: usize, loses: u64, seed: u64) -> Ran {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut book = Book::default();
    let mut events = BinaryHeap::from([Reverse((0, Event::Look))]);
    let mut sent: Vec<(Ticket, Option<(bool, RateHeaders)>)> = Vec::new();
    let (mut on_their_way, mut refused, mut ended, mut last, mut let_through) = (0, 0, 0, 0, false);
    while let Some(Reverse((now, event))) = events.pop() {
        match event {
            Event::Look => {}
            Event::Arrives(call) => {
                let answer = server.take(BEGIN + now);
                // Until a call is let through nobody can know better.
                refused += usize::from(!answer.0 && let_through);
                sent[call].1 = Some(answer);
                continue;
            }
            Event::Ends(call) => {
                let (ticket, answer) = &sent[call];
                let lost = loses > 0 && rng.random_range(0..loses) == 0;
                let answer = answer.as_ref().filter(|_| !lost);
                let succeeded = answer.is_some_and(|(fits, _)| *fits);
                let_through |= succeeded;
                book.ended(ticket, answer.map(|(_, headers)| headers), succeeded, ms(now));
                on_their_way -= 1;
                ended += 1;
                last = now;
            }
        }
        while on_their_way < tasks && sent.len() < calls {
            match book.admit(Call::GetMedia, ms(now)) {
                Ok(ticket) => {
                    let there = now + rng.random_range(1..400);
                    events.push(Reverse((there, Event::Arrives(sent.len()))));
                    events.push(Reverse((there + rng.random_range(1..400), Event::Ends(sent.len()))));
                    sent.push((ticket, None));
                    on_their_way += 1;
                }
                Err(full) => {
                    assert!(!full.answer_due || on_their_way > 0, "an answer is due and no call is on its way");
                    if full.at < Duration::MAX {
                        let at = u64::try_from(full.at.as_millis()).unwrap() + 1;
                        events.push(Reverse((at, Event::Look)));
                    }
                    break;
                }
            }
        }
    }
    assert_eq!(ended, calls, "nobody waits for ever");
    Ran { refused, took: last }
}

fn ways() -> impl Strategy<Value = Way> {
    prop_oneof![(0..60_000_u64).prop_map(|offset| Way::Fixed { offset }), Just(Way::Sliding), Just(Way::Bucket)]
}

fn servers() -> impl Strategy<Value = Server> {
    let window = (1..60_u64, 1..20_u64, ways());
    (proptest::collection::vec(window, 1..4), any::<bool>()).prop_map(|(windows, rounds_up)| {
        let windows = windows.into_iter().map(|(limit, seconds, way)| Enforced {
            limit,
            span: seconds * 1_000,
            way,
            counted: Vec::new(),
        });
        Server { windows: windows.collect(), rounds_up }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the server's way of counting, whatever others used up before, and however many tasks: no 429.
    #[test]
    fn no_call_is_refused(
        mut server in servers(), tasks in 1..30_usize, calls in 1..200_usize, seed: u64,
        mut before in proptest::collection::vec(0..3_000_u64, 0..80),
    ) {
        before.sort_unstable_by_key(|ago| Reverse(*ago));
        for ago in &before {
            server.take(BEGIN - ago);
        }
        let ran = run(&mut server, tasks, calls, 0, seed);
        prop_assert_eq!(ran.refused, 0, "{:?}", ran);
    }

    /// Our own calls are counted whether their answers come or not.
    #[test]
    fn answers_may_be_lost(
        mut server in servers(), tasks in 1..30_usize, calls in 1..200_usize, loses in 2..9_u64, seed: u64,
    ) {
        let ran = run(&mut server, tasks, calls, loses, seed);
        prop_assert_eq!(ran.refused, 0, "{:?}", ran);
    }

    /// Nothing is given away either: a long window is used to its last call, and the next one from its beginning on.
    #[test]
    fn long_windows_are_used_up(limit in 5..60_u64, tasks in 20..30_usize, offset in 0..7_000_000_u64, seed: u64) {
        let span = 7_200_000;
        let way = Way::Fixed { offset };
        let mut server =
            Server { windows: vec![Enforced { limit, span, way, counted: Vec::new() }], rounds_up: true };
        let calls = 2 * usize::try_from(limit).unwrap();
        let ran = run(&mut server, tasks, calls, 0, seed);
        prop_assert!(ran.refused == 0 && ran.took < span - BEGIN - offset + 10_000, "{ran:?}");
    }
}
