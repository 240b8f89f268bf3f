//! What a user prefers where a fix has a choice. The names are those of the command line.

use pinpress_probe::{AspectRatio, MediaInfo, Spec};
use serde::{Deserialize, Serialize};

/// Choices for a fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixOptions {
    /// A shape that is not allowed.
    pub aspect: AspectMode,
    /// `--pad-color`: a name that libav knows (`black`) or `0xRRGGBB`.
    pub pad_color: String,
    /// `--crop-focus`: which part of the picture a crop keeps.
    #[serde(default)]
    pub crop_focus: CropFocus,
    /// The ratio to aim for; `None` takes the allowed one that adds or loses least.
    pub prefer: Option<AspectRatio>,
    /// A frame rate that is too low.
    pub fps: FpsMode,
    /// A clip that is too short.
    pub short: ShortMode,
    /// A video that is too long.
    pub long: LongMode,
    /// x264's CRF, 1 to 51; the default is 20. 0 would be lossless, which the High profile has no means for (ITU-T H.264
    /// §A.2.4).
    pub quality: u8,
    /// x264's preset, `ultrafast` to `placebo`; the default is `medium`.
    pub preset: String,
    /// `--encoder`.
    #[serde(default)]
    pub encoder: Encoder,
    /// Keep what decodes of a truncated or damaged file.
    #[serde(default)]
    pub salvage: bool,
    /// Keep location and device metadata.
    pub keep_metadata: bool,
    /// What becomes of a video that already fits.
    pub link: LinkMode,
    /// Replace an output that exists.
    pub overwrite: bool,
    /// Threads of the encoder, at least 1; decoder and filters get half as many each, so that a job has twice as many
    /// in all.
    pub threads: usize,
}

impl FixOptions {
    /// Whether a video with these facts is to be split, as it is longer than the rule set allows.
    #[must_use]
    pub fn splits(&self, info: &MediaInfo, spec: &Spec) -> bool {
        let max = spec.duration.and_then(|rule| rule.max);
        self.long == LongMode::Split && info.duration.zip(max).is_some_and(|(time, max)| time.0 > max)
    }
}

impl Default for FixOptions {
    fn default() -> Self {
        Self {
            aspect: AspectMode::Blur,
            pad_color: "black".to_owned(),
            crop_focus: CropFocus::Centre,
            prefer: None,
            fps: FpsMode::Multiply,
            short: ShortMode::Loop,
            long: LongMode::Trim,
            quality: 20,
            preset: "medium".to_owned(),
            encoder: Encoder::Auto,
            salvage: false,
            keep_metadata: false,
            link: LinkMode::Copy,
            overwrite: false,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// `--aspect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AspectMode {
    /// The whole picture over a blurred, enlarged copy of itself.
    Blur,
    /// The whole picture between bars of one colour.
    Pad,
    /// The middle of the picture.
    Crop,
    /// Leave it, and say that it cannot be fixed.
    Reject,
}

/// `--crop-focus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CropFocus {
    /// The middle.
    #[default]
    Centre,
    /// Where the picture is busiest.
    Auto,
}

/// `--encoder`: who encodes the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoder {
    /// x264 where there is one, else hardware that can be opened, else openh264.
    #[default]
    Auto,
    /// x264.
    X264,
    /// Cisco's openh264.
    Openh264,
    /// Apple's hardware.
    #[serde(rename = "videotoolbox")]
    VideoToolbox,
    /// NVIDIA's.
    Nvenc,
    /// Intel's.
    Qsv,
    /// VA-API.
    Vaapi,
}

/// `--fps`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FpsMode {
    /// Show every frame the smallest whole number of times that reaches the minimum, so that motion stays even.
    Multiply,
    /// Play a rate that is at most a twentieth too low at the minimum: the picture is copied, the sound stretched with
    /// its pitch kept. What is slower is multiplied.
    Retime,
    /// Leave it, and say that it cannot be fixed.
    Reject,
}

/// `--short`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShortMode {
    /// Repeat it whole times.
    Loop,
    /// Show the last frame on, in silence.
    Hold,
    /// Leave it, and say that it cannot be fixed.
    Reject,
}

/// `--long`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LongMode {
    /// End it at the maximum.
    Trim,
    /// Cut it at sync samples into parts that each pass.
    Split,
    /// Leave it, and say that it cannot be fixed.
    Reject,
}

/// `--link`: what becomes of a video that already fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkMode {
    /// A copy of its bytes.
    Copy,
    /// A clone that shares blocks, where the filesystem can (else a copy).
    Reflink,
    /// A second name for the same file (else a copy).
    Hard,
}
