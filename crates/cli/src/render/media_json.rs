//! The facts of a video as the JSON contract names them.

use pinpress_probe::{AudioStream, Finding, MediaInfo, Reader, Remedy, RuleId, Scan, Severity, Spec, VideoStream};
use serde::Serialize;

/// Who made a document.
#[derive(Debug, Serialize)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// This program.
pub(crate) const TOOL: Tool = Tool { name: "pinpress", version: env!("CARGO_PKG_VERSION") };

/// Which rule set a document speaks of.
#[derive(Debug, Serialize)]
pub(crate) struct SpecName<'a> {
    name: &'a str,
    version: &'a str,
}

impl<'a> From<&'a Spec> for SpecName<'a> {
    fn from(spec: &'a Spec) -> Self {
        Self { name: &spec.name, version: &spec.version }
    }
}

/// `media`.
#[derive(Debug, Serialize)]
pub(crate) struct Media<'a> {
    container: &'a str,
    size_bytes: u64,
    duration_ms: Option<i64>,
    video: Option<Video<'a>>,
    audio: Option<Audio<'a>>,
    faststart: Option<bool>,
    fragmented: bool,
    reader: Reader,
}

#[derive(Debug, Serialize)]
struct Video<'a> {
    stream: u32,
    codec: &'a str,
    profile: Option<&'a str>,
    pixel_format: Option<&'a str>,
    coded_width: u32,
    coded_height: u32,
    display_width: u32,
    display_height: u32,
    rotation: u16,
    mirrored: bool,
    sample_aspect_ratio: Option<String>,
    frame_rate: Option<String>,
    variable_frame_rate: Option<bool>,
    interlaced: Option<bool>,
    bit_rate: Option<u64>,
    frames: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Audio<'a> {
    stream: u32,
    codec: &'a str,
    profile: Option<&'a str>,
    sample_rate: Option<u32>,
    channels: Option<u16>,
    bit_rate: Option<u64>,
}

impl<'a> From<&'a MediaInfo> for Media<'a> {
    fn from(info: &'a MediaInfo) -> Self {
        Self {
            container: info.container.name(),
            size_bytes: info.size_bytes,
            duration_ms: info.duration.map(pinpress_probe::Seconds::millis),
            video: info.primary_video().map(Video::from),
            audio: info.primary_audio().map(Audio::from),
            faststart: info.faststart,
            fragmented: info.fragmented,
            reader: info.reader,
        }
    }
}

impl<'a> From<&'a VideoStream> for Video<'a> {
    fn from(video: &'a VideoStream) -> Self {
        let display = video.display();
        Self {
            stream: video.index,
            codec: &video.codec,
            profile: video.profile.as_deref(),
            pixel_format: video.pixel_format.as_ref().map(|format| format.name.as_str()),
            coded_width: video.coded.width,
            coded_height: video.coded.height,
            display_width: display.width,
            display_height: display.height,
            rotation: video.orientation.rotation.degrees(),
            mirrored: video.orientation.mirrored,
            sample_aspect_ratio: video.sample_aspect.map(|aspect| aspect.to_string()),
            frame_rate: video.frame_rate.map(|rate| rate.rational().to_fraction()),
            variable_frame_rate: video.variable_frame_rate,
            interlaced: video.scan.map(|scan| scan == Scan::Interlaced),
            bit_rate: video.bit_rate,
            frames: video.frame_count,
        }
    }
}

impl<'a> From<&'a AudioStream> for Audio<'a> {
    fn from(audio: &'a AudioStream) -> Self {
        Self {
            stream: audio.index,
            codec: &audio.codec,
            profile: audio.profile.as_deref(),
            sample_rate: audio.sample_rate,
            channels: audio.channels,
            bit_rate: audio.bit_rate,
        }
    }
}

/// One of `findings`.
#[derive(Debug, Serialize)]
pub(crate) struct FindingJson<'a> {
    rule: RuleId,
    severity: Severity,
    stream: Option<u32>,
    measured: &'a str,
    required: &'a str,
    remedy: Remedy,
}

impl<'a> From<&'a Finding> for FindingJson<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            rule: finding.rule,
            severity: finding.severity,
            stream: finding.stream,
            measured: &finding.measured,
            required: &finding.required,
            remedy: finding.remedy,
        }
    }
}
