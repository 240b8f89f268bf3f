//! Work in parallel, results in order.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use rayon::iter::{ParallelBridge as _, ParallelIterator as _};

use crate::interrupt::Interrupt;

/// How far work runs ahead of the results that were taken, for each thread.
const AHEAD: usize = 16;

/// How often what waits for its turn looks whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Calls `work` for each number below `count` on `threads` threads, and `take` on this thread with the results in the
/// order of the numbers. After an interruption nothing new begins, and `take` has what was done up to the first gap.
pub fn in_order<T: Send>(
    count: usize,
    threads: usize,
    interrupt: &Interrupt,
    work: impl Fn(usize) -> T + Sync,
    take: impl FnMut(usize, T),
) {
    // One file needs no pool.
    stream_in_order(0..count, threads.min(count), interrupt, |_, index| work(index), take);
}

/// The same for things that come one after another and may have to be waited for. `work` has the place of each and the
/// thing itself, and runs no more than some sixteen a thread ahead of `take`.
pub fn stream_in_order<I: Send, T: Send>(
    things: impl Iterator<Item = I> + Send,
    threads: usize,
    interrupt: &Interrupt,
    work: impl Fn(usize, I) -> T + Sync,
    mut take: impl FnMut(usize, T),
) {
    let pool = (threads > 1).then(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok()).flatten();
    let things = things.enumerate();
    // One thread, or a system that gives no more: no need for a pool.
    let Some(pool) = pool else {
        things.take_while(|_| !interrupt.requested()).for_each(|(index, thing)| take(index, work(index, thing)));
        return;
    };
    let window = Window { ahead: AHEAD * threads, taken: Mutex::new(0), moved: Condvar::new() };
    let (results, done) = crossbeam_channel::bounded(AHEAD * threads);
    std::thread::scope(|scope| {
        let (window, work) = (&window, &work);
        scope.spawn(move || {
            // A bridge hands out the things one after another; a split range would have the last half wait for the
            // first.
            pool.install(|| {
                things.par_bridge().for_each(|(index, thing)| {
                    if window.admits(index, interrupt) {
                        // The receiver outlives every sender.
                        drop(results.send((index, work(index, thing))));
                    }
                });
            });
            drop(results);
        });
        let mut next = 0;
        let mut early = BTreeMap::new();
        for (index, result) in done {
            early.insert(index, result);
            while let Some(result) = early.remove(&next) {
                take(next, result);
                next += 1;
                window.move_to(next);
            }
        }
    });
}

/// Bounds how many results wait for an earlier one.
struct Window {
    ahead: usize,
    taken: Mutex<usize>,
    moved: Condvar,
}

impl Window {
    /// Waits until the work of that place may begin; false when none may any more.
    fn admits(&self, index: usize, interrupt: &Interrupt) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while index >= *taken + self.ahead && !interrupt.requested() {
            taken = self.moved.wait_timeout(taken, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        !interrupt.requested()
    }

    fn move_to(&self, next: usize) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = next;
        self.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_order_at_any_number_of_threads() {
        for threads in [1, 2, 7] {
            let mut taken = Vec::new();
            let work = |index: usize| {
                // Uneven work, so that they end out of order.
                (0..(500 - index) * 20).fold(index, |sum, step| std::hint::black_box(sum ^ step ^ step))
            };
            in_order(500, threads, &Interrupt::default(), work, |index, result| taken.push((index, result)));
            assert!(taken.iter().enumerate().all(|(place, pair)| *pair == (place, place)) && taken.len() == 500);
        }
    }

    #[test]
    fn nothing_begins_after_an_interruption() {
        let interrupt = Interrupt::default();
        let begun = AtomicUsize::new(0);
        let work = |index| {
            begun.fetch_add(1, Ordering::SeqCst);
            if index == 10 {
                interrupt.request();
            }
        };
        let mut taken = 0;
        in_order(10_000, 4, &interrupt, work, |_, ()| taken += 1);
        let begun = begun.load(Ordering::SeqCst);
        assert!(taken <= begun && begun < 1_000, "{taken} of {begun}");
    }

    #[test]
    fn work_does_not_run_far_ahead_of_the_results() {
        let taken = AtomicUsize::new(0);
        let furthest = AtomicUsize::new(0);
        let work = |index: usize, _: usize| {
            let ahead = index.saturating_sub(taken.load(Ordering::SeqCst));
            furthest.fetch_max(ahead, Ordering::SeqCst);
        };
        let take = |index: usize, ()| {
            taken.store(index + 1, Ordering::SeqCst);
            if index < 20 {
                // Slow at first, so that what is not held back would run ahead.
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        stream_in_order(0..5_000, 3, &Interrupt::default(), work, take);
        assert_eq!(taken.load(Ordering::SeqCst), 5_000);
        assert!(furthest.load(Ordering::SeqCst) <= 3 * AHEAD, "{furthest:?}");
    }
}
