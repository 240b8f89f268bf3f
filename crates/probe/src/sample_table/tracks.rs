//! Tracks as the `mp4` crate parsed them, turned into streams.

use super::guard::{Entry, Guarded, GuardedTrack};
use super::parsed::{Movie, Track};
use super::seen::Seen;
use super::sound::SoundFacts;
use super::timing::{DecodeTiming, MediaTimeline, Presentation};
use super::visual_entry::VisualEntry;
use super::{Undecided, colour, extent, picture, sound};
use crate::geometry::Orientation;
use crate::info::{Anomaly, AudioStream, OtherStream, PrivateTag, VideoStream};
use crate::units::{Rational, Seconds, TimeBase};

/// Everything that the tracks say.
pub(super) struct TrackFacts {
    pub(super) duration: Option<Seconds>,
    pub(super) video: Vec<VideoStream>,
    pub(super) audio: Vec<AudioStream>,
    pub(super) other: Vec<OtherStream>,
    pub(super) private: Vec<PrivateTag>,
    pub(super) anomalies: Vec<Anomaly>,
}

/// Sound and picture may end this far apart before it is worth a word: a second is what a viewer notices as a
/// frozen picture or a silent end.
const UNEVEN: Rational = Rational::whole(1);

/// Reads all tracks. How far the file is whole goes to `seen` before any codec is asked.
pub(super) fn facts(
    mut guarded: Guarded,
    mut movie: Movie,
    file_len: u64,
    seen: &mut Seen,
) -> Result<TrackFacts, Undecided> {
    if guarded.tracks.len() != movie.tracks.len() {
        return Err(Undecided::Contradiction("tracks were lost in parsing".to_owned()));
    }
    let movie_base = time_base(movie.timescale)?;
    let mut facts = TrackFacts {
        duration: None,
        video: Vec::new(),
        audio: Vec::new(),
        other: std::mem::take(&mut guarded.other),
        private: std::mem::take(&mut guarded.private),
        anomalies: Vec::new(),
    };
    let mut whole: Option<Seconds> = None;
    let mut samples = Vec::with_capacity(movie.tracks.len());
    for (seen, track) in guarded.tracks.iter_mut().zip(&mut movie.tracks) {
        if let Some(sizes) = seen.compact_sizes.take() {
            (track.samples.fixed_size, track.samples.sizes) = (0, sizes);
        }
        let read = Samples::of(seen, track, &guarded.bytes, movie_base, file_len)?;
        if let Some(decoded) = read.extent.whole_until {
            // In the time of the media, where the edit list is not understood.
            let until = read.presentation.as_ref().ok().and_then(|shown| shown.place(decoded)).unwrap_or(decoded);
            whole = Some(whole.map_or(until, |known| known.min(until)));
        }
        samples.push(read);
    }
    seen.whole_until = whole;
    let (mut start, mut end) = (None::<Seconds>, None::<Seconds>);
    for ((seen, track), samples) in guarded.tracks.iter().zip(&movie.tracks).zip(samples) {
        let presentation = samples.presentation?;
        end = end.max(presentation.end());
        start = start.map_or(Some(presentation.start), |known| Some(known.min(presentation.start)));
        let common = Common {
            timing: samples.timing,
            time_base: time_base(track.timescale)?,
            extent: samples.extent,
            presentation,
        };
        match &seen.entry {
            Entry::Visual(entry) => facts.video.push(video(seen, entry, track, &common, &guarded.bytes)?),
            Entry::Sound(_) => {
                let sound = samples.sound.unwrap_or_else(|| Err(Undecided::codec("no sound")))?;
                facts.audio.push(audio(seen.index, &sound, track, &common));
            }
        }
    }
    // Where every track begins late, nothing is shown before.
    facts.duration = start.zip(end).and_then(|(start, end)| end.0.checked_sub(start.0)).map(Seconds);
    if facts.video.is_empty() {
        return Err(Undecided::codec("no video track"));
    }
    if whole.is_some() {
        facts.anomalies.push(Anomaly::Truncated { whole });
    }
    if let (Some(Some(video)), Some(Some(audio))) =
        (facts.video.first().map(|stream| stream.duration), facts.audio.first().map(|stream| stream.duration))
    {
        let apart = video.max(audio).0.checked_sub(video.min(audio).0);
        if apart.is_some_and(|apart| apart > UNEVEN) {
            facts.anomalies.push(Anomaly::UnevenStreams { video, audio });
        }
    }
    Ok(facts)
}

fn time_base(timescale: u32) -> Result<TimeBase, Undecided> {
    TimeBase::per_second(timescale).ok_or_else(|| Undecided::Unsound("a time scale of zero".to_owned()))
}

/// What the sample table alone tells.
struct Samples {
    timing: DecodeTiming,
    extent: extent::Extent,
    /// When it is shown, or why nobody knows.
    presentation: Result<Presentation, Undecided>,
    /// What a sound entry says, or why it does not.
    sound: Option<Result<SoundFacts, Undecided>>,
}

