//! Where a queue and its surroundings come to their limits as workers are added, up to a thousand:
//! `cargo bench -p pinpress-pipeline --bench fleet`.
//!
//! A simulation by events, with nothing random in it. A worker has slots; each slot claims a video, works on it,
//! publishes it, enters how it ended, and begins again. Two things are shared: the database, a station that serves so
//! many transactions at a time, first come, first served; and the API, which lets through so many calls a minute. The
//! service times below are measured, each by the command beside it. Beside each result stands what no system of such
//! stations can surpass: `X ≤ min(N / ΣD, 1 / D_max)`, the asymptotic bounds of E. Lazowska and others, "Quantitative
//! System Performance" (1984), §5.2. They are reckoned apart from the simulation, which has to stay under them and come
//! near them at both ends: it says so and fails where it does not.

#![expect(clippy::print_stdout, reason = "a bench prints")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Videos that a worker works on at the same time: a machine of two cores.
const SLOTS: usize = 2;

/// What a slot works on a video, in microseconds: 30 videos of `cargo xtask bench run --only busy` take 89.0 s on two
/// cores, two at a time.
const WORK_US: u64 = 89_000_000 * SLOTS as u64 / 30;

/// Transactions that a video costs from claim to end, with its Pin and the heartbeats: `xact_commit` of
/// `pg_stat_database`, 318 more after three workers and twelve videos than before.
const TRANSACTIONS: u64 = 26;

/// What the database works on one, in microseconds, and how many at a time: by `cargo bench -p pinpress-pipeline --bench
/// claims`, 4,036 a second on two cores that it shares with its 32 clients.
const TRANSACTION_US: u64 = 495;
const AT_ONCE: usize = 2;

/// Calls that a Pin costs: one to register the upload, one to create it, and three to ask how far it is; an upload goes
/// elsewhere.
const CALLS: u64 = 5;

/// `x-ratelimit-limit: 100, 100;w=1, 1000;w=60`, for the whole account.
const CALLS_A_MINUTE: u64 = 1_000;

/// Connections of a worker with little to do: one that asks and one that listens; and what `PostgreSQL` takes unless it
/// is told otherwise (`max_connections`).
const CONNECTIONS: usize = 2;
const MOST_CONNECTIONS: usize = 100;

/// How long is simulated, and how much of it is the beginning, which counts for nothing.
const LONG_US: u64 = 3_600_000_000;
const WARM_US: u64 = 600_000_000;

fn main() {
    // What `cargo test` runs of a bench is nothing.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    println!(
        "| workers | without Pins: videos a second | at most | database busy | with Pins | at most | connections |"
    );
    println!("|---|---|---|---|---|---|---|");
    for workers in [1, 3, 10, 30, 100, 300, 1_000] {
        let (fixed, published) = (simulate(workers, false), simulate(workers, true));
        let bounds = [false, true].map(|pins| bound(workers, pins));
        for (got, most) in [(fixed.rate, bounds[0]), (published.rate, bounds[1])] {
            assert!(got <= most * 1.01, "{got} is more than {most}, which nothing can be");
        }
        println!(
            "| {workers} | {:.2} | {:.2} | {:.0} % | {:.2} | {:.2} | {} of {MOST_CONNECTIONS} |",
            fixed.rate,
            bounds[0],
            100.0 * fixed.database,
            published.rate,
            bounds[1],
            workers * CONNECTIONS
        );
    }
    for (workers, near) in [(1, 0.95), (1_000, 0.95)] {
        let (got, most) = (simulate(workers, false).rate, bound(workers, false));
        assert!(got >= near * most, "{workers} workers: {got} is far from {most}");
    }
}

/// What comes out.
struct Outcome {
    /// Videos a second.
    rate: f64,
    /// Share of the time that the database works.
    database: f64,
}

/// When a slot comes to its next step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at: u64,
    slot: usize,
    step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Half of the transactions, before the work.
    Claim,
    Work,
    Call,
    /// The other half.
    End,
}

fn simulate(workers: usize, pins: bool) -> Outcome {
    let mut events: BinaryHeap<Reverse<Event>> = BinaryHeap::new();
    for slot in 0..workers * SLOTS {
        // One after another, as machines are started.
        events.push(Reverse(Event { at: slot as u64 * 1_000, slot, step: Step::Claim }));
    }
    let mut servers = [0_u64; AT_ONCE];
    let mut next_call = 0;
    let (mut done, mut busy) = (0_u64, 0_u64);
    while let Some(Reverse(Event { at, slot, step })) = events.pop() {
        if at >= LONG_US {
            break;
        }
        let (at, step) = match step {
            Step::Claim | Step::End => {
                let work = TRANSACTIONS / 2 * TRANSACTION_US;
                let Some(server) = servers.iter_mut().min() else { break };
                let begins = at.max(*server);
                *server = begins + work;
                if begins >= WARM_US {
                    busy += work;
                }
                let counts = step == Step::End && *server >= WARM_US;
                done += u64::from(counts);
                (*server, if step == Step::Claim { Step::Work } else { Step::Claim })
            }
            Step::Work => (at + WORK_US, if pins { Step::Call } else { Step::End }),
            Step::Call => {
                let begins = at.max(next_call);
                next_call = begins + CALLS * 60_000_000 / CALLS_A_MINUTE;
                (next_call, Step::End)
            }
        };
        events.push(Reverse(Event { at, slot, step }));
    }
    let seconds = (LONG_US - WARM_US) as f64 / 1e6;
    Outcome { rate: done as f64 / seconds, database: busy as f64 / 1e6 / seconds / AT_ONCE as f64 }
}

/// Videos a second that these stations cannot surpass.
fn bound(workers: usize, pins: bool) -> f64 {
    let database = (TRANSACTIONS * TRANSACTION_US) as f64 / 1e6;
    let api = if pins { CALLS as f64 * 60.0 / CALLS_A_MINUTE as f64 } else { 0.0 };
    let alone = database + WORK_US as f64 / 1e6 + api;
    let most = (AT_ONCE as f64 / database).min(if pins { 1.0 / api } else { f64::INFINITY });
    ((workers * SLOTS) as f64 / alone).min(most)
}
