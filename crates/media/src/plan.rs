//! The cheapest change that clears every finding, as data. `transcode::plan` makes it, `transcode` carries it out,
//! the command line explains it.

use pinpress_probe::{CodedSize, FrameRate, Orientation, PrivateTag, RuleId, Seconds};
use serde::{Deserialize, Serialize};

/// What will be done to one video, and the rules that force each part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The rung of the ladder.
    pub action: Action,
    /// What becomes of the picture; `None` only when unfixable.
    pub video: Option<VideoStep>,
    /// What becomes of the sound; `None` when there is none.
    pub audio: Option<AudioStep>,
    /// Streams that are left out.
    pub dropped: Vec<DroppedStream>,
    /// How many times the whole clip is shown; 1 is once.
    pub repeat: u32,
    /// After how long the clip begins anew when it is repeated; `None` is when its picture ends.
    pub period: Option<Seconds>,
    /// Show the last frame on until this time.
    pub hold_until: Option<Seconds>,
    /// End here.
    pub end: Option<Seconds>,
    /// Metadata that is taken out.
    pub stripped: Vec<PrivateTag>,
    /// Rules that force a new container by themselves.
    pub container_rules: Vec<RuleId>,
    /// Why nothing can be done, when `action` is [`Action::Unfixable`].
    pub unfixable: Option<String>,
    /// How long the result plays.
    pub duration: Option<Seconds>,
}

/// The rungs of the ladder, cheapest first. The names are those of the JSON contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It fits: link or copy it.
    Passthrough,
    /// The same streams in a new MP4.
    Remux,
    /// Something is encoded.
    Encode,
    /// Nothing makes it fit.
    Unfixable,
}

/// What becomes of the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum VideoStep {
    /// The packets as they are.
    Copy {
        /// The stream.
        stream: u32,
    },
    /// Decode, filter, encode as H.264.
    Encode(VideoEncode),
}

/// One encode of the picture. The filters follow from these fields in this order: fields to frames, tone map, turn,
/// scale to `picture`, place on `canvas`, frame rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoEncode {
    /// The stream.
    pub stream: u32,
    /// The rules that force it.
    pub rules: Vec<RuleId>,
    /// Turn fields into frames.
    pub deinterlace: bool,
    /// Map PQ or HLG to BT.709.
    pub tone_map: bool,
    /// The display matrix that is baked in.
    pub orientation: Orientation,
    /// Cut the coded picture to its clean aperture first, centred.
    pub clean_aperture: Option<CodedSize>,
    /// The upright picture in square pixels; even.
    pub picture: CodedSize,
    /// The published picture; even. With [`Fill::None`] the same as `picture`.
    pub canvas: CodedSize,
    /// What surrounds the picture.
    pub fill: Fill,
    /// The rate.
    pub rate: RateStep,
    /// x264's CRF.
    pub quality: u8,
    /// x264's preset.
    pub preset: String,
    /// Ceiling of the bit rate in bits a second (VBV), where the file size needs one.
    pub max_bit_rate: Option<u64>,
}

/// What surrounds the picture on its canvas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fill {
    /// The picture is the canvas.
    None,
    /// A blurred, enlarged copy of the picture.
    Blur,
    /// One colour.
    Colour(String),
    /// The picture is larger than the canvas, and its middle is kept.
    Crop,
}

/// What becomes of the frame rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateStep {
    /// Every frame keeps its timestamp.
    Keep,
    /// A constant rate, frames repeated or (from a variable rate) left out to meet it.
    Constant(FrameRate),
}

/// What becomes of the sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum AudioStep {
    /// The packets as they are.
    Copy {
        /// The stream.
        stream: u32,
    },
    /// Decode, resample, encode as AAC-LC.
    Encode {
        /// The stream.
        stream: u32,
        /// The rules that force it.
        rules: Vec<RuleId>,
        /// Samples a second: 44,100 or 48,000.
        sample_rate: u32,
        /// Channels: 1 or 2, or as the source has them up to 5.1.
        channels: u16,
        /// Bits a second.
        bit_rate: u32,
    },
}

/// A stream that is left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedStream {
    /// Its place in the file.
    pub stream: u32,
    /// What it is: `timecode tmcd`, `second sound (ac3)`.
    pub what: String,
}

impl Plan {
    /// Whether nothing needs doing: what a plan of a fixed file is.
    #[must_use]
    pub fn is_passthrough(&self) -> bool {
        self.action == Action::Passthrough
    }
}