impl Samples {
    fn of(seen: &GuardedTrack, track: &Track, bytes: &[u8], movie: TimeBase, file_len: u64) -> Result<Self, Undecided> {
        let time_base = time_base(track.timescale)?;
        let table = &track.samples;
        let timing = DecodeTiming::of(&table.durations);
        if timing.samples != u64::from(table.count) {
            let (timed, sized) = (timing.samples, table.count);
            return Err(Undecided::Contradiction(format!("stts has {timed} samples, stsz {sized}")));
        }
        if timing.samples == 0 {
            return Err(Undecided::codec("a track without samples"));
        }
        let mut fixed_size = table.fixed_size;
        let mut sound = None;
        if let Entry::Sound(entry) = &seen.entry {
            let read = sound::facts(entry, bytes);
            // QuickTime counts uncompressed and packed sound in samples, and writes a size of 1 or of one channel.
            if fixed_size > 0 {
                fixed_size = match read.as_ref().map_err(Clone::clone)?.frame_bytes {
                    Some(frame_bytes) => frame_bytes,
                    None if fixed_size == 1 => return Err(Undecided::codec("packed sound")),
                    None => fixed_size,
                };
            }
            sound = Some(read);
        }
        let media =
            MediaTimeline { ticks: timing.ticks, first_composition_offset: seen.first_composition_offset, time_base };
        Ok(Self {
            timing,
            extent: extent::extent(table, fixed_size, time_base, file_len)?,
            presentation: Presentation::of(media, &track.edits, movie),
            sound,
        })
    }
}

struct Common {
    timing: DecodeTiming,
    time_base: TimeBase,
    extent: extent::Extent,
    presentation: Presentation,
}

impl Common {
    /// Whether the first sample is a sync sample, behind which nothing is shown before it (ISO/IEC 14496-12 §8.6.2.1),
    /// and the edit list shows all samples.
    fn begins_clean(&self, seen: &GuardedTrack) -> Option<bool> {
        let (shown, base) = (&self.presentation, self.time_base);
        let all = i64::try_from(self.timing.ticks).ok().and_then(|ticks| Seconds::from_ticks(ticks, base))?;
        Some(seen.begins_in_sync && shown.skipped == Seconds::ZERO && shown.duration == all)
    }

    /// Bits of all samples by the time they cover.
    fn bit_rate(&self, timescale: u32) -> Option<u64> {
        let bits = u128::from(self.extent.bytes) * 8 * u128::from(timescale);
        bits.checked_div(u128::from(self.timing.ticks)).and_then(|rate| u64::try_from(rate).ok())
    }
}

fn video(
    seen: &GuardedTrack,
    entry: &VisualEntry,
    track: &Track,
    common: &Common,
    bytes: &[u8],
) -> Result<VideoStream, Undecided> {
    let picture = picture::facts(entry, bytes)?;
    let [a, b, c, d] = track.matrix;
    // libav makes a sample aspect of a matrix that scales one way more than the other.
    if a.unsigned_abs().max(b.unsigned_abs()) != c.unsigned_abs().max(d.unsigned_abs()) {
        return Err(Undecided::codec("a display matrix that stretches"));
    }
    let orientation = Orientation::from_matrix(a, b, c, d)
        .ok_or_else(|| Undecided::codec("a display matrix that is no quarter turn"))?;
    let timing = &common.timing;
    Ok(VideoStream {
        index: seen.index,
        codec: picture.codec.to_owned(),
        profile: picture.profile.map(str::to_owned),
        pixel_format: Some(picture.pixel_format),
        coded: picture.coded,
        clean_aperture: entry.clean_aperture.filter(|clean| clean.is_inside(picture.coded)),
        // The container's word goes before the codec's, as in `av_guess_sample_aspect_ratio`.
        cropping: picture.cropping,
        sample_aspect: entry.pixel_aspect.or(picture.sample_aspect),
        orientation,
        frame_rate: timing.average_rate(track.timescale),
        min_frame_rate: DecodeTiming::rate_of(timing.longest, track.timescale),
        max_frame_rate: DecodeTiming::rate_of(timing.shortest, track.timescale),
        variable_frame_rate: Some(timing.is_variable()),
        scan: picture.scan.or(entry.fields),
        colour: colour::merged(picture.colour, entry.colour),
        dolby_vision: entry.dolby_vision,
        dolby_vision_profile: entry.dolby_vision_profile,
        duration: Some(common.presentation.duration),
        start: Some(common.presentation.start),
        frame_count: Some(timing.samples),
        sync_samples: Some(seen.sync_samples.unwrap_or(timing.samples)),
        clean_start: common.begins_clean(seen),
        bit_rate: common.bit_rate(track.timescale),
    })
}

fn audio(index: u32, sound: &SoundFacts, track: &Track, common: &Common) -> AudioStream {
    AudioStream {
        index,
        codec: sound.codec.to_owned(),
        profile: sound.profile.map(str::to_owned),
        sample_rate: sound.sample_rate,
        channels: sound.channels,
        duration: Some(common.presentation.duration),
        start: Some(common.presentation.start),
        bit_rate: common.bit_rate(track.timescale),
    }
}
