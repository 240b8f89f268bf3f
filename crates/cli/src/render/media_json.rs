//! The facts of a video as the JSON contract names them.

use pinpress_probe::{
    AudioStream, Colour, Finding, FrameRate, MediaInfo, Reader, Remedy, RuleId, Scan, Severity, Spec, VideoStream,
};
use schemars::JsonSchema;
use serde::Serialize;

/// Who made a document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Tool {
    /// `pinpress`.
    name: &'static str,
    /// Its version, by semantic versioning.
    version: &'static str,
}

/// This program.
pub(crate) const TOOL: Tool = Tool { name: "pinpress", version: env!("CARGO_PKG_VERSION") };

/// Which rule set a document speaks of.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Spec")]
pub(crate) struct SpecName<'a> {
    /// As `--spec` takes it, or as the file calls itself.
    name: &'a str,
    /// The date of its source.
    version: &'a str,
}

impl<'a> From<&'a Spec> for SpecName<'a> {
    fn from(spec: &'a Spec) -> Self {
        Self { name: &spec.name, version: &spec.version }
    }
}

/// What a file is, by its own headers and index.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Media<'a> {
    /// The file format by content, not by name: `mp4`, `mov`, `matroska` and so on.
    container: &'a str,
    /// Length of the file in bytes.
    size_bytes: u64,
    /// How long it plays, in whole milliseconds, rounded; `null` where the file does not say.
    duration_ms: Option<i64>,
    /// The first moving picture; `null` when there is none.
    video: Option<Video<'a>>,
    /// The first sound; `null` when there is none.
    audio: Option<Audio<'a>>,
    /// Whether `moov` stands before `mdat`; `null` for files that have neither.
    faststart: Option<bool>,
    /// Whether it is in movie fragments (`moof`).
    fragmented: bool,
    /// Which reader decided.
    reader: Reader,
}

/// A moving picture.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Video<'a> {
    /// Its place in the file, from 0.
    stream: u32,
    /// By FFmpeg's name: `h264`, `hevc`, `vp9` and so on.
    codec: &'a str,
    /// As the codec's specification calls it: `High`, `Main 10`.
    profile: Option<&'a str>,
    /// By FFmpeg's name: `yuv420p`.
    pixel_format: Option<&'a str>,
    /// Pixels a row, as coded.
    coded_width: u32,
    /// Rows, as coded.
    coded_height: u32,
    /// Width in square pixels: display matrix, sample aspect ratio and clean aperture applied.
    display_width: u32,
    /// Height in square pixels, likewise.
    display_height: u32,
    /// The clockwise turn in degrees that a player applies before showing the coded picture.
    #[schemars(extend("enum" = [0, 90, 180, 270]))]
    rotation: u16,
    /// Whether a player also mirrors it.
    mirrored: bool,
    /// `width:height` of a sample, reduced; `null` where the file does not say.
    #[schemars(regex(pattern = r"^[0-9]+:[0-9]+$"))]
    sample_aspect_ratio: Option<String>,
    /// Average over the timestamps, frames a second as a reduced fraction: `30000/1001`.
    #[schemars(regex(pattern = r"^[0-9]+/[0-9]+$"))]
    frame_rate: Option<String>,
    /// Of the frame that is shown longest, as a reduced fraction.
    #[schemars(regex(pattern = r"^[0-9]+/[0-9]+$"))]
    min_frame_rate: Option<String>,
    /// Of the frame that is shown shortest, as a reduced fraction.
    #[schemars(regex(pattern = r"^[0-9]+/[0-9]+$"))]
    max_frame_rate: Option<String>,
    /// Whether frames last differently long.
    variable_frame_rate: Option<bool>,
    /// Whether it is coded as fields.
    interlaced: Option<bool>,
    /// How its samples are colours.
    colour: ColourJson<'a>,
    /// Carries Dolby Vision metadata.
    dolby_vision: bool,
    /// Bits a second.
    bit_rate: Option<u64>,
    /// How many frames there are.
    frames: Option<u64>,
}

/// Colour description, by FFmpeg's names (ITU-T H.273); `null` where the file does not say.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Colour")]
struct ColourJson<'a> {
    /// `bt709`, `bt2020`.
    primaries: Option<&'a str>,
    /// `bt709`, `smpte2084` (PQ), `arib-std-b67` (HLG).
    transfer: Option<&'a str>,
    /// `bt709`, `bt2020nc`.
    matrix: Option<&'a str>,
    /// 0–255 rather than 16–235.
    full_range: Option<bool>,
}

impl<'a> From<&'a Colour> for ColourJson<'a> {
    fn from(colour: &'a Colour) -> Self {
        Self {
            primaries: colour.primaries.as_deref(),
            transfer: colour.transfer.as_deref(),
            matrix: colour.matrix.as_deref(),
            full_range: colour.full_range,
        }
    }
}

/// A sound.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Audio<'a> {
    /// Its place in the file, from 0.
    stream: u32,
    /// By FFmpeg's name: `aac`, `mp3`, `opus` and so on.
    codec: &'a str,
    /// `LC`, `HE-AAC` and so on.
    profile: Option<&'a str>,
    /// Samples a second.
    sample_rate: Option<u32>,
    /// How many.
    channels: Option<u16>,
    /// Bits a second.
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
        let fraction = |rate: Option<FrameRate>| rate.map(|rate| rate.rational().to_fraction());
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
            frame_rate: fraction(video.frame_rate),
            min_frame_rate: fraction(video.min_frame_rate),
            max_frame_rate: fraction(video.max_frame_rate),
            variable_frame_rate: video.variable_frame_rate,
            interlaced: video.scan.map(|scan| scan == Scan::Interlaced),
            colour: ColourJson::from(&video.colour),
            dolby_vision: video.dolby_vision,
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

/// A rule that fails or advises.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Finding")]
pub(crate) struct FindingJson<'a> {
    /// The rule.
    rule: RuleId,
    /// Whether the video fails by it.
    severity: Severity,
    /// The stream it is about, by its place in the file; `null` when it is about the file.
    stream: Option<u32>,
    /// What was found, for people.
    measured: &'a str,
    /// What the rule set asks for, for people.
    required: &'a str,
    /// What clears it; `pinpress fix` does so, but for `replace`.
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
