//! The fast path: facts about ISO BMFF files from `ftyp` and `moov` alone. `mdat` is never read.
//!
//! The top-level boxes are walked in the file; `moov` is read into memory, bounded; the guard checks every box
//! in it, reads the sample entries, and hides what need not be parsed; only then the `mp4` crate reads the tables. The
//! picture's facts come from the codec's configuration in its sample entry. Whatever this path cannot decide for
//! certain is [`Undecided`], and a [`crate::DeepReader`] decides it.

mod aac;
mod av1;
mod avc;
mod boxes;
mod colour;
mod cropping;
mod esds;
mod extent;
mod fence;
mod guard;
mod h263;
mod hevc;
mod hevc_tail;
mod limits;
mod mpeg4_visual;
mod parsed;
mod picture;
mod prores;
mod seen;
mod sound;
mod sound_entry;
mod timing;
mod top_level;
mod tracks;
mod visual_entry;
mod vp9;

pub use seen::{CleanAperture, Seen};

use std::io::{self, Read, Seek};
use std::path::Path;

pub use cropping::frame_cropping;
pub use fence::in_fence;

use crate::error::ProbeError;
use crate::info::{Container, MediaInfo};
use crate::source::Source;

/// What the fast path can say.
#[derive(Debug)]
pub enum Decision {
    /// Every fact, for certain.
    Facts(Box<MediaInfo>),
    /// Somebody else must look.
    Undecided {
        /// Why.
        why: Undecided,
        /// What the boxes said nevertheless.
        seen: Seen,
    },
}

/// Why the fast path does not decide.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// The first box is none that ISO BMFF or QuickTime begin with.
    #[error("no ISO BMFF")]
    NotIsoBmff,
    /// Samples are described in `moof` boxes.
    #[error("fragmented")]
    Fragmented,
    /// A codec, or a use of one, whose facts are not in the sample table.
    #[error("{0}")]
    Codec(String),
    /// The guard does not let it through.
    #[error("moov is not sound: {0}")]
    Unsound(String),
    /// Two places in the file disagree.
    #[error("contradiction: {0}")]
    Contradiction(String),
    /// A parser panicked, which the guard did not foresee.
    #[error("the parser gave up: {0}")]
    GaveUp(String),
}

/// A file has no sample table that could be read. It has no path here: the bytes may come from anywhere.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The reader refused, or ended before the length that it was said to have.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is ISO BMFF, and ends before its index (`moov`) does.
    #[error("incomplete: it ends before its index (moov) does: wait until it is written, or copy it again")]
    Incomplete,
}

impl Unreadable {
    /// As an error that names the file.
    #[must_use]
    pub fn at(self, path: &Path) -> ProbeError {
        match self {
            Self::Io(source) => ProbeError::Io { path: path.to_owned(), source },
            Self::Incomplete => ProbeError::Incomplete { path: path.to_owned() },
        }
    }
}

impl Undecided {
    fn codec(text: impl Into<String>) -> Self {
        Self::Codec(text.into())
    }
}

/// Reads the facts of an ISO BMFF file, or says why it does not decide.
///
/// # Errors
/// When reading fails, or the file stops before its index does (`Incomplete`).
pub fn read(source: &Source) -> Result<Decision, ProbeError> {
    read_from(&mut source.reader(), source.len()).map_err(|unreadable| unreadable.at(source.path()))
}

/// As [`read`], from any `reader` of `len` bytes: memory, or an object store by range requests.
///
/// Each top-level box costs one seek and one read of at most 16 bytes, and the payload of `moov` one seek and one
/// read; the payload of `mdat` is never read beyond what those 16 bytes take in. Where the reader stands before and
/// after does not matter. At most 32 MiB of `moov` are read and 256 MB are held.
///
/// # Errors
/// When `reader` fails or has fewer than `len` bytes, or `len` ends before the index does.
///
/// # Examples
/// ```
/// use std::io::Cursor;
/// use pinpress_probe::sample_table::{Decision, Undecided, read_from};
///
/// let bytes = b"RIFF\x24\0\0\0AVI LIST";
/// let decision = read_from(&mut Cursor::new(bytes), bytes.len() as u64)?;
/// assert!(matches!(decision, Decision::Undecided { why: Undecided::NotIsoBmff, .. }));
/// # Ok::<(), pinpress_probe::sample_table::Unreadable>(())
/// ```
pub fn read_from(reader: &mut (impl Read + Seek), len: u64) -> Result<Decision, Unreadable> {
    let top = match top_level::walk(reader, len)? {
        top_level::Layout::Indexed(top) => top,
        top_level::Layout::CutOff => return Err(Unreadable::Incomplete),
        top_level::Layout::Other(why) => return Ok(Decision::Undecided { why, seen: Seen::default() }),
    };
    let moov = top_level::read_moov(reader, &top)?;
    let mut seen = Seen::default();
    Ok(match fence::fenced(|| decide(moov, &top, len, &mut seen)) {
        Ok(info) => Decision::Facts(Box::new(info)),
        Err(why) => Decision::Undecided { why, seen },
    })
}

fn decide(moov: Vec<u8>, top: &top_level::TopLevel, file_len: u64, seen: &mut Seen) -> Result<MediaInfo, Undecided> {
    let guarded = guard::guard(moov, top.brand, seen)?;
    if top.fragmented {
        return Err(Undecided::Fragmented);
    }
    let movie = parsed::parse(&guarded.bytes)?;
    let facts = tracks::facts(guarded, movie, file_len, seen)?;
    Ok(MediaInfo {
        container: top.brand.map_or(Container::Mov, Container::from_major_brand),
        size_bytes: file_len,
        duration: facts.duration,
        video: facts.video,
        audio: facts.audio,
        other: facts.other,
        faststart: Some(top.moov_first),
        fragmented: false,
        private: facts.private,
        anomalies: facts.anomalies,
        reader: crate::info::Reader::SampleTable,
    })
}
