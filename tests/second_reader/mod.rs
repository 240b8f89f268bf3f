//! `mp4-atom` as the second reader of `moov`: it shares no code with the one that the gate stands on.
//!
//! Where both read a file, they must have read the same. Included by the tests and, by its path, by the fuzz targets.

use std::fmt::{Debug, Display};

use mp4_atom::{Codec, Decode as _, FourCC, Moov, StszSamples, Trak};
use pinpress_probe::{MediaInfo, Rational, Seconds};

/// What `mp4-atom` makes of the bytes of a whole `moov` box, header included; `None` when it does not read them.
pub(crate) fn second_reading(moov: &[u8]) -> Option<Moov> {
    let mut bytes = moov.to_vec();
    hide_sample_groups(&mut bytes);
    Moov::decode(&mut bytes.as_slice()).ok()
}

/// Renames each `sgpd` to `free`. `mp4-atom` takes its word for how many entries of no size it has: 26 bytes asked for
/// 700 MB. Nothing here is compared with it, and the gate does not read it.
fn hide_sample_groups(boxes: &mut [u8]) {
    let mut rest = boxes;
    while let Some((header, _)) = rest.split_first_chunk::<8>() {
        let [s0, s1, s2, s3, kind @ ..] = *header;
        let short = u32::from_be_bytes([s0, s1, s2, s3]) as usize;
        let long = rest.get(8..16).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        let (payload, size) = match (short, long.map(usize::try_from)) {
            (1, Some(Ok(size))) => (16, size),
            _ => (8, short),
        };
        if size < payload || size > rest.len() {
            return;
        }
        let (this, behind) = rest.split_at_mut(size);
        match &kind {
            b"sgpd" => this[4..8].copy_from_slice(b"free"),
            b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" => hide_sample_groups(&mut this[payload..]),
            _ => {}
        }
        rest = behind;
    }
}

/// Where the facts and the second reading differ.
///
/// The coded size is compared only on request: the gate takes it from the parameter set and the second reader from
/// the sample entry, which a mutation tears apart and a sound file does not.
pub(crate) fn differences(info: &MediaInfo, moov: &Moov, coded_size: bool) -> Vec<String> {
    let mut found = Differences::default();
    let of_kind = |kind: &[u8; 4]| {
        let kind = FourCC::from(kind);
        moov.trak.iter().enumerate().filter(move |(_, trak)| trak.mdia.hdlr.handler == kind)
    };
    let (pictures, sounds): (Vec<_>, Vec<_>) = (of_kind(b"vide").collect(), of_kind(b"soun").collect());
    found.same("video tracks", info.video.len(), pictures.len());
    found.same("audio tracks", info.audio.len(), sounds.len());
    // Cover art is no track, but a stream in libav's count.
    let others = info.other.iter().filter(|stream| stream.kind != "attached-picture").count();
    found.same("other tracks", others, moov.trak.len() - pictures.len() - sounds.len());
    for (video, (index, trak)) in info.video.iter().zip(pictures) {
        let track = Track::of(trak, moov);
        found.same("place of the video track", video.index as usize, index);
        found.same("frames by stsz", video.frame_count, Some(track.sizes.0));
        found.same("frames by stts", video.frame_count, Some(track.samples));
        let stss = trak.mdia.minf.stbl.stss.as_ref();
        let sync = stss.map_or(track.samples, |stss| stss.entries.len() as u64);
        found.same("sync samples", video.sync_samples, Some(sync));
        let rate = fraction(u128::from(track.samples) * u128::from(track.timescale), u128::from(track.ticks));
        found.same(
            "average frame rate",
            video.frame_rate.map(|rate| rate.rational()),
            rate.filter(|rate| rate.num() > 0),
        );
        found.same("bits a second", video.bit_rate, track.bit_rate());
        found.times((video.start, video.duration), &track);
        if let (true, [Codec::Avc1(entry)]) = (coded_size, trak.mdia.minf.stbl.stsd.codecs.as_slice()) {
            let (width, height) = (entry.visual.width.into(), entry.visual.height.into());
            found.same("coded size", (video.coded.width, video.coded.height), (width, height));
        }
    }
    for (audio, (index, trak)) in info.audio.iter().zip(sounds) {
        let track = Track::of(trak, moov);
        found.same("place of the audio track", audio.index as usize, index);
        // QuickTime counts uncompressed sound in samples and gives them a size of 1, or of one channel: libav and the
        // gate then go by the sample entry.
        let own_size = matches!(trak.mdia.minf.stbl.stsz.samples, StszSamples::Identical { .. });
        if !(own_size && audio.codec.starts_with("pcm_")) {
            found.same("bits a second of sound", audio.bit_rate, track.bit_rate());
        }
        found.times((audio.start, audio.duration), &track);
    }
    found.0
}

