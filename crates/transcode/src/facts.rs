//! What a file is, read by libav: every packet's header, no picture decoded.

use std::path::Path;

use pinpress_av::{Cancel, Facts, Scan, StreamDigest, StreamFacts, StreamKind, StreamScan, Units};
use pinpress_media::{Failure, FailureKind, Progress, Stage};
use pinpress_probe::Scan as ScanType;
use pinpress_probe::sample_table::frame_cropping;
use pinpress_probe::{
    Anomaly, AspectRatio, AudioStream, Chroma, CodedSize, Colour, Container, MediaInfo, Orientation, OtherStream,
    PixelFormat, Reader, Seconds, TimeBase, VideoStream,
};

use crate::failure;

mod private;
mod rate;

pub use private::kept_metadata;
use rate::Rates;

/// How much shorter than the other the picture or the sound may be before it is told: the rule set decides what that
/// means, this keeps the common difference of a frame or two out of the report.
const UNEVEN_MILLIS: i64 = 1_000;

/// Reads the facts of the file at `path`. `observe` hears of progress while the packets are read.
///
/// # Errors
/// `Io`, `NotAVideo` (also when there is sound but no moving picture), `Incomplete`, `Corrupt` or `Cancelled`. Damage
/// inside is an anomaly of the facts, not an error.
pub fn read(path: &Path, cancel: &Cancel, observe: &mut dyn FnMut(Progress)) -> Result<MediaInfo, Failure> {
    let mut report = |micros: i64| {
        let done_ms = u64::try_from(micros / 1000).unwrap_or(0);
        observe(Progress { stage: Stage::Probing, done_ms, total_ms: None });
    };
    read_back(path, &[], cancel, &mut report).map(|result| result.info)
}

/// A file of our own, read back.
pub(crate) struct ReadBack {
    pub(crate) info: MediaInfo,
    pub(crate) facts: Facts,
    /// One for each of the units that were asked for.
    pub(crate) digests: Vec<Option<StreamDigest>>,
}

/// As [`read`], and hashes what the packets of the first streams hold; `observe` gets microseconds.
pub(crate) fn read_back(
    path: &Path,
    units: &[Option<Units>],
    cancel: &Cancel,
    observe: &mut dyn FnMut(i64),
) -> Result<ReadBack, Failure> {
    let size_bytes = std::fs::metadata(path).map_err(|error| failure::from_io("cannot read it", &error))?.len();
    let (scan, digests) =
        pinpress_av::scan_digests(path, units, cancel, observe).map_err(|error| failure::from_av(&error))?;
    let info = media_info(&scan, size_bytes);
    if info.video.is_empty() {
        let promised = scan.facts.streams.iter().any(|s| s.kind == StreamKind::Video && !s.attached_picture);
        let (kind, message) = if promised {
            (FailureKind::Corrupt, "cut off: its index tells of pictures, but none is in the file: copy it again")
        } else if info.audio.is_empty() {
            (FailureKind::NotAVideo, "not a video: there is nothing to show in it: give a video file")
        } else {
            (FailureKind::NotAVideo, "not a video: it holds sound alone: give a video file")
        };
        return Err(Failure { log: pinpress_av::take_log(), ..Failure::new(kind, message) });
    }
    Ok(ReadBack { info, facts: scan.facts, digests })
}

/// The model's facts from libav's. Pure.
#[must_use]
pub fn media_info(scan: &Scan, size_bytes: u64) -> MediaInfo {
    let facts = &scan.facts;
    let (mut video, mut audio, mut other, mut anomalies) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut first, mut end) = (None::<Seconds>, None::<Seconds>);
    for (stream, packets) in facts.streams.iter().zip(&scan.streams) {
        let shown = Shown::of(stream, packets);
        match stream.kind {
            StreamKind::Video if !stream.attached_picture && packets.packets > 0 => {
                video.push(video_stream(stream, packets, &shown, &mut anomalies));
            }
            StreamKind::Audio if packets.packets > 0 => audio.push(audio_stream(stream, packets, &shown)),
            _ => {
                other.push(other_stream(stream));
                continue;
            }
        }
        first = [first, shown.start].into_iter().flatten().min();
        end = [end, shown.end].into_iter().flatten().max();
    }
    let measured = first.zip(end).and_then(|(first, end)| end.0.checked_sub(first.0)).map(Seconds);
    anomalies.extend(damage(scan));
    anomalies.extend(unevenness(&video, &audio));
    let iso = facts.top.iso.as_ref();
    MediaInfo {
        container: container(facts),
        size_bytes,
        duration: measured.filter(|span| *span > Seconds::ZERO).or_else(|| facts.duration_us.map(Seconds::from_micros)),
        video,
        audio,
        other,
        faststart: iso.map(|boxes| boxes.moov_first),
        fragmented: iso.is_some_and(|boxes| boxes.fragmented),
        private: private::tags(facts),
        anomalies,
        reader: Reader::Libav,
    }
}

