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

use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError};

use super::Halt;
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

#[derive(Debug)]
struct Waiter {
    stage: Thread,
    has_turn: AtomicBool,
}

impl Turns {
    pub(crate) fn new(at_once: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { free: at_once.max(1), waiting: VecDeque::new() }) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) {
        let waiter = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return;
            }
            let waiter = Arc::new(Waiter { stage: thread::current(), has_turn: AtomicBool::new(false) });
            state.waiting.push_back(Arc::clone(&waiter));
            waiter
        };
        while !waiter.has_turn.load(Ordering::Acquire) {
            thread::park();
        }
    }

    fn give_back(&self) {
        let mut state = self.state();
        match state.waiting.pop_front() {
            None => state.free += 1,
            Some(next) => {
                drop(state);
                next.has_turn.store(true, Ordering::Release);
                next.stage.unpark();
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
    fn take(&mut self) {
        if !self.has_turn {
            self.turns.take();
            self.has_turn = true;
        }
    }

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

/// Runs a stage on this thread that works when it has its turn, and gives it back while it waits in [`next`] or
/// [`send`].
pub(crate) fn in_turn<T>(turns: &Arc<Turns>, stage: impl FnOnce() -> T) -> T {
    /// Takes the seat away also when the stage panics: the others would wait for its turn.
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            SEAT.with_borrow_mut(Option::take);
        }
    }
    let _leave = Leave;
    let mut seat = Seat { turns: Arc::clone(turns), has_turn: false };
    seat.take();
    SEAT.set(Some(seat));
    stage()
}

fn seated(act: impl FnOnce(&mut Seat)) {
    SEAT.with_borrow_mut(|seat| seat.as_mut().map(act));
}

/// The next message; a channel without a sender is a stage that went away.
pub(crate) fn next<T>(channel: &Receiver<T>) -> Result<T, Halt> {
    seated(|seat| {
        if seat.turns.is_wanted() {
            seat.give_back();
        }
    });
    let message = match channel.try_recv() {
        Ok(message) => message,
        Err(TryRecvError::Disconnected) => return Err(Halt::PeerGone),
        Err(TryRecvError::Empty) => {
            seated(Seat::give_back);
            channel.recv()?
        }
    };
    seated(Seat::take);
    Ok(message)
}

/// Hands a message on; a channel without a receiver is a stage that went away.
pub(crate) fn send<T>(channel: &Sender<T>, message: T) -> Result<(), Halt> {
    match channel.try_send(message) {
        Ok(()) => Ok(()),
        Err(TrySendError::Disconnected(_)) => Err(Halt::PeerGone),
        Err(TrySendError::Full(message)) => {
            seated(Seat::give_back);
            channel.send(message)?;
            seated(Seat::take);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

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
    fn no_more_work_at_once_than_have_turns_and_all_get_theirs() {
        let (turns, working, most) = (Turns::new(2), AtomicUsize::new(0), AtomicUsize::new(0));
        let (to_second, second) = crossbeam_channel::bounded::<u32>(1);
        let (to_third, third) = crossbeam_channel::bounded::<u32>(1);
        let work = || {
            most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            working.fetch_sub(1, Ordering::SeqCst);
        };
        let sum = thread::scope(|scope| {
            let (turns, work) = (&turns, &work);
            scope.spawn(move || {
                in_turn(turns, || {
                    for number in 0..1000 {
                        work();
                        assert!(send(&to_second, number).is_ok());
                    }
                });
            });
            scope.spawn(move || {
                in_turn(turns, || {
                    while let Ok(number) = next(&second) {
                        work();
                        assert!(send(&to_third, number).is_ok());
                    }
                });
            });
            let last = scope.spawn(move || {
                in_turn(turns, || {
                    let mut sum = 0;
                    while let Ok(number) = next(&third) {
                        work();
                        sum += number;
                    }
                    sum
                })
            });
            last.join().unwrap()
        });
        assert_eq!(sum, 499_500);
        assert!(most.load(Ordering::SeqCst) <= 2);
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
