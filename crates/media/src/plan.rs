//! The cheapest change that clears every finding, as data. `transcode::plan` makes it, `transcode` carries it out,
//! the command line explains it.

use pinpress_probe::{CodedSize, FrameCropping, FrameRate, Orientation, PrivateTag, RuleId, Seconds};
use serde::{Deserialize, Serialize};

use crate::options::Encoder;

/// What will be done to one video, and the rules that force each part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The rung of the ladder.
    pub action: Action,
    /// What becomes of the picture; `None` when nothing does.
    pub video: Option<VideoStep>,
    /// What becomes of the sound; `None` when there is none.
    pub audio: Option<AudioStep>,
    /// Streams that are left out.
    pub dropped: Vec<DroppedStream>,
    /// The part of a video that is split; `None` is all of it.
    #[serde(default)]
    pub part: Option<Part>,
    /// How many times the whole clip is shown; 1 is once.
    pub repeat: u32,
    /// After how long the clip begins anew when it is repeated; `None` is as long as its picture lasts.
    pub period: Option<Seconds>,
    /// Show the last frame on until this time.
    pub hold_until: Option<Seconds>,
    /// End here, counted from where the result begins.
    pub end: Option<Seconds>,
    /// Play it at another rate: every time is scaled, and the sound keeps its pitch.
    #[serde(default)]
    pub retime: Option<Retime>,
    /// Leave out what cannot be decoded, instead of giving up.
    #[serde(default)]
    pub salvage: bool,
    /// Metadata that is taken out.
    pub stripped: Vec<PrivateTag>,
    /// Rules that force a new container by themselves.
    pub container_rules: Vec<RuleId>,
    /// Why nothing can be done, when `action` is [`Action::Unfixable`].
    pub unfixable: Option<String>,
    /// How long the result plays.
    pub duration: Option<Seconds>,
    /// What it will roughly cost.
    #[serde(default)]
    pub estimate: Option<Estimate>,
}

/// One of the parts that a long video is split into. Times count from the first picture or sound of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which one, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
    /// Where it begins: a sync sample of the picture.
    pub begin: Seconds,
    /// Where it ends.
    pub end: Seconds,
}

/// Another rate for the same pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retime {
    /// As the source plays.
    pub from: FrameRate,
    /// As the result plays.
    pub to: FrameRate,
}

/// What a plan will roughly cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Size of the result in bytes.
    pub bytes: u64,
    /// Time that it takes on this machine, in milliseconds.
    pub millis: u64,
}

/// The rungs of the ladder, cheapest first. The names are those of the JSON contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It fits: link or copy it.
    Passthrough,
    /// The same streams in a new MP4.
    Remux,
    /// The picture's packets with other headers or other times; nothing is decoded.
    Edit,
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
    /// The packets with other headers, or other packets than all of them once: nothing is decoded.
    Edit(VideoEdit),
    /// The packets as they are, and behind them the last picture again, encoded alone until [`Plan::hold_until`].
    Extend(VideoExtend),
    /// Decode, filter, encode as H.264.
    Encode(VideoEncode),
}

impl VideoStep {
    /// The stream that is read.
    #[must_use]
    pub const fn stream(&self) -> u32 {
        match self {
            Self::Copy { stream } => *stream,
            Self::Edit(edit) => edit.stream,
            Self::Extend(extend) => extend.stream,
            Self::Encode(encode) => encode.stream,
        }
    }
}

/// A change of the picture that decodes nothing. Repeating, ending, splitting and retiming stand in the [`Plan`], as
/// they are the sound's too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoEdit {
    /// The stream.
    pub stream: u32,
    /// The rules that force it.
    pub rules: Vec<RuleId>,
    /// What the sequence parameter set has to cut away, in place of what it does. Decoders differ: right and bottom are
    /// obeyed by all; left by libavcodec in steps of 64 samples only; Chromium's software decoder takes what is to go
    /// at left and top away at right and bottom.
    pub cropping: Option<FrameCropping>,
    /// The size of the picture after that, in coded pixels, where it changes.
    pub size: Option<CodedSize>,
    /// Declare the samples square, in the parameter set and in `pasp`.
    pub square_pixels: bool,
}

/// A last picture that is shown on, and all before it copied. Only for progressive H.264 of 8 bits, Baseline, Main or
/// High, that has its parameter sets in the head of the file (MP4, MOV, Matroska, FLV), where nothing else changes: it
/// is shown whole, once, at its own rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoExtend {
    /// The stream.
    pub stream: u32,
    /// The rules that force it.
    pub rules: Vec<RuleId>,
    /// Frames a second of what is added: the stream's own rate.
    pub rate: FrameRate,
    /// The encoder; x264 alone can number its parameter sets.
    pub encoder: Encoder,
    /// x264's CRF.
    pub quality: u8,
    /// x264's preset.
    pub preset: String,
}

/// One encode of the picture. The filters follow from these fields in this order: fields to frames, turn, scale to
/// `picture`, tone map, place on `canvas`, frame rate.
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
    /// The encoder.
    #[serde(default)]
    pub encoder: Encoder,
    /// x264's CRF, or what comes nearest to it in another encoder.
    pub quality: u8,
    /// x264's preset; other encoders have none.
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
    /// The picture is larger than the canvas, and a part of it is kept.
    Crop {
        /// What is cut off at the left of the scaled picture; even.
        left: u32,
        /// What is cut off at its top; even.
        top: u32,
    },
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

impl AudioStep {
    /// The stream that is read.
    #[must_use]
    pub const fn stream(&self) -> u32 {
        match self {
            Self::Copy { stream } | Self::Encode { stream, .. } => *stream,
        }
    }
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
    /// Nothing to do, for a video that plays for `duration`.
    #[must_use]
    pub const fn passthrough(duration: Option<Seconds>) -> Self {
        Self {
            action: Action::Passthrough,
            video: None,
            audio: None,
            dropped: Vec::new(),
            part: None,
            repeat: 1,
            period: None,
            hold_until: None,
            end: None,
            retime: None,
            salvage: false,
            stripped: Vec::new(),
            container_rules: Vec::new(),
            unfixable: None,
            duration,
            estimate: None,
        }
    }

    /// Nothing that can be done, and why.
    #[must_use]
    pub fn unfixable(reason: String, duration: Option<Seconds>) -> Self {
        Self { action: Action::Unfixable, unfixable: Some(reason), ..Self::passthrough(duration) }
    }

    /// Whether nothing needs doing: what a plan of a fixed file is.
    #[must_use]
    pub fn is_passthrough(&self) -> bool {
        self.action == Action::Passthrough
    }
}