/// When a stream is shown, by its packets.
struct Shown {
    time_base: Option<TimeBase>,
    start: Option<Seconds>,
    end: Option<Seconds>,
    duration: Option<Seconds>,
}

impl Shown {
    fn of(stream: &StreamFacts, packets: &StreamScan) -> Self {
        let time_base = time_base(stream);
        let seconds = |ticks: Option<i64>| Seconds::from_ticks(ticks?, time_base?);
        // libav gives no durations to the samples of an MP4 whose pictures are reordered. The last one lasts as long as
        // the one decoded before it, which is what `stts` says of it in nearly every file.
        let step = packets.last_step.or(packets.longest).unwrap_or(0);
        let last_end = packets.last.map(|last| last.saturating_add(step));
        let end = if packets.end == packets.last { last_end } else { packets.end };
        let span = packets.first.zip(end).map(|(first, end)| end.saturating_sub(first));
        Self { time_base, start: seconds(packets.first), end: seconds(end), duration: seconds(span) }
    }
}

fn time_base(stream: &StreamFacts) -> Option<TimeBase> {
    TimeBase::new(u32::try_from(stream.time_base.num).ok()?, u32::try_from(stream.time_base.den).ok()?)
}

fn video_stream(
    stream: &StreamFacts,
    packets: &StreamScan,
    shown: &Shown,
    anomalies: &mut Vec<Anomaly>,
) -> VideoStream {
    let facts = stream.video.as_ref();
    let orientation = facts.and_then(|video| video.display_matrix).map_or(Orientation::UPRIGHT, |matrix| {
        Orientation::from_matrix(matrix[0], matrix[1], matrix[3], matrix[4]).unwrap_or_else(|| {
            anomalies.push(Anomaly::OddDisplayMatrix { stream: stream.index });
            Orientation::UPRIGHT
        })
    });
    let pixels = facts.and_then(|video| video.pixels.as_ref());
    let colour = facts.map(|video| video.colour.clone()).unwrap_or_default();
    // The `j` formats are libav's old way of saying full range.
    let (name, full_range) = match pixels.map(|pixels| pixels.name.as_str()) {
        Some(name) if name.starts_with("yuvj") => (Some(name.replacen("yuvj", "yuv", 1)), Some(true)),
        name => (name.map(str::to_owned), colour.full_range),
    };
    let rates = Rates::of(stream, packets, shown.time_base);
    VideoStream {
        index: stream.index,
        codec: stream.codec.clone(),
        profile: stream.profile.clone(),
        pixel_format: pixels.zip(name).map(|(pixels, name)| PixelFormat {
            name,
            bit_depth: pixels.bit_depth,
            chroma: match (pixels.components, pixels.log2_chroma_width, pixels.log2_chroma_height) {
                _ if pixels.is_rgb => Chroma::Other,
                (1 | 2, ..) => Chroma::Monochrome,
                (_, 1, 1) => Chroma::Yuv420,
                (_, 1, 0) => Chroma::Yuv422,
                (_, 0, 0) => Chroma::Yuv444,
                _ => Chroma::Other,
            },
        }),
        coded: CodedSize { width: facts.map_or(0, |video| video.width), height: facts.map_or(0, |video| video.height) },
        clean_aperture: None,
        cropping: facts.filter(|_| stream.codec == "h264").and_then(|video| frame_cropping(&video.configuration)),
        sample_aspect: facts
            .and_then(|video| video.sample_aspect)
            .and_then(|aspect| AspectRatio::new(u32::try_from(aspect.num).ok()?, u32::try_from(aspect.den).ok()?)),
        orientation,
        frame_rate: rates.average,
        min_frame_rate: rates.slowest,
        max_frame_rate: rates.fastest,
        variable_frame_rate: rates.variable,
        scan: facts
            .and_then(|video| video.interlaced)
            .map(|interlaced| if interlaced { ScanType::Interlaced } else { ScanType::Progressive }),
        colour: Colour { primaries: colour.primaries, transfer: colour.transfer, matrix: colour.matrix, full_range },
        dolby_vision: facts.is_some_and(|video| video.dolby_vision),
        dolby_vision_profile: facts.and_then(|video| video.dolby_vision_profile),
        duration: shown.duration,
        start: shown.start,
        frame_count: Some(rates.pictures),
        sync_samples: Some(packets.keys),
        clean_start: Some(packets.clean_start),
        bit_rate: bit_rate(stream, packets, shown),
    }
}

