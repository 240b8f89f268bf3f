//! What time it is, and waiting for a later one: the system's, or a test's.

use std::fmt::Debug;
use std::time::Duration;

use jiff::Timestamp;

use crate::interrupt::Interrupt;

/// How often who waits looks whether to stop, and at the clock: it may have been set, or the machine have slept.
const LOOK: Duration = Duration::from_millis(200);

/// Tells the time by which Pins are scheduled.
pub trait Clock: Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Returns at `until`, or sooner when stopping was asked for.
    fn wait(&self, until: Timestamp, interrupt: &Interrupt);
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn wait(&self, until: Timestamp, interrupt: &Interrupt) {
        while !interrupt.requested() {
            let left = Duration::try_from(until.duration_since(self.now())).unwrap_or_default();
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(LOOK));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn waiting_ends_at_its_time_or_when_asked_to() {
        let until = SystemClock.now() + SignedDuration::from_millis(20);
        SystemClock.wait(until, &Interrupt::default());
        assert!(SystemClock.now() >= until);
        let stopped = Interrupt::default();
        stopped.request();
        SystemClock.wait(Timestamp::MAX, &stopped);
    }
}
