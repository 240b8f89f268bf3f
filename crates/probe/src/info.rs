//! What a video is: facts in the field's terms, with no judgement.
//!
//! Whatever a container may leave out is an `Option`; `None` means that no reader could tell, never zero.

use serde::{Deserialize, Serialize};

use crate::geometry::{AspectRatio, CodedSize, DisplaySize, FrameCropping, Orientation};
use crate::units::{FrameRate, Seconds};

/// Facts about one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaInfo {
    /// What the bytes are, whatever the file is called.
    pub container: Container,
    /// Length of the file in bytes.
    pub size_bytes: u64,
    /// Presentation time from the first to the last shown picture or sound, edit lists applied.
    pub duration: Option<Seconds>,
    /// Pictures in motion, in file order. Attached cover pictures are among `other`.
    pub video: Vec<VideoStream>,
    /// Sounds, in file order.
    pub audio: Vec<AudioStream>,
    /// Everything else: subtitles, timecode, telemetry, attached pictures.
    pub other: Vec<OtherStream>,
    /// ISO BMFF only: whether `moov` comes before the first `mdat`, so that playing can begin at once.
    pub faststart: Option<bool>,
    /// ISO BMFF only: the samples are described in `moof` boxes (ISO/IEC 14496-12 §8.8).
    pub fragmented: bool,
    /// Metadata that tells about the person or the place, by kind.
    pub private: Vec<PrivateTag>,
    /// Where the file contradicts itself or stops short.
    pub anomalies: Vec<Anomaly>,
    /// Who read it.
    pub reader: Reader,
}

impl MediaInfo {
    /// The picture that a player shows: the first one.
    #[must_use]
    pub fn primary_video(&self) -> Option<&VideoStream> {
        self.video.first()
    }

    /// The sound that a player plays: the first one.
    #[must_use]
    pub fn primary_audio(&self) -> Option<&AudioStream> {
        self.audio.first()
    }

    /// When the last picture has been shown, from the moment when the first of picture and sound begins.
    #[must_use]
    pub fn picture_end(&self) -> Option<Seconds> {
        let video = self.primary_video()?;
        let start = video.start.unwrap_or(Seconds::ZERO);
        let sound = self.primary_audio().and_then(|audio| audio.start);
        let origin = sound.map_or(start, |sound| sound.min(start));
        let late = start.0.checked_sub(origin.0)?;
        video.duration?.0.checked_add(late).map(Seconds)
    }

    /// What the file tells about person or place: its metadata, and tracks of positions that cameras write
    /// (GoPro `gpmd`, CAMM `camm`).
    #[must_use]
    pub fn private_tags(&self) -> Vec<PrivateTag> {
        let mut tags = self.private.clone();
        if self.other.iter().any(|stream| matches!(stream.codec.as_str(), "gpmd" | "camm")) {
            tags.push(PrivateTag::Location);
        }
        tags.sort_unstable();
        tags.dedup();
        tags
    }
}

/// A file format, told by its content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Container {
    /// ISO BMFF with an MPEG-4 brand (ISO/IEC 14496-14).
    Mp4,
    /// Apple QuickTime: brand `qt  `, or no `ftyp` at all.
    Mov,
    /// Apple's MPEG-4 brand `M4V `.
    M4v,
    /// ISO BMFF with a 3GPP brand (TS 26.244).
    ThreeGp,
    /// Adobe's MPEG-4 brand `f4v `.
    F4v,
    /// Matroska, but not WebM.
    Matroska,
    /// WebM.
    Webm,
    /// MPEG-2 transport stream (ISO/IEC 13818-1).
    MpegTs,
    /// Audio Video Interleave.
    Avi,
    /// Flash video.
    Flv,
    /// Ogg.
    Ogg,
    /// Any other, by libav's short name.
    #[serde(untagged)]
    Other(String),
}

