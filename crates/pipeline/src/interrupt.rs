//! The wish to stop, set from outside (a signal, a test), looked at between steps and inside long ones.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long what is nearly done may go on after it was asked to stop.
pub const GRACE: Duration = Duration::from_secs(10);

/// Shared by everything that should stop together. Clones are the same flag.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Wish>);

#[derive(Debug, Default)]
struct Wish {
    /// When stopping was asked for.
    asked: OnceLock<Instant>,
    /// At once, whatever is nearly done.
    at_once: AtomicBool,
}

impl Interrupt {
    /// Asks to stop: nothing new begins, and what is nearly done is finished. It cannot be taken back.
    pub fn request(&self) {
        self.0.asked.get_or_init(Instant::now);
    }

    /// Asks to stop at once.
    pub fn halt(&self) {
        self.request();
        self.0.at_once.store(true, Ordering::SeqCst);
    }

    /// Whether stopping was asked for.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.0.asked.get().is_some()
    }

    /// Whether nothing may go on any more: it was asked for twice, or [`GRACE`] is over.
    #[must_use]
    pub fn halted(&self) -> bool {
        self.0.at_once.load(Ordering::SeqCst) || self.0.asked.get().is_some_and(|asked| asked.elapsed() > GRACE)
    }
}

/// Whether work that took `elapsed` for `done` of `total` is at its end within [`GRACE`], at the same pace.
#[must_use]
pub fn is_nearly_done(done: u64, total: u64, elapsed: Duration) -> bool {
    let left = u128::from(total.saturating_sub(done));
    done > 0 && elapsed.as_millis().saturating_mul(left) <= GRACE.as_millis() * u128::from(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_kept_and_may_become_urgent() {
        let interrupt = Interrupt::default();
        assert!(!interrupt.requested() && !interrupt.halted());
        interrupt.clone().request();
        assert!(interrupt.requested() && !interrupt.halted());
        interrupt.halt();
        assert!(interrupt.halted());
        let urgent = Interrupt::default();
        urgent.halt();
        assert!(urgent.requested() && urgent.halted());
    }

    #[test]
    fn nearly_done_is_a_matter_of_time_left() {
        let minute = Duration::from_secs(60);
        assert!(is_nearly_done(60, 70, minute) && !is_nearly_done(60, 71, minute));
        assert!(!is_nearly_done(0, 10, Duration::ZERO), "nothing is known of its pace");
        assert!(is_nearly_done(10, 10, minute) && is_nearly_done(u64::MAX, u64::MAX, Duration::MAX / 2));
    }
}
