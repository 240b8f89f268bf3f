//! How a job's threads are shared out, and who of its stages works now.
//!
//! A stage a thread keeps all of them busy with little waiting, but at a thread a stage two videos on two cores would
//! be ten threads that push one another off the cores and out of the caches. So stages take turns: as many work at
//! once as the job's share allows, in the order in which they asked.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

use crate::encoder::own_threads;

/// What each part of an encode gets of a job's threads: at most twice as many work at once, and one where the job has
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Split {
    /// Frames that the encoder works on at once.
    pub(crate) encoder: usize,
    /// Frames that the decoder works on at once; with one, on the thread of its stage.
    pub(crate) decoder: usize,
    /// Slices that filters work on at once.
    pub(crate) filters: usize,
    /// Stages that work at once.
    pub(crate) stages: usize,
}

impl Split {
    pub(crate) const fn of(threads: usize) -> Self {
        let encoder = if threads > 1 { threads } else { 1 };
        // The encoder's own, and the thread that feeds it.
        let rest = match threads {
            0 | 1 => 1,
            _ => 2 * threads - own_threads(encoder) - 1,
        };
        let (pool, stages) = match (rest - 1) / 2 {
            0 | 1 => (1, rest),
            pool => (pool, rest - 2 * pool),
        };
        Self { encoder, decoder: pool, filters: pool, stages }
    }
}

/// The turns of one job. First come, first served; a turn that is given back wakes the one who gets it and nobody
/// else.
#[derive(Debug)]
pub(crate) struct Turns {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    waiting: VecDeque<Arc<Waiter>>,
}

/// A thread that waits: for a turn, or for a queue and then for its turn.
#[derive(Debug)]
pub(crate) struct Waiter {
    thread: Thread,
    may_go: AtomicBool,
    /// Whose turn it needs besides; a thread without a seat needs none.
    turns: Option<Arc<Turns>>,
}

impl Waiter {
    pub(crate) fn of_this_thread() -> Arc<Self> {
        let turns = SEAT.with_borrow(|seat| seat.as_ref().map(|seat| Arc::clone(&seat.turns)));
        Arc::new(Self { thread: thread::current(), may_go: AtomicBool::new(false), turns })
    }

    /// What it waited for is there: it goes on when it has its turn.
    pub(crate) fn wake(waiter: Arc<Self>) {
        match waiter.turns.clone() {
            None => waiter.go(),
            Some(turns) => turns.admit(waiter),
        }
    }

    fn go(&self) {
        self.may_go.store(true, Ordering::Release);
        self.thread.unpark();
    }

    fn wait(&self) {
        while !self.may_go.load(Ordering::Acquire) {
            thread::park();
        }
    }
}

impl Turns {
    pub(crate) fn new(at_once: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { free: at_once.max(1), waiting: VecDeque::new() }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the next free turn to `waiter`.
    fn admit(&self, waiter: Arc<Waiter>) {
        let mut state = self.state();
        if state.free > 0 {
            state.free -= 1;
            drop(state);
            waiter.go();
        } else {
            state.waiting.push_back(waiter);
        }
    }

    fn give_back(&self) {
        let mut state = self.state();
        match state.waiting.pop_front() {
            None => state.free += 1,
            Some(next) => {
                drop(state);
                next.go();
            }
        }
    }

    fn is_wanted(&self) -> bool {
        !self.state().waiting.is_empty()
    }
}

/// A stage's place: whether it has its turn.
struct Seat {
    turns: Arc<Turns>,
    has_turn: bool,
}

impl Seat {
    fn give_back(&mut self) {
        if self.has_turn {
            self.has_turn = false;
            self.turns.give_back();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.give_back();
    }
}

thread_local! {
    /// A stage has its thread for itself, so the seat is the thread's: what a stage does need not know of it.
    static SEAT: RefCell<Option<Seat>> = const { RefCell::new(None) };
}

/// Runs a stage on this thread that works when it has its turn, and gives it back while it waits for another.
pub(crate) fn in_turn<T>(turns: &Arc<Turns>, stage: impl FnOnce() -> T) -> T {
    /// Takes the seat away also when the stage panics: the others would wait for its turn.
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            SEAT.with_borrow_mut(Option::take);
        }
    }
    let _leave = Leave;
    SEAT.set(Some(Seat { turns: Arc::clone(turns), has_turn: false }));
    take_turn();
    stage()
}

fn seated(act: impl FnOnce(&mut Seat)) {
    SEAT.with_borrow_mut(|seat| seat.as_mut().map(act));
}

fn take_turn() {
    let waiter = Waiter::of_this_thread();
    if let Some(turns) = waiter.turns.clone() {
        turns.admit(Arc::clone(&waiter));
        wait(&waiter);
    }
}

/// Waits until somebody has woken `waiter`, which is of this thread. Its turn is another's meanwhile.
pub(crate) fn wait(waiter: &Waiter) {
    seated(Seat::give_back);
    waiter.wait();
    seated(|seat| seat.has_turn = true);
}

/// Between two messages: lets those go first who wait for a turn.
pub(crate) fn give_way() {
    let mut is_wanted = false;
    seated(|seat| is_wanted = seat.turns.is_wanted());
    if is_wanted {
        take_turn();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_threads_are_the_most() {
        for threads in 1..200 {
            let split = Split::of(threads);
            let pool = |threads: usize| if threads > 1 { threads } else { 0 };
            let feeder = usize::from(own_threads(split.encoder) > 0);
            let working =
                own_threads(split.encoder) + feeder + pool(split.decoder) + pool(split.filters) + split.stages;
            assert!(working <= if threads == 1 { 1 } else { 2 * threads }, "{threads}: {split:?}");
            assert!(split.stages > 0 && split.encoder == threads, "{threads}: {split:?}");
        }
    }

    #[test]
    fn a_stage_that_panics_gives_its_turn_back() {
        let turns = Turns::new(1);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            in_turn(&turns, || panic!("as a test"));
        }));
        assert!(panicked.is_err());
        assert_eq!(in_turn(&turns, || 7), 7);
    }
}
