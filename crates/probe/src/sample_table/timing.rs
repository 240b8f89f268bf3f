//! Rates and durations from `stts` and `elst`, as fractions.

use super::Undecided;
use super::parsed::Edit;
use crate::units::{FrameRate, Rational, Seconds, TimeBase};

/// What the decode timestamps of a track say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DecodeTiming {
    /// Samples.
    pub(super) samples: u64,
    /// Ticks that all samples cover.
    pub(super) ticks: u64,
    /// The shortest sample that has a duration, the last sample apart.
    pub(super) shortest: Option<u32>,
    /// The longest, the last sample apart.
    pub(super) longest: Option<u32>,
}

impl DecodeTiming {
    /// Sums `stts` (ISO/IEC 14496-12 §8.6.1.2), given as (count, ticks) runs.
    pub(super) fn of(runs: &[(u32, u32)]) -> Self {
        let mut timing = Self { samples: 0, ticks: 0, shortest: None, longest: None };
        let last_used = runs.iter().rposition(|(count, _)| *count > 0);
        for (place, &(count, delta)) in runs.iter().enumerate() {
            let count = u64::from(count);
            timing.samples = timing.samples.saturating_add(count);
            timing.ticks = timing.ticks.saturating_add(count.saturating_mul(u64::from(delta)));
            // The last sample lasts as long as its writer pleased: many give it the rest of the track, or nothing.
            let counted = if Some(place) == last_used { count - 1 } else { count };
            if counted > 0 {
                timing.shortest = Some(timing.shortest.map_or(delta, |known| known.min(delta)));
                timing.longest = Some(timing.longest.map_or(delta, |known| known.max(delta)));
            }
        }
        timing
    }

    /// Samples by the time they cover.
    pub(super) fn average_rate(&self, timescale: u32) -> Option<FrameRate> {
        let num = i128::from(self.samples) * i128::from(timescale);
        Rational::from_wide(num, i128::from(self.ticks)).and_then(|rate| FrameRate::try_from(rate).ok())
    }

    /// The rate while samples of `ticks` are shown.
    pub(super) fn rate_of(ticks: Option<u32>, timescale: u32) -> Option<FrameRate> {
        FrameRate::new(i64::from(timescale), i64::from(ticks?))
    }

    /// Sample durations differ by more than one tick, the rounding of the time base.
    pub(super) fn is_variable(&self) -> bool {
        self.longest.unwrap_or(0) - self.shortest.unwrap_or(0) > 1
    }
}

/// What a track has to present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MediaTimeline {
    /// Ticks that all samples cover.
    pub(super) ticks: u64,
    /// Where the composition timeline begins, in ticks.
    pub(super) first_composition_offset: i64,
    /// The track's own.
    pub(super) time_base: TimeBase,
}

/// When a track is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Presentation {
    /// When the first sample is shown: behind empty edits, and behind the gap before the composition timeline begins.
    pub(super) start: Seconds,
    /// From then on.
    pub(super) duration: Seconds,
    /// How much of the media, from its first sample on, is passed over before anything is shown.
    pub(super) skipped: Seconds,
}

impl Presentation {
    /// Applies the edit list (ISO/IEC 14496-12 §8.6.6) to the media of a track.
    ///
    /// Segment durations are in the movie's time scale, often milliseconds. Where one edit shows the media to its
    /// end, the media's own ticks are the exact duration and the segment's only their rounding.
    pub(super) fn of(media: MediaTimeline, edits: &[Edit], movie: TimeBase) -> Result<Self, Undecided> {
        let too_long = || Undecided::Contradiction("a duration out of range".to_owned());
        let seconds = |ticks: u64, base: TimeBase| {
            i64::try_from(ticks).ok().and_then(|ticks| Seconds::from_ticks(ticks, base)).ok_or_else(too_long)
        };
        // From where on there is something to show.
        let first = u64::try_from(media.first_composition_offset).unwrap_or(0);
        let all = seconds(media.ticks, media.time_base)?;
        if edits.is_empty() {
            return Ok(Self { start: seconds(first, media.time_base)?, duration: all, skipped: Seconds::ZERO });
        }
        let mut start = 0_u64;
        let mut shown = Vec::new();
        for edit in edits {
            match edit.media_time {
                None if shown.is_empty() => start = start.saturating_add(edit.segment_duration),
                None => return Err(Undecided::codec("an empty edit in the middle")),
                Some(media_time) if edit.at_normal_rate => shown.push((media_time, edit.segment_duration)),
                Some(_) => return Err(Undecided::codec("an edit with a rate")),
            }
        }
        let mut start = seconds(start, movie)?;
        let duration = match shown.as_slice() {
            [] => Seconds::ZERO,
            &[(media_time, segment)] => {
                // An edit points into the composition timeline, which begins with the first sample's offset.
                let ends = i128::from(media.ticks) + i128::from(media.first_composition_offset);
                let rest = u64::try_from((ends - i128::from(media_time)).max(0)).map_err(|_| too_long())?;
                let rest = seconds(rest, media.time_base)?;
                let length = seconds(segment, movie)?;
                let off = rest.0.checked_sub(length.0).ok_or_else(too_long)?;
                let gap = seconds(first.saturating_sub(media_time), media.time_base)?;
                start = Seconds(start.0.checked_add(gap.0).ok_or_else(too_long)?);
                // A duration of zero means "to the end" in fragmented files and in what some cameras write.
                let end = if segment == 0 || off <= movie.seconds_per_tick() { rest } else { length };
                Seconds(end.max(gap).0.checked_sub(gap.0).ok_or_else(too_long)?)
            }
            several => {
                let total = several.iter().fold(0_u64, |sum, (_, segment)| sum.saturating_add(*segment));
                seconds(total, movie)?
            }
        };
        let skipped = shown.first().map_or(0, |(media_time, _)| media_time.saturating_sub(first));
        Ok(Self { start, duration, skipped: seconds(skipped, media.time_base)? })
    }

