//! Whether a ledger is within reach, for whoever watches from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a ledger could be reached when it was last asked. Nothing is asked for this: who works renews claims, and who
/// waits for videos of a queue listens. A run that only watches folders asks nothing meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    away: Arc<AtomicBool>,
}

impl Reach {
    /// Whether it could. True before the first time.
    #[must_use]
    pub fn is_there(&self) -> bool {
        !self.away.load(Ordering::Relaxed)
    }

    pub(super) fn tell(&self, there: bool) {
        self.away.store(!there, Ordering::Relaxed);
    }
}
