//! What decoders tell the log and nobody else.
//!
//! Some decoders (HEVC, MPEG-4, WMV) conceal what they cannot decode without a mark on the frame and without an error:
//! a line at level error is all that there is. `AVCodecContext.opaque` is the caller's, libav copies it into the
//! context of the thread that gets the packet, and the log callback is handed that context. So `opaque` points to a
//! counter for the packet, and the callback counts: which packet a line is about is known at any number of threads.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ffmpeg_next::ffi;

/// Packets that may be on their way through a decoder with frame threads: it holds one for each thread.
const IN_FLIGHT: usize = 2 * MAX_FRAME_THREADS;

/// Threads that a watched decoder may have.
pub(crate) const MAX_FRAME_THREADS: usize = 32;

/// Counters for the packets that a decoder works on. Outlives the decoder that it watches.
pub(crate) struct Witness {
    complaints: Arc<[AtomicU32]>,
    /// Whose counter it is; `None` where complaints are of no interest.
    times: Vec<Option<i64>>,
    turn: usize,
}

impl Witness {
    /// For a decoder that gives each packet to a thread of its own when `frame_threads`, else to one after another. A
    /// decoder with threads that libav does not know is of the second kind: its context is never changed while they
    /// may read it.
    pub(crate) fn new(frame_threads: bool) -> Self {
        let places = if frame_threads { IN_FLIGHT } else { 1 };
        Self { complaints: (0..places).map(|_| AtomicU32::new(0)).collect(), times: vec![None; places], turn: 0 }
    }

    /// Begins to listen for the packet of this time, and answers the time of an earlier one that was complained about.
    pub(crate) fn listen(&mut self, time: Option<i64>) -> (*mut c_void, Option<i64>) {
        self.turn = (self.turn + 1) % self.times.len();
        let told = self.take(self.turn);
        self.times[self.turn] = time;
        (ptr::from_ref(&self.complaints[self.turn]).cast_mut().cast(), told)
    }

    /// The times of all packets that were complained about since they were asked for. The decoder is at its end.
    pub(crate) fn rest(&mut self) -> Vec<i64> {
        (0..self.times.len()).filter_map(|place| self.take(place)).collect()
    }

    fn take(&self, place: usize) -> Option<i64> {
        let told = self.complaints[place].swap(0, Ordering::Relaxed) > 0;
        self.times[place].filter(|_| told)
    }
}

/// Counts a line at level error from the object `context`, when it is a decoder that is watched.
///
/// # Safety
/// `context` is what libav hands to its log callback: null, or an object that begins with a pointer to its `AVClass`.
pub(crate) unsafe fn hear(context: *mut c_void) {
    // SAFETY: by the contract above; a context of this class is an AVCodecContext, and only `Decoder::watch` sets
    // `opaque` in one, to a counter that lives longer than the context. Nobody writes `opaque` while a thread that
    // could log has the context.
    unsafe {
        if context.is_null() || *context.cast::<*const ffi::AVClass>() != ffi::avcodec_get_class() {
            return;
        }
        let counter = (*context.cast::<ffi::AVCodecContext>()).opaque.cast::<AtomicU32>().cast_const();
        if let Some(counter) = counter.as_ref() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_told_once_for_its_packet_and_not_for_those_of_no_interest() {
        for frame_threads in [false, true] {
            let mut witness = Witness::new(frame_threads);
            let complain = |at: *mut c_void| {
                // SAFETY: `listen` answers a pointer to a counter of the witness, which is alive.
                unsafe { (*at.cast::<AtomicU32>()).fetch_add(2, Ordering::Relaxed) };
            };
            let mut told = Vec::new();
            for time in 0..200 {
                let (at, earlier) = witness.listen((time != 77).then_some(time));
                told.extend(earlier);
                if [3, 77, 199].contains(&time) {
                    complain(at);
                }
            }
            told.extend(witness.rest());
            assert_eq!(told, [3, 199]);
            assert!(witness.rest().is_empty());
        }
    }
}
