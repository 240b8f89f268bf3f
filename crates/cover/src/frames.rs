//! Small stills of a video, spread over it.

use std::path::Path;
use std::sync::mpsc;
use std::thread;

use pinpress_av::{AvError, Still, StillOptions, Stills};
use pinpress_media::Failure;

use crate::{beside, failure};

/// How many sync samples are looked at.
const MOST: usize = 60;

/// With so many sync samples places are looked at at once.
const WORTH_A_THREAD: usize = 8;

/// Longest side of a still for measuring, in pixels. hecate's limits are for frames of about this size.
const SIDE: u32 = 320;

/// How much later the looks are that tell movement and transitions, in microseconds: two and four frames at 30 a
/// second, so that a frame that is shown twice does not pass for rest.
const STEPS_US: [i64; 2] = [66_700, 133_400];

/// A video from which small stills are taken.
pub(crate) struct Sampler {
    /// At least one; more where frames of several places are taken at once.
    stills: Vec<Stills>,
    /// In microseconds; to the last frame where the file does not say.
    duration_us: i64,
    sync_us: Vec<i64>,
    /// Why the first still that failed did.
    trouble: Option<AvError>,
}

impl Sampler {
    /// With at least one thread.
    pub(crate) fn open(source: &Path, threads: usize) -> Result<Self, Failure> {
        let options = StillOptions { max_side: Some(SIDE), ..StillOptions::default() };
        let mut stills = Stills::open(source, &options).map_err(|error| failure::of_libav(&error))?;
        // A file that breaks off still has frames before the break: what is wrong shows when none is found.
        let (sync_us, trouble) = match stills.sync_times_us() {
            Ok(times) => (times, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let duration_us = match stills.duration_us() {
            Some(duration) => duration,
            // The last frame's time; it may take decoding from the last sync sample on.
            None => stills.at_us(i64::MAX / 4).ok().flatten().map_or(0, |still| still.time_us),
        };
        // With few sync samples all places are reached from the same one.
        let more = if sync_us.len() < WORTH_A_THREAD { 0 } else { threads.saturating_sub(1) };
        let mut all: Vec<Stills> = (0..more).map_while(|_| stills.again().ok()).collect();
        all.push(stills);
        Ok(Self { stills: all, duration_us, sync_us, trouble })
    }

    pub(crate) const fn duration_us(&self) -> i64 {
        self.duration_us
    }

    /// Times of sync samples: at most [`MOST`] of the middle, evenly chosen, and one each of the beginning and the end.
    pub(crate) fn sync_times(&self) -> Vec<i64> {
        let middle = beside::middle(self.duration_us);
        let inside: Vec<i64> = self.sync_us.iter().copied().filter(|time| middle.contains(time)).collect();
        let count = inside.len().min(MOST);
        let chosen = (0..count).map(|at| inside[(2 * at + 1) * inside.len() / (2 * count)]);
        let first = self.sync_us.first().copied().filter(|time| time < middle.start());
        let last = self.sync_us.last().copied().filter(|time| time > middle.end());
        first.into_iter().chain(chosen).chain(last).collect()
    }

    /// `count` times, each in the middle of its share of the middle of the video.
    pub(crate) fn spread_times(&self, count: i64) -> Vec<i64> {
        let middle = beside::middle(self.duration_us);
        let (start, length) = (*middle.start(), middle.end() - middle.start());
        (0..count).map(|at| start + length * (2 * at + 1) / (2 * count)).collect()
    }

    /// The sync frames at or before times in order; none for those that do not decode. `seen` is told each time.
    pub(crate) fn syncs(&mut self, times_us: &[i64], seen: &dyn Fn(i64)) -> Vec<Still> {
        let taken = at_once(&mut self.stills, times_us, &|stills, time| stills.sync_at_us(time), seen);
        taken.into_iter().filter_map(|taken| self.keep_trouble(taken)).collect()
    }

    /// The frame that is shown at a time; `None` when it does not decode.
    pub(crate) fn shown(&mut self, time_us: i64) -> Option<Still> {
        let taken = self.stills.first_mut()?.at_us(time_us);
        self.keep_trouble(taken)
    }

    /// The frames that are shown [`STEPS_US`] after each of these times in order, none twice. `seen` is told each time.
    pub(crate) fn later(&mut self, times_us: &[i64], seen: &dyn Fn(i64)) -> Vec<Vec<Still>> {
        let taken = at_once(
            &mut self.stills,
            times_us,
            &|stills, time| {
                let mut later: Vec<Still> = Vec::new();
                for step in STEPS_US {
                    let last = later.last().map_or(time, |still| still.time_us);
                    later.extend(stills.at_us(time.saturating_add(step))?.filter(|still| still.time_us > last));
                }
                Ok(later)
            },
            seen,
        );
        let kept = taken.into_iter().map(|taken| self.keep_trouble(taken.map(Some)).unwrap_or_default());
        kept.collect()
    }

    /// Why there is no frame at all.
    pub(crate) fn no_frame(self) -> Failure {
        let broken = AvError::Corrupt("no frame of it can be decoded".to_owned());
        failure::of_libav(&self.trouble.unwrap_or(broken))
    }

    fn keep_trouble<T>(&mut self, taken: Result<Option<T>, AvError>) -> Option<T> {
        match taken {
            Ok(still) => still,
            Err(error) => {
                self.trouble.get_or_insert(error);
                None
            }
        }
    }
}

/// Takes something at each time, in order: a run of times each with its own `stills`, at once. `seen` is told each time
/// when it is done.
fn at_once<T: Send>(
    stills: &mut [Stills],
    times_us: &[i64],
    take: &(dyn Fn(&mut Stills, i64) -> Result<T, AvError> + Sync),
    seen: &dyn Fn(i64),
) -> Vec<Result<T, AvError>> {
    if times_us.is_empty() {
        return Vec::new();
    }
    let share = times_us.len().div_ceil(stills.len());
    let (send, receive) = mpsc::channel();
    let mut taken: Vec<(usize, Result<T, AvError>)> = Vec::with_capacity(times_us.len());
    thread::scope(|scope| {
        for (stills, (run, times)) in stills.iter_mut().zip(times_us.chunks(share).enumerate()) {
            let send = send.clone();
            scope.spawn(move || {
                for (at, &time) in (run * share..).zip(times) {
                    // Nobody stops listening before the end.
                    let _ = send.send((at, take(stills, time)));
                }
            });
        }
        drop(send);
        for (at, result) in receive {
            seen(times_us.get(at).copied().unwrap_or(0));
            taken.push((at, result));
        }
    });
    taken.sort_by_key(|(at, _)| *at);
    taken.into_iter().map(|(_, result)| result).collect()
}

/// A video from which frames are taken at full size, or smaller when that is asked for.
pub(crate) struct FullSize(Stills);

impl FullSize {
    /// With `threads` for the decoder, at least 1, and no side over `max_side` pixels.
    pub(crate) fn open(source: &Path, max_side: Option<u32>, threads: usize) -> Result<Self, Failure> {
        let options = StillOptions { max_side, threads: threads.max(1), ..StillOptions::default() };
        let mut stills = Stills::open(source, &options).map_err(|error| failure::of_libav(&error))?;
        // Knowing them, it decodes on where no sync sample lies between two frames; not knowing is only slower.
        let _ = stills.sync_times_us();
        Ok(Self(stills))
    }

    /// The frame that a [`Sampler`] gave with this time.
    pub(crate) fn frame(&mut self, time_us: i64) -> Result<Still, Failure> {
        // A microsecond more: the rounded time of a frame may lie a hair before its timestamp, in the frame before.
        let taken = self.0.at_us(time_us.saturating_add(1)).map_err(|error| failure::of_libav(&error))?;
        let gone = || AvError::Corrupt("a frame that decoded before does not decode again".to_owned());
        taken.ok_or_else(|| failure::of_libav(&gone()))
    }
}
