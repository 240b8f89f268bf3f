//! What libav says of a file, as plain data.

use std::path::Path;

use crate::colour::Colour;
use crate::error::AvError;
use crate::fraction::Fraction;
use crate::input::{Cancel, Input, regular_file};
use crate::sniff::{self, TopLevel};

mod read;

pub(crate) use read::{facts as read, layout_name};

/// Facts about one file, before any packet is looked at but those that libav needs to tell the codecs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// libav's name of the demuxer: `mov,mp4,m4a,3gp,3g2,mj2`, `matroska,webm`, `mpegts`.
    pub format: String,
    /// What the bytes say that libav does not.
    pub top: TopLevel,
    /// By the index or by estimate, in microseconds.
    pub duration_us: Option<i64>,
    /// The earliest start of a stream, in microseconds of the file's own timeline.
    pub start_us: Option<i64>,
    /// Bits a second in all.
    pub bit_rate: Option<u64>,
    /// Key and value, in file order; what is no UTF-8 is replaced.
    pub metadata: Vec<(String, String)>,
    /// In file order.
    pub streams: Vec<StreamFacts>,
}

impl Facts {
    /// Reads the facts of the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read or is no video file.
    pub fn read(path: &Path, cancel: &Cancel) -> Result<Self, AvError> {
        Self::open(path, cancel).map(|(facts, _)| facts)
    }

    /// As [`Facts::read`], and keeps the file open for a job: libav decodes up to twenty pictures of H.264 to open one,
    /// 0.1 s of 1080×1920 at 25 Mbit/s.
    ///
    /// # Errors
    /// As [`Facts::read`].
    pub fn open(path: &Path, cancel: &Cancel) -> Result<(Self, Opened), AvError> {
        regular_file(path)?;
        let top = sniff::top_level(path).map_err(|error| AvError::io("cannot read it", error))?;
        let input = Input::open(path, cancel)?;
        Ok((read(&input, top), Opened(input)))
    }
}

/// A file, open at its beginning.
pub struct Opened(pub(crate) Input);

impl std::fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Opened")
    }
}

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
    /// Text.
    Subtitle,
    /// Timecode, telemetry, chapters.
    Data,
    /// Fonts and other files.
    Attachment,
    /// libav cannot tell.
    Unknown,
}

/// Facts about one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamFacts {
    /// Place in the file, from 0.
    pub index: u32,
    /// What it carries.
    pub kind: StreamKind,
    /// libav's codec name; `none` when it does not know the codec.
    pub codec: String,
    /// The container's four-character code, where it is printable.
    pub tag: Option<String>,
    /// libav's name of the profile: `High`, `LC`.
    pub profile: Option<String>,
    /// The level as the codec codes it: 41 for H.264 level 4.1.
    pub level: Option<i32>,
    /// The length of a tick in seconds.
    pub time_base: Fraction,
    /// When it begins to be shown, in ticks.
    pub start: Option<i64>,
    /// In ticks.
    pub duration: Option<i64>,
    /// Frames by the index.
    pub frames: Option<u64>,
    /// Frames a second, on average, as declared or estimated.
    pub average_rate: Option<Fraction>,
    /// The lowest rate on whose grid all timestamps lie, as libav guesses it.
    pub real_rate: Option<Fraction>,
    /// Bits a second, as declared.
    pub bit_rate: Option<u64>,
    /// A cover picture, not a moving one.
    pub attached_picture: bool,
    /// Marked as the one to play.
    pub default: bool,
    /// Key and value, in file order.
    pub metadata: Vec<(String, String)>,
    /// For pictures.
    pub video: Option<VideoFacts>,
    /// For sound.
    pub audio: Option<AudioFacts>,
}

/// Facts about pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoFacts {
    /// Samples a row of the decoded picture.
    pub width: u32,
    /// Rows of the decoded picture.
    pub height: u32,
    /// The samples.
    pub pixels: Option<PixelFacts>,
    /// Width of a sample to its height; `None` when nobody says.
    pub sample_aspect: Option<Fraction>,
    /// Whether fields are coded; `None` when nobody says.
    pub interlaced: Option<bool>,
    /// The colour description.
    pub colour: Colour,
    /// The display matrix in libav's layout: a b u, c d v, x y w.
    pub display_matrix: Option<[i32; 9]>,
    /// Carries a Dolby Vision configuration.
    pub dolby_vision: bool,
    /// Its profile.
    pub dolby_vision_profile: Option<u8>,
    /// The codec's configuration (`extradata`): `avcC` or Annex B bytes for H.264. Empty when there is none, or more
    /// than any codec needs.
    pub configuration: Vec<u8>,
}

/// Facts about the samples of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelFacts {
    /// libav's name: `yuv420p`, `yuvj420p`, `p010le`.
    pub name: String,
    /// Bits a sample.
    pub bit_depth: u8,
    /// Binary logarithm of how many luma columns share a chroma sample.
    pub log2_chroma_width: u8,
    /// Binary logarithm of how many luma rows share a chroma sample.
    pub log2_chroma_height: u8,
    /// 1 for luma alone, 3 for colour, one more for alpha.
    pub components: u8,
    /// RGB, palettes, Bayer patterns.
    pub is_rgb: bool,
}

/// Facts about sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioFacts {
    /// Samples a channel in each packet; `None` when it is not known or not constant.
    pub frame_size: Option<u32>,
    /// Samples a second.
    pub sample_rate: Option<u32>,
    /// Channels.
    pub channels: Option<u16>,
    /// libav's name of the layout: `stereo`, `5.1(side)`.
    pub layout: Option<String>,
    /// libav's name of the sample format: `fltp`.
    pub sample_format: Option<String>,
}