impl Container {
    /// The name in reports and rule sets.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::M4v => "m4v",
            Self::ThreeGp => "3gp",
            Self::F4v => "f4v",
            Self::Matroska => "matroska",
            Self::Webm => "webm",
            Self::MpegTs => "mpegts",
            Self::Avi => "avi",
            Self::Flv => "flv",
            Self::Ogg => "ogg",
            Self::Other(name) => name,
        }
    }

    /// ISO BMFF and its relatives, the only ones whose sample tables the fast path reads.
    #[must_use]
    pub const fn is_iso_bmff(&self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov | Self::M4v | Self::ThreeGp | Self::F4v)
    }

    /// By the major brand of `ftyp` (ISO/IEC 14496-12 §4.3; <https://mp4ra.org/registered-types/brands>).
    #[must_use]
    pub fn from_major_brand(brand: [u8; 4]) -> Self {
        match &brand {
            b"qt  " => Self::Mov,
            b"M4V " | b"M4VH" | b"M4VP" => Self::M4v,
            b"f4v " => Self::F4v,
            [b'3', b'g', ..] => Self::ThreeGp,
            _ => Self::Mp4,
        }
    }
}

/// One picture in motion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoStream {
    /// Place in the file, from 0, over all streams.
    pub index: u32,
    /// libav's codec name: `h264`, `hevc`, `vp9`.
    pub codec: String,
    /// The profile as libav spells it: `Constrained Baseline`, `Main`, `High`, `High 4:2:2`.
    pub profile: Option<String>,
    /// Samples and depth.
    pub pixel_format: Option<PixelFormat>,
    /// The decoded picture.
    pub coded: CodedSize,
    /// Clean aperture (`clap`, ISO/IEC 14496-12 §12.1.4) when it differs from the coded size.
    pub clean_aperture: Option<CodedSize>,
    /// H.264 only: what its sequence parameter set cuts away. `None` where there is none, more than one, or nobody can
    /// tell; the size cannot be changed by that set then.
    #[serde(default)]
    pub cropping: Option<FrameCropping>,
    /// Sample aspect ratio; `None` when nobody says, which players take as square.
    pub sample_aspect: Option<AspectRatio>,
    /// What the display matrix does.
    pub orientation: Orientation,
    /// Average over the decode timestamps: frames by the time they cover.
    pub frame_rate: Option<FrameRate>,
    /// The rate during the longest-shown frame, the last one apart; with constant rate the same as `frame_rate`.
    pub min_frame_rate: Option<FrameRate>,
    /// The rate during the shortest-shown frame, the last one apart.
    pub max_frame_rate: Option<FrameRate>,
    /// Whether frame durations differ by more than the rounding of the time base.
    pub variable_frame_rate: Option<bool>,
    /// Progressive or interlaced, as flagged.
    pub scan: Option<Scan>,
    /// Colour description.
    pub colour: Colour,
    /// Carries a Dolby Vision configuration.
    pub dolby_vision: bool,
    /// Its profile (`dv_profile` of the configuration record, Dolby Vision streams within the ISO base media file format
    /// §3.2). Of profile 5 the pictures are in a colour space of Dolby's own (`IPTPQc2`); those of 8 are HDR10, HLG or
    /// SDR to a player that knows nothing of it.
    #[serde(default)]
    pub dolby_vision_profile: Option<u8>,
    /// Presentation time of this stream.
    pub duration: Option<Seconds>,
    /// When the first picture is shown.
    pub start: Option<Seconds>,
    /// How many pictures.
    pub frame_count: Option<u64>,
    /// How many sync samples, when the index tells.
    pub sync_samples: Option<u64>,
    /// Whether it begins with a sync sample that is also shown first, and no packet is hidden by an edit list: only
    /// then can its packets follow on themselves.
    #[serde(default)]
    pub clean_start: Option<bool>,
    /// Average bits a second.
    pub bit_rate: Option<u64>,
}

impl VideoStream {
    /// The size on the screen, in square pixels.
    #[must_use]
    pub fn display(&self) -> DisplaySize {
        self.orientation.display_size(self.coded, self.clean_aperture, self.sample_aspect)
    }

    /// Whether the transfer function is PQ or HLG (ITU-R BT.2100), or Dolby Vision metadata is present.
    #[must_use]
    pub fn is_hdr(&self) -> bool {
        self.dolby_vision || matches!(self.colour.transfer.as_deref(), Some("smpte2084" | "arib-std-b67"))
    }
}

/// Chroma sampling and bit depth, with libav's name (`yuvj420p` is told as `yuv420p` with full range in [`Colour`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelFormat {
    /// libav's name: `yuv420p`, `yuv420p10le`, `yuv444p`.
    pub name: String,
    /// Bits a sample.
    pub bit_depth: u8,
    /// Chroma sampling.
    pub chroma: Chroma,
}

