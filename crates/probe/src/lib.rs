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
    fn read(&self, path: &std::path::Path) -> Result<MediaInfo, ProbeError>;
}

/// The facts of `source`: from its sample table where that decides everything, else from `deep`. A name that says
/// another format than the bytes is among the anomalies.
///
/// # Errors
/// As [`DeepReader::read`], and when the file stops before its index does.
pub fn read(source: &Source, deep: &dyn DeepReader) -> Result<MediaInfo, ProbeError> {
    let mut info = match sample_table::read(source)? {
        sample_table::Decision::Facts(info) => *info,
        sample_table::Decision::Undecided { seen, .. } => {
            let mut info = deep.read(source.path())?;
            seen.join(&mut info);
            info
        }
    };
    info.anomalies.extend(naming::misnamed(source.path(), &info.container));
    Ok(info)
}
