//! A whole transcode as data.

use std::path::PathBuf;

use crate::colour::Colour;
use crate::digest::StreamDigest;
use crate::encoder::H264Encoder;
use crate::fraction::Fraction;

/// One file in, one MP4 out: one picture and at most one sound, each copied or encoded.
///
/// All times are counted from the moment when the first of the chosen streams begins, which is zero in the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The file that is read.
    pub input: PathBuf,
    /// The file that is written; one that is there is replaced.
    pub output: PathBuf,
    /// The picture.
    pub video: VideoTrack,
    /// The sound.
    pub audio: Option<AudioTrack>,
    /// What is taken of the file; `None` is all of it.
    pub part: Option<Part>,
    /// Another rate for the same pictures, where these are copied.
    pub retime: Option<Retime>,
    /// How many times the whole clip is shown, at least 1.
    pub repeat: u32,
    /// After how long it begins anew, in microseconds; `None` is as long as its picture lasts.
    pub period_us: Option<i64>,
    /// Nothing is shown or heard past this time, in microseconds.
    pub end_us: Option<i64>,
    /// Key and value for the whole file: what is not here is left out.
    pub metadata: Vec<(String, String)>,
    /// The sound's language as ISO 639-2 has it.
    pub language: Option<String>,
    /// Every key is written, also those that MP4 has no box of its own for.
    pub all_metadata: bool,
    /// Bytes that are left free for the index (`moov`) before the samples. `None` has it written behind them and then
    /// all of the file moved, as is done when the room turns out too small: then the whole job is done again.
    pub moov_room: Option<u32>,
    /// Damage is left out instead of counted: for each stream the times, in its ticks and in order, of pictures and
    /// pieces of sound that are known not to decode, as [`crate::StreamProof::fault_times`] has them. Of streams that
    /// are copied, packets that are cut short. `None` leaves nothing out.
    pub salvage: Option<Vec<(usize, Vec<i64>)>>,
    /// Threads of the encoder, at least 1. At most twice as many work at once for the whole job, and one where this
    /// is one.
    pub threads: usize,
}

/// A part of a file, in microseconds from its first picture or sound, whichever streams are taken. Zero of the output
/// is where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Where it begins: at zero, or at one of [`crate::sync_times`].
    pub begin_us: i64,
    /// Where it ends. Pictures that begin before it belong to the part, and the last one is shown until then; so parts
    /// that meet neither lose nor double one.
    pub end_us: i64,
}

/// Every time is scaled by `from`/`to`, exactly; sound that is encoded keeps its pitch. Picture times that are those of
/// a constant rate of `from`, but for their container's rounding, become those of `to`, without it. All other times of
/// the [`Job`] are those of the output, but for those of [`Part`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retime {
    /// Frames a second as the source plays.
    pub from: Fraction,
    /// Frames a second as the output plays.
    pub to: Fraction,
}

/// What becomes of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VideoTrack {
    /// The packets as they are, with display matrix and sample aspect ratio.
    Copy {
        /// The stream.
        stream: usize,
    },
    /// The packets as they are, behind other parameter sets.
    Edit(VideoEdit),
    /// The packets as they are, and the last picture once more, encoded.
    Extend(VideoExtend),
    /// Decode, filter, encode as H.264 High, 8-bit 4:2:0, square pixels.
    Encode(VideoEncode),
}

impl VideoTrack {
    /// The stream that is read.
    #[must_use]
    pub const fn stream(&self) -> usize {
        match self {
            Self::Copy { stream } => *stream,
            Self::Edit(edit) => edit.stream,
            Self::Extend(extend) => extend.stream,
            Self::Encode(encode) => encode.stream,
        }
    }
}