/// The sums over one track's tables.
struct Track {
    movie_timescale: u32,
    timescale: u32,
    /// Samples and ticks of `stts`.
    samples: u64,
    ticks: u64,
    /// Samples and bytes of `stsz`.
    sizes: (u64, u64),
    /// Leading empty edits, in ticks of the movie; the other edits as (media time, ticks of the movie).
    delay: u64,
    shown: Vec<(u64, u64)>,
    /// Whether there are any.
    edits: bool,
    first_composition_offset: i64,
}

impl Track {
    fn of(trak: &Trak, moov: &Moov) -> Self {
        let stbl = &trak.mdia.minf.stbl;
        let runs = stbl.stts.entries.iter().map(|run| (u64::from(run.sample_count), u64::from(run.sample_delta)));
        let edits = trak.edts.as_ref().and_then(|edts| edts.elst.as_ref()).map_or(&[][..], |elst| &elst.entries);
        Self {
            movie_timescale: moov.mvhd.timescale,
            timescale: trak.mdia.mdhd.timescale,
            samples: runs.clone().map(|(count, _)| count).sum(),
            ticks: runs.map(|(count, delta)| count * delta).sum(),
            sizes: match &stbl.stsz.samples {
                StszSamples::Identical { count, size } => (u64::from(*count), u64::from(*count) * u64::from(*size)),
                StszSamples::Different { sizes } => {
                    (sizes.len() as u64, sizes.iter().map(|size| u64::from(*size)).sum())
                }
            },
            delay: edits.iter().filter(|edit| edit.media_time.is_none()).map(|edit| edit.segment_duration).sum(),
            shown: edits.iter().filter_map(|edit| Some((edit.media_time?, edit.segment_duration))).collect(),
            edits: !edits.is_empty(),
            first_composition_offset: stbl
                .ctts
                .as_ref()
                .and_then(|ctts| ctts.entries.first())
                .map_or(0, |run| signed(run.sample_offset)),
        }
    }

    fn bit_rate(&self) -> Option<u64> {
        let bits = u128::from(self.sizes.1) * 8 * u128::from(self.timescale);
        bits.checked_div(u128::from(self.ticks)).and_then(|rate| u64::try_from(rate).ok())
    }
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn same<T: PartialEq + Debug>(&mut self, what: &str, ours: T, theirs: T) {
        if ours != theirs {
            self.0.push(format!("{what}: ours {ours:?}, second reader {theirs:?}"));
        }
    }

    fn one_of<T: PartialEq + Display + Debug>(&mut self, what: &str, ours: Option<T>, theirs: &[Option<T>]) {
        if !theirs.contains(&ours) {
            self.0.push(format!("{what}: ours {ours:?}, second reader one of {theirs:?}"));
        }
    }

    /// When the track is presented. Which of media and edit gives the exact duration, and whether the wait for the
    /// first composition offset belongs to the start, are rules of ours: here it has to be one of the two.
    fn times(&mut self, (start, duration): (Option<Seconds>, Option<Seconds>), track: &Track) {
        let media = |ticks: i128| seconds(ticks.max(0), track.timescale);
        let movie = |ticks: u64| seconds(i128::from(ticks), track.movie_timescale);
        let less = |all: Option<Seconds>, gap: Option<Seconds>| {
            all.zip(gap).and_then(|(all, gap)| all.max(gap).0.checked_sub(gap.0)).map(Seconds)
        };
        let first = i128::from(track.first_composition_offset);
        let from = track.shown.first().map_or(0, |(from, _)| i128::from(*from));
        let gap = if track.shown.len() == usize::from(track.edits) { media(first - from) } else { Some(Seconds::ZERO) };
        let late = movie(track.delay).zip(gap).and_then(|(delay, gap)| delay.0.checked_add(gap.0)).map(Seconds);
        self.one_of("start", start, &[movie(track.delay), late]);
        let all = i128::from(track.ticks);
        let ends = match track.shown.as_slice() {
            [] if !track.edits => vec![media(all)],
            [] => vec![Some(Seconds::ZERO)],
            &[(_, length)] => {
                let (rest, length) = (media(all + first - from), movie(length));
                vec![rest, length, less(rest, gap), less(length, gap)]
            }
            several => vec![movie(several.iter().map(|(_, length)| length).sum())],
        };
        self.one_of("duration", duration, &ends);
    }
}

/// libav and the gate read a composition offset as signed in both versions of `ctts`, as its writers mean it; the
/// second reader only in version 1.
fn signed(offset: i64) -> i64 {
    if offset > i64::from(i32::MAX) { offset - (1 << 32) } else { offset }
}

fn seconds(ticks: i128, timescale: u32) -> Option<Seconds> {
    fraction(u128::try_from(ticks).ok()?, u128::from(timescale)).map(Seconds)
}

/// Reduced, when it fits.
fn fraction(num: u128, den: u128) -> Option<Rational> {
    let common = gcd(num, den);
    let reduced = |part: u128| part.checked_div(common).and_then(|part| i64::try_from(part).ok());
    Rational::new(reduced(num)?, reduced(den)?)
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}