    /// When a sample is shown that is decoded `decoded` after the first one, but for the reordering of pictures.
    pub(super) fn place(&self, decoded: Seconds) -> Option<Seconds> {
        let shown = Seconds(decoded.0.checked_sub(self.skipped.0)?).max(Seconds::ZERO).min(self.duration);
        self.start.0.checked_add(shown.0).map(Seconds)
    }

    /// When the track ends.
    pub(super) fn end(&self) -> Option<Seconds> {
        self.start.0.checked_add(self.duration.0).map(Seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(segment_duration: u64, media_time: Option<u64>) -> Edit {
        Edit { segment_duration, media_time, at_normal_rate: true }
    }

    #[test]
    fn rates_are_exact() {
        let ntsc = DecodeTiming::of(&[(300, 1001)]);
        assert_eq!(ntsc.average_rate(30_000), FrameRate::new(30_000, 1001));
        let film = DecodeTiming::of(&[(240, 1001)]);
        assert_eq!(film.average_rate(24_000), FrameRate::new(24_000, 1001));
        assert!(DecodeTiming::of(&[(1, 0)]).average_rate(600).is_none(), "no time is no rate");
    }

    #[test]
    fn rounding_is_not_variation_and_the_last_sample_does_not_count() {
        assert!(!DecodeTiming::of(&[(2, 33), (1, 34), (2, 33)]).is_variable());
        assert!(!DecodeTiming::of(&[(99, 40), (1, 4_000)]).is_variable());
        assert!(DecodeTiming::of(&[(50, 40), (50, 80)]).is_variable());
    }

    #[test]
    fn edits_cut_and_delay() {
        let (time_base, movie) = (TimeBase::per_second(90_000).unwrap(), TimeBase::per_second(1_000).unwrap());
        let of = |ticks, first_composition_offset, edits: &[Edit]| {
            let media = MediaTimeline { ticks, first_composition_offset, time_base };
            Presentation::of(media, edits, movie).unwrap()
        };
        // 3.9996 s of media behind an edit of 4,000 ms: the rounding must not lift it to 4 s.
        let exact = Seconds::from_ticks(359_964, time_base).unwrap();
        assert_eq!(of(359_964, 0, &[edit(4_000, Some(0))]).duration, exact);
        // Reordered pictures: the edit skips the composition offset and nothing of the picture.
        assert_eq!(of(359_964, 7_200, &[edit(4_000, Some(7_200))]).duration, exact);
        let cut = of(900_000, 0, &[edit(4_000, Some(90_000))]);
        assert_eq!(cut.duration, Seconds::from_millis(4_000));
        for (decoded, shown) in [(500, 0), (1_000, 0), (3_000, 2_000), (9_000, 4_000)] {
            assert_eq!(cut.place(Seconds::from_millis(decoded)), Some(Seconds::from_millis(shown)));
        }
        // Without an edit, or with one from zero on, the first picture waits for its composition offset.
        for edits in [&[][..], &[edit(4_080, Some(0))]] {
            let waits = of(360_000, 7_200, edits);
            assert_eq!((waits.start, waits.duration), (Seconds::from_millis(80), Seconds::from_millis(4_000)));
        }
        let late = of(360_000, 0, &[edit(500, None), edit(4_000, Some(0))]);
        assert_eq!((late.start, late.end()), (Seconds::from_millis(500), Some(Seconds::from_millis(4_500))));
    }
}