/// Chroma sampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chroma {
    /// Luma only.
    #[serde(rename = "4:0:0")]
    Monochrome,
    /// Half the width and half the height.
    #[serde(rename = "4:2:0")]
    Yuv420,
    /// Half the width.
    #[serde(rename = "4:2:2")]
    Yuv422,
    /// Full.
    #[serde(rename = "4:4:4")]
    Yuv444,
    /// RGB, palettes, Bayer patterns and the rest.
    #[serde(rename = "other")]
    Other,
}

/// Progressive or interlaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scan {
    /// Whole frames.
    Progressive,
    /// Two fields a frame, or coded with field tools.
    Interlaced,
}

/// Colour description with libav's names (which follow ITU-T H.273): `bt709`, `smpte2084`, `bt2020nc`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Colour {
    /// Colour primaries.
    pub primaries: Option<String>,
    /// Transfer characteristics.
    pub transfer: Option<String>,
    /// Matrix coefficients.
    pub matrix: Option<String>,
    /// Full range (0–255) rather than limited (16–235).
    pub full_range: Option<bool>,
}

/// One sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioStream {
    /// Place in the file, from 0, over all streams.
    pub index: u32,
    /// libav's codec name: `aac`, `mp3`, `opus`, `pcm_s16le`.
    pub codec: String,
    /// The profile: `LC`, `HE-AAC`, `HE-AACv2`.
    pub profile: Option<String>,
    /// Samples a second.
    pub sample_rate: Option<u32>,
    /// Channels.
    pub channels: Option<u16>,
    /// Presentation time of this stream.
    pub duration: Option<Seconds>,
    /// When the first sound is heard.
    pub start: Option<Seconds>,
    /// Average bits a second.
    pub bit_rate: Option<u64>,
}

/// A stream that is neither the picture nor the sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherStream {
    /// Place in the file, from 0, over all streams.
    pub index: u32,
    /// What it is: `subtitle`, `timecode`, `data`, `attached-picture`.
    pub kind: String,
    /// Codec name or four-character code: `tmcd`, `gpmd`, `mebx`, `mov_text`, `png`.
    pub codec: String,
}

/// Metadata that one would not publish unawares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrivateTag {
    /// Where it was taken: `©xyz`, `loci`, `com.apple.quicktime.location.ISO6709`.
    Location,
    /// What it was taken with: maker, model, serial number.
    Device,
}

/// A place where a file contradicts itself or stops short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Anomaly {
    /// The sample table points past the end of the file; what is whole reaches to `whole`.
    Truncated {
        /// How far every stream is whole.
        whole: Option<Seconds>,
    },
    /// Packets that the demuxer marks corrupt, or that it could not read.
    CorruptPackets {
        /// How many.
        count: u64,
        /// Time of the first one.
        first: Option<Seconds>,
    },
    /// A stream that does not decode without faults. Only decoding all of it tells ([`crate::Decoded`]).
    Undecodable {
        /// The stream.
        stream: u32,
        /// Picture or sound.
        medium: crate::decoded::Medium,
        /// Whether anything of it could be decoded.
        partly: bool,
        /// Packets and pictures that are damaged, concealed or missing.
        faults: u64,
        /// When the first of them is shown, counted from the first picture or sound of the file.
        first: Option<Seconds>,
    },
    /// A display matrix that is no mirror or quarter turn; it is ignored.
    OddDisplayMatrix {
        /// The stream.
        stream: u32,
    },
    /// Two readers or two places in the file say different things.
    Disagreement {
        /// The fact in question.
        what: String,
        /// One value, with its source.
        first: String,
        /// The other, with its source.
        second: String,
    },
    /// The name says another format than the bytes, or none.
    Misnamed {
        /// As it is written, without the dot; `None` when there is none.
        extension: Option<String>,
    },
    /// The picture stops long before the sound or the reverse.
    UnevenStreams {
        /// The picture's duration.
        video: Seconds,
        /// The sound's duration.
        audio: Seconds,
    },
}

/// Who read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Reader {
    /// Our own box walk with the `mp4` crate: `ftyp` and `moov` only.
    SampleTable,
    /// libav in the worker, with every packet's header read.
    Libav,
}
