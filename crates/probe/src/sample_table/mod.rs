//! The fast path: facts about ISO BMFF files from `ftyp` and `moov` alone. `mdat` is never read.
//!
//! The top-level boxes are walked in the file; `moov` is read into memory, bounded; the guard checks every box
//! in it and hides what need not be parsed; only then the `mp4` crate sees it. The picture's facts come from the
//! H.264 parameter set in `avcC`. Whatever this path cannot decide for certain is [`Undecided`], and a
//! [`crate::DeepReader`] decides it.

mod avc;
mod boxes;
mod extent;
mod guard;
mod parsed;
mod timing;
mod top_level;
mod tracks;

use crate::error::ProbeError;
use crate::info::{Container, MediaInfo};
use crate::source::Source;

/// What the fast path can say.
#[derive(Debug)]
pub enum Decision {
    /// Every fact, for certain.
    Facts(Box<MediaInfo>),
    /// Somebody else must look.
    Undecided(Undecided),
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
    let io_error = |error| ProbeError::Io { path: source.path().to_owned(), source: error };
    let top = match top_level::walk(source.file(), source.len()).map_err(io_error)? {
        top_level::Layout::Indexed(top) => top,
        top_level::Layout::CutOff => return Err(ProbeError::Incomplete { path: source.path().to_owned() }),
        top_level::Layout::Other(undecided) => return Ok(Decision::Undecided(undecided)),
    };
    let moov = top_level::read_moov(source.file(), &top).map_err(io_error)?;
    Ok(match decide(moov, &top, source.len()) {
        Ok(info) => Decision::Facts(Box::new(info)),
        Err(undecided) => Decision::Undecided(undecided),
    })
}

fn decide(moov: Vec<u8>, top: &top_level::TopLevel, file_len: u64) -> Result<MediaInfo, Undecided> {
    let guarded = guard::guard(moov, top.brand)?;
    let movie = parsed::parse(&guarded.bytes)?;
    let facts = tracks::facts(&guarded, &movie, file_len)?;
    Ok(MediaInfo {
        container: top.brand.map_or(Container::Mov, Container::from_major_brand),
        size_bytes: file_len,
        duration: facts.duration,
        video: facts.video,
        audio: facts.audio,
        other: facts.other,
        faststart: Some(top.moov_first),
        fragmented: false,
        private: guarded.private,
        anomalies: facts.anomalies,
        reader: crate::info::Reader::SampleTable,
    })
}