fn audio_stream(stream: &StreamFacts, packets: &StreamScan, shown: &Shown) -> AudioStream {
    AudioStream {
        index: stream.index,
        codec: stream.codec.clone(),
        profile: stream.profile.clone(),
        sample_rate: stream.audio.as_ref().and_then(|audio| audio.sample_rate),
        channels: stream.audio.as_ref().and_then(|audio| audio.channels),
        duration: shown.duration,
        start: shown.start,
        bit_rate: bit_rate(stream, packets, shown),
    }
}

/// What the container declares, else what the packets weigh.
fn bit_rate(stream: &StreamFacts, packets: &StreamScan, shown: &Shown) -> Option<u64> {
    let millis = u64::try_from(shown.duration?.millis()).ok().filter(|millis| *millis > 0);
    stream.bit_rate.or_else(|| Some(packets.bytes.saturating_mul(8_000) / millis?))
}

fn other_stream(stream: &StreamFacts) -> OtherStream {
    let tag = stream.tag.as_deref().map(str::trim_end).filter(|tag| !tag.is_empty());
    let kind = match stream.kind {
        _ if stream.attached_picture => "attached-picture",
        StreamKind::Video => "empty-video",
        StreamKind::Audio => "empty-audio",
        StreamKind::Subtitle => "subtitle",
        StreamKind::Data if tag == Some("tmcd") => "timecode",
        StreamKind::Attachment => "attachment",
        StreamKind::Data | StreamKind::Unknown => "data",
    };
    let unknown = matches!(stream.codec.as_str(), "none" | "bin_data" | "unknown_codec");
    let codec = if unknown { tag.unwrap_or(&stream.codec) } else { &stream.codec };
    OtherStream { index: stream.index, kind: kind.to_owned(), codec: codec.to_owned() }
}

fn container(facts: &Facts) -> Container {
    let format = facts.format.as_str();
    match format.split(',').next().unwrap_or(format) {
        "mov" => facts
            .top
            .iso
            .as_ref()
            .and_then(|boxes| boxes.major_brand)
            .map_or(Container::Mov, Container::from_major_brand),
        "matroska" if facts.top.doc_type.as_deref() == Some("webm") => Container::Webm,
        "matroska" => Container::Matroska,
        "mpegts" => Container::MpegTs,
        "avi" => Container::Avi,
        "flv" => Container::Flv,
        "ogg" => Container::Ogg,
        other => Container::Other(other.to_owned()),
    }
}

/// Where packets are cut, marked corrupt, or hidden in noise.
fn damage(scan: &Scan) -> Vec<Anomaly> {
    let shown = |stream: &StreamFacts| matches!(stream.kind, StreamKind::Video | StreamKind::Audio);
    let seconds = |stream: &StreamFacts, ticks| Seconds::from_ticks(ticks, time_base(stream)?);
    let pairs = || scan.facts.streams.iter().zip(&scan.streams).filter(|(stream, _)| shown(stream));
    let mut anomalies = Vec::new();
    if scan.facts.top.iso.as_ref().is_some_and(|boxes| boxes.past_end) {
        let whole = pairs()
            .filter_map(|(stream, packets)| packets.whole_end.map_or(Some(Seconds::ZERO), |end| seconds(stream, end)))
            .min();
        anomalies.push(Anomaly::Truncated { whole });
        return anomalies;
    }
    let count = scan.damaged + pairs().map(|(_, packets)| packets.corrupt).sum::<u64>();
    if count > 0 {
        let first = pairs()
            .filter_map(|(stream, packets)| seconds(stream, packets.first_corrupt?))
            .chain(scan.first_damage_us.map(Seconds::from_micros))
            .min();
        anomalies.push(Anomaly::CorruptPackets { count, first });
    }
    anomalies
}

fn unevenness(video: &[VideoStream], audio: &[AudioStream]) -> Option<Anomaly> {
    let (video, audio) = (video.first()?.duration?, audio.first()?.duration?);
    (video.millis().abs_diff(audio.millis()) > UNEVEN_MILLIS.unsigned_abs())
        .then_some(Anomaly::UnevenStreams { video, audio })
}
