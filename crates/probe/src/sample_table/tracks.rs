//! Tracks as the `mp4` crate parsed them, turned into streams.

use super::guard::{Guarded, GuardedTrack};
use super::parsed::{Config, Movie, Track};
use super::timing::{DecodeTiming, MediaTimeline, Presentation};
use super::{Undecided, avc, extent};
use crate::geometry::Orientation;
use crate::info::{Anomaly, AudioStream, Colour, OtherStream, Scan, VideoStream};
use crate::units::{Rational, Seconds, TimeBase};

/// Everything that the tracks say.
pub(super) struct TrackFacts {
    pub(super) duration: Option<Seconds>,
    pub(super) video: Vec<VideoStream>,
    pub(super) audio: Vec<AudioStream>,
    pub(super) other: Vec<OtherStream>,
    pub(super) anomalies: Vec<Anomaly>,
}

/// Sound and picture may end this far apart before it is worth a word: a second is what a viewer notices as a
/// frozen picture or a silent end.
const UNEVEN: Rational = Rational::whole(1);

pub(super) fn facts(guarded: &Guarded, movie: &Movie, file_len: u64) -> Result<TrackFacts, Undecided> {
    if guarded.tracks.len() != movie.tracks.len() {
        return Err(Undecided::Contradiction("tracks were lost in parsing".to_owned()));
    }
    let movie_base = time_base(movie.timescale)?;
    let mut facts = TrackFacts {
        duration: None,
        video: Vec::new(),
        audio: Vec::new(),
        other: guarded.other.clone(),
        anomalies: Vec::new(),
    };
    let mut whole: Option<Seconds> = None;
    let (mut begin, mut end) = (None::<Seconds>, None::<Seconds>);
    for (seen, track) in guarded.tracks.iter().zip(&movie.tracks) {
        let common = Common::of(track, movie_base, file_len)?;
        let start = common.presentation.start;
        begin = Some(begin.map_or(start, |known| known.min(start)));
        end = end.max(common.presentation.end());
        if let Some(until) = common.extent.whole_until {
            whole = Some(whole.map_or(until, |known| known.min(until)));
        }
        if seen.is_video {
            facts.video.push(video(seen, track, &common)?);
        } else {
            facts.audio.push(audio(seen, track, &common)?);
        }
    }
    if facts.video.is_empty() {
        return Err(Undecided::codec("no video track"));
    }
    // Where every track begins with an empty edit, nothing is shown during it.
    facts.duration = begin.zip(end).and_then(|(begin, end)| end.0.checked_sub(begin.0)).map(Seconds);
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

struct Common {
    timescale: u32,
    timing: DecodeTiming,
    presentation: Presentation,
    extent: extent::Extent,
}

impl Common {
    fn of(track: &Track, movie: TimeBase, file_len: u64) -> Result<Self, Undecided> {
        let media = time_base(track.timescale)?;
        let timing = DecodeTiming::of(&track.samples.durations);
        if timing.samples != u64::from(track.samples.count) {
            let (timed, sized) = (timing.samples, track.samples.count);
            return Err(Undecided::Contradiction(format!("stts has {timed} samples, stsz {sized}")));
        }
        if timing.samples == 0 {
            return Err(Undecided::codec("a track without samples"));
        }
        Ok(Self {
            timescale: track.timescale,
            timing,
            presentation: Presentation::of(
                MediaTimeline {
                    ticks: timing.ticks,
                    first_composition_offset: track.samples.first_composition_offset,
                    time_base: media,
                },
                &track.edits,
                movie,
            )?,
            extent: extent::extent(&track.samples, media, file_len)?,
        })
    }

    /// Bits of all samples by the time they cover.
    fn bit_rate(&self) -> Option<u64> {
        let bits = u128::from(self.extent.bytes) * 8 * u128::from(self.timescale);
        bits.checked_div(u128::from(self.timing.ticks)).and_then(|rate| u64::try_from(rate).ok())
    }
}

fn video(seen: &GuardedTrack, track: &Track, common: &Common) -> Result<VideoStream, Undecided> {
    let parameter_sets = match (&seen.entry, &track.config) {
        (b"avc1", Config::Avc(parameter_sets)) => parameter_sets,
        (kind, _) => return Err(Undecided::codec(format!("video in {}", kind.escape_ascii()))),
    };
    let [nal] = parameter_sets.as_slice() else {
        return Err(Undecided::codec("not exactly one sequence parameter set"));
    };
    let picture = avc::facts(nal)?;
    let [a, b, c, d] = track.matrix;
    if track.matrix.iter().any(|entry| !matches!(entry.unsigned_abs(), 0 | 0x1_0000)) {
        return Err(Undecided::codec("a display matrix that scales"));
    }
    let orientation = Orientation::from_matrix(a, b, c, d)
        .ok_or_else(|| Undecided::codec("a display matrix that is no quarter turn"))?;
    let boxed = seen.colour.map(|(primaries, transfer, code, full_range)| Colour {
        full_range,
        ..avc::named_colour(primaries, transfer, code)
    });
    let clean_aperture = seen
        .clean_aperture
        .filter(|size| *size != picture.coded)
        .filter(|size| size.width <= picture.coded.width && size.height <= picture.coded.height);
    let timing = &common.timing;
    Ok(VideoStream {
        index: seen.index,
        codec: "h264".to_owned(),
        profile: picture.profile,
        pixel_format: Some(picture.pixel_format),
        coded: picture.coded,
        clean_aperture,
        // The container's word goes before the codec's, as in `av_guess_sample_aspect_ratio`.
        sample_aspect: seen.pixel_aspect.or(picture.sample_aspect),
        orientation,
        frame_rate: timing.average_rate(common.timescale),
        min_frame_rate: DecodeTiming::rate_of(timing.longest, common.timescale),
        max_frame_rate: DecodeTiming::rate_of(timing.shortest, common.timescale),
        variable_frame_rate: Some(timing.is_variable()),
        scan: Some(Scan::Progressive),
        colour: merged(picture.colour, boxed),
        dolby_vision: seen.dolby_vision,
        duration: Some(common.presentation.duration),
        start: Some(common.presentation.start),
        frame_count: Some(timing.samples),
        sync_samples: Some(track.samples.sync_samples.unwrap_or(timing.samples)),
        bit_rate: common.bit_rate(),
    })
}

/// The bitstream's description, and the container's where the bitstream is silent.
fn merged(stream: Colour, boxed: Option<Colour>) -> Colour {
    let boxed = boxed.unwrap_or_default();
    Colour {
        primaries: stream.primaries.or(boxed.primaries),
        transfer: stream.transfer.or(boxed.transfer),
        matrix: stream.matrix.or(boxed.matrix),
        full_range: stream.full_range.or(boxed.full_range),
    }
}

fn audio(seen: &GuardedTrack, track: &Track, common: &Common) -> Result<AudioStream, Undecided> {
    let config = match (&seen.entry, &track.config) {
        (b"mp4a", Config::Aac(config)) => config,
        (kind, _) => return Err(Undecided::codec(format!("sound in {}", kind.escape_ascii()))),
    };
    // ISO/IEC 14496-1 table 5: 0x40 is MPEG-4 audio, told apart by the object type of its configuration.
    if config.object_type_indication != 0x40 {
        return Err(Undecided::codec(format!("sound of object type {:#x}", config.object_type_indication)));
    }
    let profile = match config.audio_object_type {
        1 => "Main",
        2 => "LC",
        3 => "SSR",
        4 => "LTP",
        5 => "HE-AAC",
        29 => "HE-AACv2",
        other => return Err(Undecided::codec(format!("MPEG-4 audio object type {other}"))),
    };
    // ISO/IEC 14496-3 table 1.18 (index 15: written out, as the sample entry also has it) and table 1.19.
    const RATES: [u32; 13] =
        [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
    let sample_rate =
        RATES.get(usize::from(config.frequency_index)).copied().unwrap_or_else(|| u32::from(config.entry_sample_rate));
    let channels = match config.channel_configuration {
        // A program config element in the stream says; sample entries then hold anything.
        0 => None,
        7 => Some(8),
        count => Some(u16::from(count)),
    };
    Ok(AudioStream {
        index: seen.index,
        codec: "aac".to_owned(),
        profile: Some(profile.to_owned()),
        sample_rate: (sample_rate > 0).then_some(sample_rate),
        channels,
        duration: Some(common.presentation.duration),
        start: Some(common.presentation.start),
        bit_rate: common.bit_rate(),
    })
}
