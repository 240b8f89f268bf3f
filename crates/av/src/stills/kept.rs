//! Frames behind rough stills that are kept for stills at full size: to decode one again takes a sync sample at least,
//! and a GOP at most.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ffmpeg_next::frame;

use super::run::Taken;

/// How many at most, and of how many bytes: 1920×1080 in 8 bits has 3.1 MB, and its rows are padded. Of larger ones the
/// decoder itself takes most of the memory that a cover may take.
const COUNT: usize = 12;
const BYTES: usize = 3_600_000;

/// By their times in microseconds; those of one video, wherever they were decoded.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Vec<(i64, Taken)>>>);

impl Kept {
    /// Whether `frame` may be kept for that time.
    pub(super) fn has_room_for(&self, time_us: i64, frame: &frame::Video) -> bool {
        let bytes: usize = (0..frame.planes()).map(|plane| frame.data(plane).len()).sum();
        let frames = self.frames();
        bytes <= BYTES && frames.len() < COUNT && frames.iter().all(|(kept, _)| *kept != time_us)
    }

    pub(super) fn keep(&self, time_us: i64, taken: Taken) {
        self.frames().push((time_us, taken));
    }

    pub(super) fn take(&self, time_us: i64) -> Option<Taken> {
        let mut frames = self.frames();
        let at = frames.iter().position(|(kept, _)| *kept == time_us)?;
        Some(frames.swap_remove(at).1)
    }

    fn frames(&self) -> MutexGuard<'_, Vec<(i64, Taken)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
