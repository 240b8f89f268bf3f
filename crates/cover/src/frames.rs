//! Small stills of a video, spread over it.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use pinpress_av::{AvError, Still, StillOptions, Stills};
use pinpress_media::Failure;

use crate::{beside, failure};

/// How many sync samples are looked at in a short video.
const SOME: usize = 20;

/// How many in the longest.
const MOST: usize = 60;

/// For so many microseconds one more: of 15 minutes, the longest Pin, [`MOST`].
const ONE_MORE_US: i64 = 22_500_000;

/// With so many sync samples places are looked at at once.
const WORTH_A_THREAD: usize = 8;

/// Pixels of pictures that are decoded at once: two of 2560×1440, and one of 4K, of which each decoder holds over
/// 80 MB.
const PIXELS_AT_ONCE: u64 = 8_000_000;

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
        let options = StillOptions { max_side: Some(SIDE), rough: true, ..StillOptions::default() };
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
        let room = usize::try_from(PIXELS_AT_ONCE / stills.pixels().max(1)).unwrap_or(usize::MAX);
        let more = if sync_us.len() < WORTH_A_THREAD { 0 } else { threads.min(room).saturating_sub(1) };
        let mut all: Vec<Stills> = (0..more).map_while(|_| stills.again().ok()).collect();
        all.push(stills);
        Ok(Self { stills: all, duration_us, sync_us, trouble })
    }

    pub(crate) const fn duration_us(&self) -> i64 {
        self.duration_us
    }

    /// Times of sync samples: of the middle [`SOME`] to [`MOST`] where there are so many, evenly chosen, and one each of
    /// the beginning and the end.
    pub(crate) fn sync_times(&self) -> Vec<i64> {
        let middle = beside::middle(self.duration_us);
        let inside: Vec<i64> = self.sync_us.iter().copied().filter(|time| middle.contains(time)).collect();
        let more = usize::try_from(self.duration_us / ONE_MORE_US).unwrap_or(0);
        let count = inside.len().min(SOME.saturating_add(more).min(MOST));
        let chosen = (0..count).map(|at| inside[(2 * at + 1) * inside.len() / (2 * count)]);
        let first = self.sync_us.first().copied().filter(|time| time < middle.start());
        let last = self.sync_us.last().copied().filter(|time| time > middle.end());
        first.into_iter().chain(chosen).chain(last).collect()
    }

    /// The middle of the video.
    pub(crate) fn middle(&self) -> RangeInclusive<i64> {
        beside::middle(self.duration_us)
    }

    /// `count` times, each in the middle of its share of the middle of the video.
    pub(crate) fn spread_times(&self, count: i64) -> Vec<i64> {
        let middle = beside::middle(self.duration_us);
        let (start, length) = (*middle.start(), middle.end() - middle.start());
        (0..count).map(|at| start + length * (2 * at + 1) / (2 * count)).collect()
    }

    /// The sync frames at or before times in order; none for those that do not decode. `seen` is told each time.
    pub(crate) fn syncs(&mut self, times_us: &[i64], seen: &dyn Fn(i64)) -> Vec<Still> {
        let taken = at_once(&mut self.stills, times_us, &|stills, &time| stills.sync_at_us(time), &|&time| seen(time));
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
            &|stills, &time| {
                let mut later = stills.shortly_us(&STEPS_US.map(|step| time.saturating_add(step)))?;
                later.retain(|still| still.time_us > time);
                Ok(later)
            },
            &|&time| seen(time),
        );
        let kept = taken.into_iter().map(|taken| self.keep_trouble(taken.map(Some)).unwrap_or_default());
        kept.collect()
    }

    /// The same video for frames with no side over `max_side` pixels, with `threads` for the filters of each.
    pub(crate) fn into_full_size(mut self, max_side: Option<u32>, threads: usize) -> FullSize {
        for stills in &mut self.stills {
            stills.resize(max_side, threads);
        }
        FullSize { stills: self.stills, sync_us: self.sync_us }
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

/// Takes something for each place, at once with as many `stills`; answers in order. `seen` is told each place when it is
/// done.
fn at_once<I: Sync, T: Send, E: Send>(
    stills: &mut [Stills],
    places: &[I],
    take: &(dyn Fn(&mut Stills, &I) -> Result<T, E> + Sync),
    seen: &dyn Fn(&I),
) -> Vec<Result<T, E>> {
    if places.is_empty() {
        return Vec::new();
    }
    let (send, receive) = mpsc::channel();
    let mut taken: Vec<(usize, Result<T, E>)> = Vec::with_capacity(places.len());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for stills in stills.iter_mut() {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(place) = places.get(at) else { break };
                    // Nobody stops listening before the end.
                    let _ = send.send((at, take(stills, place)));
                }
            });
        }
        drop(send);
        for (at, result) in receive {
            places.get(at).into_iter().for_each(seen);
            taken.push((at, result));
        }
    });
    taken.sort_by_key(|(at, _)| *at);
    taken.into_iter().map(|(_, result)| result).collect()
}

/// A video from which frames are taken at full size, or smaller when that is asked for.
pub(crate) struct FullSize {
    /// As of [`Sampler`].
    stills: Vec<Stills>,
    sync_us: Vec<i64>,
}

impl FullSize {
    /// Gives each entry's frame to `take`; `time` is an entry's, as a [`Sampler`] gave it, and entries are in order of
    /// it. `seen` is told each entry when it is done. Answers in order.
    pub(crate) fn each<I: Sync, T: Send>(
        &mut self,
        entries: &[I],
        time: &(dyn Fn(&I) -> i64 + Sync),
        take: &(dyn Fn(&Still, &I) -> Result<T, Failure> + Sync),
        seen: &dyn Fn(&I),
    ) -> Vec<Result<T, Failure>> {
        let sync_us = &self.sync_us;
        let frame = |stills: &mut Stills, entry: &I| take(&frame(stills, sync_us, time(entry))?, entry);
        at_once(&mut self.stills, entries, &frame, seen)
    }
}

/// The frame that a [`Sampler`] gave with this time.
fn frame(stills: &mut Stills, sync_us: &[i64], time_us: i64) -> Result<Still, Failure> {
    if let Some(kept) = stills.kept_at_us(time_us).map_err(|error| failure::of_libav(&error))? {
        return Ok(kept);
    }
    // A microsecond more: the rounded time of a frame may lie a hair before its timestamp, in the frame before.
    let asked = time_us.saturating_add(1);
    // Of a sync frame nothing else is decoded.
    let alone = if sync_us.binary_search(&time_us).is_ok() { stills.sync_at_us(asked).ok().flatten() } else { None };
    if let Some(still) = alone.filter(|still| still.time_us == time_us) {
        return Ok(still);
    }
    let taken = stills.at_us(asked).map_err(|error| failure::of_libav(&error))?;
    let gone = || AvError::Corrupt("a frame that decoded before does not decode again".to_owned());
    taken.ok_or_else(|| failure::of_libav(&gone()))
}
