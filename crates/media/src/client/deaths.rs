//! Workers that die over a video: tried again, but not for ever.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::wire::{Failure, FailureKind};

/// So many deaths of a worker over one video, and the video is set aside. One may be the machine's doing (the kernel
/// took the memory back); three in a row are the video's.
const MAX_DEATHS: u32 = 3;

/// Workers that died or had to be killed, counted for those who watch from outside; tries that went well after it
/// count too.
#[derive(Debug, Default)]
pub struct Deaths {
    crashed: AtomicU64,
    stalled: AtomicU64,
    endless: AtomicU64,
}

impl Deaths {
    /// How many so far, by how it came about.
    #[must_use]
    pub fn counts(&self) -> [(FailureKind, u64); 3] {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            (FailureKind::Crashed, of(&self.crashed)),
            (FailureKind::Stalled, of(&self.stalled)),
            (FailureKind::Endless, of(&self.endless)),
        ]
    }

    /// Counts a failure that is one of these.
    pub(super) fn count(&self, kind: FailureKind) {
        let count = match kind {
            FailureKind::Crashed => &self.crashed,
            FailureKind::Stalled => &self.stalled,
            FailureKind::Endless => &self.endless,
            _ => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Attempts until one ends with a worker alive, at most [`MAX_DEATHS`]. The last failure then says that the video was
/// set aside.
pub(super) fn until_set_aside<T>(mut attempt: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut deaths = 0;
    loop {
        match attempt() {
            Err(mut failure) if matches!(failure.kind, FailureKind::Crashed | FailureKind::Stalled) => {
                deaths += 1;
                if deaths == MAX_DEATHS {
                    failure.message = format!("set aside after {MAX_DEATHS} attempts: {}", failure.message);
                    return Err(failure);
                }
            }
            done => return done,
        }
    }
}
