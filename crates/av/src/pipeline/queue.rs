//! Bounded queues between stages. A stage that waits at one is woken when it may go on: with its turn in hand.
//!
//! A channel that knows nothing of turns wakes its receiver with every message, only for it to wait again for a turn;
//! until a core is free to do so it is one more thread that wants one. Measured with crossbeam's, on two cores and with a
//! budget of four threads: one look in a hundred saw more than six.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Halt;
use super::turns::{Waiter, give_way, wait};

/// The end that gives. Clones give to the same queue.
pub(crate) struct Sender<T>(Arc<Queue<T>>);

/// The end that takes.
pub(crate) struct Receiver<T>(Arc<Queue<T>>);

struct Queue<T> {
    most: usize,
    state: Mutex<State<T>>,
}

struct State<T> {
    messages: VecDeque<T>,
    senders: usize,
    has_receiver: bool,
    /// The receiver, while it waits for a message.
    hungry: Option<Arc<Waiter>>,
    /// Senders that wait for room, in the order in which they came.
    full: VecDeque<Arc<Waiter>>,
}

/// A queue that holds at most `most` messages.
pub(crate) fn bounded<T>(most: usize) -> (Sender<T>, Receiver<T>) {
    let state =
        State { messages: VecDeque::new(), senders: 1, has_receiver: true, hungry: None, full: VecDeque::new() };
    let queue = Arc::new(Queue { most: most.max(1), state: Mutex::new(state) });
    (Sender(Arc::clone(&queue)), Receiver(queue))
}

impl<T> Queue<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The next message; a queue without a sender is a stage that went away.
pub(crate) fn next<T>(queue: &Receiver<T>) -> Result<T, Halt> {
    give_way();
    loop {
        let mut state = queue.0.state();
        if let Some(message) = state.messages.pop_front() {
            let sender = state.full.pop_front();
            drop(state);
            wake(sender);
            return Ok(message);
        }
        if state.senders == 0 {
            return Err(Halt::PeerGone);
        }
        let waiter = Waiter::of_this_thread();
        state.hungry = Some(Arc::clone(&waiter));
        drop(state);
        wait(&waiter);
    }
}

/// Hands a message on; a queue without a receiver is a stage that went away.
pub(crate) fn send<T>(queue: &Sender<T>, message: T) -> Result<(), Halt> {
    loop {
        let mut state = queue.0.state();
        if !state.has_receiver {
            return Err(Halt::PeerGone);
        }
        if state.messages.len() < queue.0.most {
            state.messages.push_back(message);
            let receiver = state.hungry.take();
            drop(state);
            wake(receiver);
            return Ok(());
        }
        let waiter = Waiter::of_this_thread();
        state.full.push_back(Arc::clone(&waiter));
        drop(state);
        wait(&waiter);
    }
}

fn wake(waiter: Option<Arc<Waiter>>) {
    if let Some(waiter) = waiter {
        Waiter::wake(waiter);
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.state().senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.senders -= 1;
        let receiver = if state.senders == 0 { state.hungry.take() } else { None };
        drop(state);
        wake(receiver);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.has_receiver = false;
        let (messages, senders) = (std::mem::take(&mut state.messages), std::mem::take(&mut state.full));
        drop(state);
        drop(messages);
        senders.into_iter().for_each(Waiter::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::super::turns::{Turns, in_turn};
    use super::*;

    #[test]
    fn no_more_work_at_once_than_have_turns_and_all_get_theirs() {
        let (turns, working, most) = (Turns::new(2), AtomicUsize::new(0), AtomicUsize::new(0));
        let (to_second, second) = bounded::<u32>(1);
        let (to_third, third) = bounded::<u32>(1);
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

    /// Three senders, one without turns, into one queue that is nearly always full: nothing is lost and all end.
    #[test]
    fn every_message_of_many_senders_comes_once_and_in_its_senders_order() {
        for turns in [1, 2, 3] {
            let turns = Turns::new(turns);
            let (to_last, last) = bounded::<(usize, u32)>(2);
            let got = thread::scope(|scope| {
                for sender in 0..3 {
                    let (turns, to_last) = (&turns, to_last.clone());
                    scope.spawn(move || {
                        let give = || (0..500).for_each(|number| assert!(send(&to_last, (sender, number)).is_ok()));
                        if sender == 0 { give() } else { in_turn(turns, give) }
                    });
                }
                drop(to_last);
                in_turn(&turns, || {
                    let mut got = vec![Vec::new(); 3];
                    while let Ok((sender, number)) = next(&last) {
                        got[sender].push(number);
                    }
                    got
                })
            });
            assert_eq!(got, vec![(0..500).collect::<Vec<_>>(); 3]);
        }
    }

    #[test]
    fn whoever_waits_learns_that_the_other_end_went_away() {
        let turns = Turns::new(1);
        let (to_nobody, nobody) = bounded::<u32>(1);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| in_turn(&turns, || send(&to_nobody, 1).and_then(|()| send(&to_nobody, 2))));
            // It takes nothing: the second message waits for room, or one of them finds no receiver.
            scope.spawn(|| in_turn(&turns, move || drop(nobody)));
            assert!(matches!(waiting.join().unwrap(), Err(Halt::PeerGone)));
        });
        let (from_nobody, waiting) = bounded::<u32>(1);
        thread::scope(|scope| {
            let taken = scope.spawn(|| in_turn(&turns, || next(&waiting)));
            scope.spawn(move || drop(from_nobody));
            assert!(matches!(taken.join().unwrap(), Err(Halt::PeerGone)));
        });
    }
}
