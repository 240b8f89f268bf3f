//! Work in parallel, results in order.

use std::collections::BTreeMap;

use rayon::iter::{ParallelBridge as _, ParallelIterator as _};

use crate::interrupt::Interrupt;

/// Results that may wait for an earlier one, for each thread.
const AHEAD: usize = 16;

/// Calls `work` for each number below `count` on `threads` threads, and `take` on this thread with the results in the
/// order of the numbers. After an interruption nothing new begins, and `take` has what was done up to the first gap.
pub fn in_order<T: Send>(
    count: usize,
    threads: usize,
    interrupt: &Interrupt,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T),
) {
    let pool = (count > 1 && threads > 1)
        .then(|| rayon::ThreadPoolBuilder::new().num_threads(threads.min(count)).build().ok())
        .flatten();
    // One file, one thread, or a system that gives no more: no need for a pool.
    let Some(pool) = pool else {
        (0..count).take_while(|_| !interrupt.requested()).for_each(|index| take(index, work(index)));
        return;
    };
    let (results, done) = crossbeam_channel::bounded(AHEAD * threads);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let results = results;
            // A bridge hands out the numbers one after another; a split range would have the last half wait for the
            // first.
            pool.install(|| {
                (0..count).par_bridge().for_each(|index| {
                    if !interrupt.requested() {
                        // The receiver outlives every sender.
                        drop(results.send((index, work(index))));
                    }
                });
            });
        });
        let mut next = 0;
        let mut early = BTreeMap::new();
        for (index, result) in done {
            early.insert(index, result);
            while let Some(result) = early.remove(&next) {
                take(next, result);
                next += 1;
            }
        }
    });
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
}