/// A change of H.264's sequence parameter sets. Nothing is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoEdit {
    /// The stream.
    pub stream: usize,
    /// The new cropping rectangle, in place of the old one.
    pub cropping: Option<Cropping>,
    /// Width and height of the picture after that, for the container; `None` leaves what it says.
    pub size: Option<(u32, u32)>,
    /// Declare the samples square, in the parameter sets and in the container.
    pub square_pixels: bool,
    /// Frames a second that the parameter sets are to declare (`time_scale` and `num_units_in_tick`, ITU-T H.264
    /// §E.2.1), for what is played at another rate. Players go by the container's times, so sets that cannot be written
    /// anew keep what they say.
    pub frame_rate: Option<Fraction>,
}

/// The last picture shown on. Only H.264 of 8 bits with its parameter sets in the head of the file (`avcC`), shown once
/// and at its own rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoExtend {
    /// The stream.
    pub stream: usize,
    /// Until when, in microseconds; in whole frames, rounded up.
    pub until_us: i64,
    /// Frames a second of what is added.
    pub frame_rate: Fraction,
    /// x264's CRF, 0 to 51.
    pub crf: u8,
    /// x264's preset.
    pub preset: String,
}

/// What is cut off each side of the picture of whole macroblocks (ITU-T H.264 §7.4.2.1.1), in luma samples; whole
/// multiples of the sides of a chroma sample, doubled upwards where field coding is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cropping {
    /// Off the left.
    pub left: u32,
    /// Off the right.
    pub right: u32,
    /// Off the top.
    pub top: u32,
    /// Off the bottom.
    pub bottom: u32,
}

/// One encode of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoEncode {
    /// The stream.
    pub stream: usize,
    /// A filter graph with one open input and one open output; it ends in pictures of `width` × `height`.
    pub filter: String,
    /// The width that comes out of the filter; even.
    pub width: u32,
    /// The height that comes out of the filter; even.
    pub height: u32,
    /// Frames a second: exact when `constant`, else the average, for rate control and for the filters that ask.
    pub frame_rate: Fraction,
    /// Whether every frame lasts as long; else each keeps its time.
    pub constant: bool,
    /// Who encodes.
    pub encoder: H264Encoder,
    /// x264's CRF, 0 to 51, or what comes nearest to it in another encoder.
    pub crf: u8,
    /// x264's preset; other encoders have none.
    pub preset: String,
    /// Ceiling of the bit rate in bits a second, over a window of two seconds.
    pub max_bit_rate: Option<u64>,
    /// The tags that are written, in the VUI and in `colr`.
    pub colour: Colour,
}

/// What becomes of the sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AudioTrack {
    /// The packets as they are.
    Copy {
        /// The stream.
        stream: usize,
    },
    /// Decode, filter, encode as AAC-LC.
    Encode(AudioEncode),
}

impl AudioTrack {
    /// The stream that is read.
    #[must_use]
    pub const fn stream(&self) -> usize {
        match self {
            Self::Copy { stream } => *stream,
            Self::Encode(encode) => encode.stream,
        }
    }
}

/// One encode of the sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioEncode {
    /// The stream.
    pub stream: usize,
    /// A filter graph with one open input and one open output. Rate, layout and sample format are brought to what the
    /// encoder takes behind it.
    pub filter: String,
    /// Samples a second.
    pub sample_rate: u32,
    /// Channels, 1 to 6; libav's usual layout for so many.
    pub channels: u16,
    /// Bits a second.
    pub bit_rate: u32,
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// How far the picture is written, in microseconds: sound that is copied is far ahead of a picture that is encoded.
    pub time_us: i64,
    /// Packets that were written.
    pub packets: u64,
}

/// What a job did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    /// Packets of the picture; empty ones are not written.
    pub video_packets: u64,
    /// Packets of the sound.
    pub audio_packets: u64,
    /// What was written of a picture that was copied; `None` where it was not, or where the muxer may have changed it.
    pub video_digest: Option<StreamDigest>,
    /// The same of the sound.
    pub audio_digest: Option<StreamDigest>,
    /// Packets and frames that could not be decoded, or that the demuxer could not read, after the first good one.
    pub damaged: u64,
    /// Time of the first of them, in microseconds.
    pub first_damage_us: Option<i64>,
}
