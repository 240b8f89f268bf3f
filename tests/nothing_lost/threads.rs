//! How many threads work at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::ground::{Ground, ended, state};

/// A look that took longer is not one moment: threads that were counted first have handed their work to others.
const ONE_MOMENT: Duration = Duration::from_micros(500);

/// Looks without others at work that are needed to tell.
const ENOUGH: u32 = 50;

/// Counts the threads of the jobs (children of `pinpress-media`) in state R, on a core or waiting for one, in looks
/// that are 2 ms apart. Only looks at which nobody else on the machine wants a core count: a thread that is pushed off
/// while it hands its work on is in state R beside the one that has the work.
#[test]
fn at_any_number_of_jobs_no_more_threads_work_than_twice_the_cores() {
    let Some(ground) = Ground::new() else { return };
    for number in 0..8 {
        ground.clip(&format!("{number}.mkv"), "640x360", 4, 25);
    }
    let most = 2 * std::thread::available_parallelism().unwrap().get();
    for jobs in ["1", "2", "8"] {
        let out = ground.at(jobs);
        let mut child = ground.fix(&out, &["--jobs", jobs]).spawn().unwrap();
        let (mut looks, mut tasks) = (BTreeMap::<usize, u32>::new(), Tasks::default());
        while child.try_wait().unwrap().is_none() {
            tasks.renew(&ground);
            for _ in 0..10 {
                if let Some(seen @ 1..) = tasks.at_work() {
                    *looks.entry(seen).or_default() += 1;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        let said = ended(child);
        assert_eq!((said.code, Ground::names(&out).len()), (Some(0), 8), "{said:?}");
        let all: u32 = looks.values().sum();
        println!("--jobs {jobs}: threads at work, and how often: {looks:?}");
        if all < ENOUGH {
            println!("skipped: others are at work on this machine");
            return;
        }
        let over: u32 = looks.range(most + 1..).map(|(_, times)| times).sum();
        assert!(over * 100 <= all, "--jobs {jobs}: {most} threads may work at once: {looks:?}");
    }
}

/// The `stat` of each thread of the jobs, open, so that a look at all of them is short.
#[derive(Default)]
struct Tasks(BTreeMap<PathBuf, File>);

impl Tasks {
    fn renew(&mut self, ground: &Ground) {
        let workers = ground.workers();
        let parent = |process: u32| state(&PathBuf::from(format!("/proc/{process}/stat"))).map(|(_, parent)| parent);
        let jobs = workers.iter().filter(|job| parent(**job).is_some_and(|parent| workers.contains(&parent)));
        let tasks = jobs.flat_map(|job| std::fs::read_dir(format!("/proc/{job}/task")).into_iter().flatten().flatten());
        let paths: BTreeSet<_> = tasks.map(|task| task.path().join("stat")).collect();
        self.0.retain(|path, _| paths.contains(path));
        for path in paths {
            if let Ok(file) = File::open(&path) {
                self.0.entry(path).or_insert(file);
            }
        }
    }

    /// Threads in state R; `None` where the look was no moment, or others were at work.
    fn at_work(&self) -> Option<usize> {
        let begun = Instant::now();
        let all = running()?;
        let mut bytes = [0; 256];
        let mut seen = 0;
        for file in self.0.values() {
            let length = file.read_at(&mut bytes, 0).unwrap_or(0);
            let name_end = bytes[..length].iter().rposition(|&byte| byte == b')').unwrap_or(0);
            seen += usize::from(bytes[..length].get(name_end + 2) == Some(&b'R'));
        }
        // This thread is one.
        (begun.elapsed() <= ONE_MOMENT && all <= seen + 1).then_some(seen)
    }
}

/// Threads of the whole machine that have a core or wait for one (proc(5), `/proc/loadavg`).
fn running() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().nth(3)?.split_once('/')?.0.parse().ok()
}
