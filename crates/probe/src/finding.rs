//! Verdicts: one [`Finding`] per rule that fails or advises. A broken rule is data; a failed read is an error.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A rule of the JSON contract, by its name there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum RuleId {
    /// The file format.
    Container,
    /// The file's length in bytes.
    FileSize,
    /// How long it plays.
    Duration,
    /// The shape of the displayed picture.
    AspectRatio,
    /// The shorter displayed side.
    Resolution,
    /// The average rate over the timestamps.
    FrameRate,
    /// The picture's codec and profile.
    VideoCodec,
    /// Chroma sampling, bit depth, range and transfer.
    PixelFormat,
    /// Progressive or interlaced.
    ScanType,
    /// The sound's codec.
    AudioCodec,
    /// Which streams there are.
    Streams,
    /// Whether the file is whole.
    Integrity,
    /// Advice: the shape that does best in the feed.
    FeedAspect,
    /// Advice: `moov` before `mdat`.
    Faststart,
    /// Advice: metadata one would not publish unawares.
    Privacy,
    /// Advice: title and description lengths.
    TextLimits,
}

impl RuleId {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 16] = [
        Self::Container,
        Self::FileSize,
        Self::Duration,
        Self::AspectRatio,
        Self::Resolution,
        Self::FrameRate,
        Self::VideoCodec,
        Self::PixelFormat,
        Self::ScanType,
        Self::AudioCodec,
        Self::Streams,
        Self::Integrity,
        Self::FeedAspect,
        Self::Faststart,
        Self::Privacy,
        Self::TextLimits,
    ];

    /// The name in reports: `aspect-ratio`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::FileSize => "file-size",
            Self::Duration => "duration",
            Self::AspectRatio => "aspect-ratio",
            Self::Resolution => "resolution",
            Self::FrameRate => "frame-rate",
            Self::VideoCodec => "video-codec",
            Self::PixelFormat => "pixel-format",
            Self::ScanType => "scan-type",
            Self::AudioCodec => "audio-codec",
            Self::Streams => "streams",
            Self::Integrity => "integrity",
            Self::FeedAspect => "feed-aspect",
            Self::Faststart => "faststart",
            Self::Privacy => "privacy",
            Self::TextLimits => "text-limits",
        }
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Severity {
    /// It would do better otherwise.
    Advice,
    /// The video fails.
    Error,
}

/// What clears a finding, in the order of cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Remedy {
    /// Nothing needs doing.
    None,
    /// Give the file the extension of what it is.
    Rename,
    /// Write the same streams into an MP4.
    Remux,
    /// Leave the stream out.
    DropStream,
    /// End it earlier.
    Trim,
    /// Encode the sound as AAC.
    EncodeAudio,
    /// Repeat it until it is long enough.
    Loop,
    /// Raise the frame rate.
    RaiseFrameRate,
    /// Bring the picture onto an allowed canvas.
    Reframe,
    /// Enlarge the picture.
    Enlarge,
    /// Turn fields into frames.
    Deinterlace,
    /// Encode the picture.
    EncodeVideo,
    /// Export or copy it again from its source.
    Replace,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "nothing to do",
            Self::Rename => "rename it",
            Self::Remux => "remux",
            Self::DropStream => "leave the stream out",
            Self::Trim => "trim",
            Self::EncodeAudio => "encode the sound",
            Self::Loop => "repeat the clip",
            Self::RaiseFrameRate => "raise the frame rate",
            Self::Reframe => "reframe",
            Self::Enlarge => "enlarge",
            Self::Deinterlace => "deinterlace",
            Self::EncodeVideo => "encode the picture",
            Self::Replace => "export or copy it again",
        })
    }
}

/// One rule that fails or advises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// Whether the video fails by it.
    pub severity: Severity,
    /// The stream it is about, by its place in the file.
    pub stream: Option<u32>,
    /// What was found, in words and units a person reads.
    pub measured: String,
    /// What the rule set asks for.
    pub required: String,
    /// What clears it.
    pub remedy: Remedy,
}

/// Everything that a rule set says of one video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the rule set.
    pub spec: String,
    /// In the order of the rules in the contract.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing fails. Advice does not count.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.errors().next().is_none()
    }

    /// The findings by which the video fails.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// Whether this rule fails.
    #[must_use]
    pub fn fails(&self, rule: RuleId) -> bool {
        self.errors().any(|finding| finding.rule == rule)
    }
}
