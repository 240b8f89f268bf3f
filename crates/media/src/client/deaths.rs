//! Workers that die over a video: tried again, but not for ever.

use crate::wire::{Failure, FailureKind};

/// So many deaths of a worker over one video, and the video is set aside. One may be the machine's doing (the kernel
/// took the memory back); three in a row are the video's.
const MAX_DEATHS: u32 = 3;

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
