//! From a file to facts to findings.
//!
//! [`Source`] opens a file once; [`MediaInfo`] holds the facts, read from the sample table by [`sample_table`]
//! where that can be decided, else by a [`DeepReader`]; [`Spec`] is a rule set; [`check`] is pure and answers a
//! [`Report`].

pub mod decoded;
pub mod error;
pub mod finding;
pub mod geometry;
pub mod info;
mod naming;
pub mod rules;
pub mod sample_table;
pub mod source;
pub mod spec;
pub mod units;

use std::io::{Read, Seek};
use std::path::Path;

pub use decoded::{Decoded, DecodedStream, Medium};
pub use error::ProbeError;
pub use finding::{Finding, Remedy, Report, RuleId, Severity};
pub use geometry::{AspectRatio, CodedSize, DisplaySize, FrameCropping, Orientation, Rotation};
pub use info::{
    Anomaly, AudioStream, Chroma, Colour, Container, MediaInfo, OtherStream, PixelFormat, PrivateTag, Reader, Scan,
    VideoStream,
};
pub use rules::check;
pub use source::{Fingerprint, Source};
pub use spec::{Spec, SpecError};
pub use units::{FrameRate, NotARational, Rational, Seconds, TimeBase};

/// A reader that decides what the sample table alone cannot: libav in the worker, through `media`.
pub trait DeepReader: Sync {
    /// Reads the facts of the file at `path`.
    ///
    /// # Errors
    /// When it is no video, is broken, or the reader itself failed.
    fn read(&self, path: &Path) -> Result<MediaInfo, ProbeError>;
}

/// The facts of `source`: from its sample table where that decides everything, else from `deep`. A name that says
/// another format than the bytes is among the anomalies.
///
/// # Errors
/// As [`DeepReader::read`], and when the file stops before its index does.
pub fn read(source: &Source, deep: &dyn DeepReader) -> Result<MediaInfo, ProbeError> {
    joined(sample_table::read(source)?, source.path(), || deep.read(source.path()))
}

/// The same of `len` bytes that are no file here, such as an object in storage that is read by ranges. They are called
/// `path`; `deep` reads all of them, where that is needed.
///
/// # Errors
/// As [`read`], and when there are no bytes.
pub fn read_from(
    reader: &mut (impl Read + Seek),
    len: u64,
    path: &Path,
    deep: impl FnOnce() -> Result<MediaInfo, ProbeError>,
) -> Result<MediaInfo, ProbeError> {
    if len == 0 {
        return Err(ProbeError::Empty { path: path.to_owned() });
    }
    let decision = sample_table::read_from(reader, len).map_err(|unreadable| unreadable.at(path))?;
    joined(decision, path, deep)
}

fn joined(
    decision: sample_table::Decision,
    path: &Path,
    deep: impl FnOnce() -> Result<MediaInfo, ProbeError>,
) -> Result<MediaInfo, ProbeError> {
    let mut info = match decision {
        sample_table::Decision::Facts(info) => *info,
        sample_table::Decision::Undecided { seen, .. } => {
            let mut info = deep()?;
            seen.join(&mut info);
            info
        }
    };
    info.anomalies.extend(naming::misnamed(path, &info.container));
    Ok(info)
}
