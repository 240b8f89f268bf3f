//! How many videos a second a queue in `PostgreSQL` gives out and takes back, with 32 workers of their own connections
//! on one machine with their server: `cargo bench -p pinpress-pipeline --bench claims`.
//!
//! An encode takes seconds; the queue must never be what they wait for.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that cannot set up its ground has failed")]

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pinpress_fixtures::Postgres;
use pinpress_media::FixOptions;
use pinpress_pipeline::ledger::{Lease, NewTask, Order, OrderTerms, PostgresLedger, Server, TaskEnd, TaskTerms};
use pinpress_probe::Spec;

const WORKERS: usize = 32;

/// Videos that wait. More than are taken, as a queue that runs empty is no measure.
const WAITING: usize = 20_000;

const FOR: Duration = Duration::from_secs(10);

fn main() {
    // What `cargo test` runs of a bench is nothing.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let Some(server) = Postgres::start() else { return };
    let url = server.database();
    let open = || PostgresLedger::open(Server::parse(&url, None).unwrap()).unwrap();
    let terms = OrderTerms { spec: Spec::load("pinterest").unwrap(), fix: FixOptions::default(), pins: None };
    let tasks: Vec<NewTask> = (0..WAITING)
        .map(|at| NewTask {
            source: Path::new("/raw").join(format!("{at}.mp4")),
            output: PathBuf::from(format!("{at}.mp4")),
            terms: TaskTerms::default(),
        })
        .collect();
    let begun = Instant::now();
    open().place_order(&Order { output: PathBuf::from("/out"), terms }, &tasks).unwrap();
    println!("{WAITING} videos entered in {:.2} s", begun.elapsed().as_secs_f64());

    let taken = AtomicUsize::new(0);
    let waits: Mutex<Vec<Duration>> = Mutex::default();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let (ledger, lease) = (open(), Lease::shared());
                let mut mine = Vec::new();
                while begun.elapsed() < FOR {
                    let asked = Instant::now();
                    let Some(task) = ledger.claim_next(None, &lease).unwrap() else { break };
                    mine.push(asked.elapsed());
                    ledger.end_task(&task, &TaskEnd::Done, &lease).unwrap();
                    taken.fetch_add(1, Ordering::Relaxed);
                }
                waits.lock().unwrap().extend(mine);
            });
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    let taken = taken.into_inner();
    let mut waits = waits.into_inner().unwrap();
    waits.sort_unstable();
    let at = |share: usize| waits.get(waits.len() * share / 100).copied().unwrap_or_default().as_secs_f64() * 1e3;
    println!(
        "{WORKERS} workers: {taken} videos claimed and ended in {seconds:.1} s: {:.0} a second",
        taken as f64 / seconds
    );
    println!("a claim takes {:.1} ms in the middle, {:.1} ms at the 99th percentile", at(50), at(99));
    println!("target: 500 a second");
}
