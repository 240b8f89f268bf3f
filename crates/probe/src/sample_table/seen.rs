//! What the boxes said of a file that another reader decides, and that reader does not tell.

use crate::geometry::CodedSize;
use crate::info::{Anomaly, MediaInfo};
use crate::units::Seconds;

/// Facts of the boxes, to be joined with those of a [`crate::DeepReader`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Clean apertures (`clap`, ISO/IEC 14496-12 §12.1.4): libav's demuxer passes over them.
    pub clean_apertures: Vec<CleanAperture>,
    /// How far every stream is whole, when the sample tables were read and point past the end of the file.
    pub whole_until: Option<Seconds>,
}

/// The clean aperture of one video track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanAperture {
    /// Place among all tracks, from 0.
    pub stream: u32,
    /// `width` and `height` of the sample entry.
    pub coded: CodedSize,
    /// The part that is to be shown.
    pub clean: CodedSize,
}

impl Seen {
    /// Adds to `info` what it lacks. A clean aperture is taken only for a stream of the same place and size: readers
    /// may count streams in their own way.
    pub fn join(&self, info: &mut MediaInfo) {
        for video in info.video.iter_mut().filter(|video| video.clean_aperture.is_none()) {
            let seen = self.clean_apertures.iter().find(|seen| seen.stream == video.index && seen.coded == video.coded);
            video.clean_aperture = seen.map(|seen| seen.clean).filter(|clean| clean.is_inside(video.coded));
        }
        let known = info.anomalies.iter().any(|anomaly| matches!(anomaly, Anomaly::Truncated { .. }));
        if self.whole_until.is_some() && !known {
            info.anomalies.push(Anomaly::Truncated { whole: self.whole_until });
        }
    }
}

impl CodedSize {
    /// Smaller than `whole` one way, and larger in none: a clean aperture that says something.
    pub(super) const fn is_inside(self, whole: Self) -> bool {
        self.width <= whole.width
            && self.height <= whole.height
            && (self.width < whole.width || self.height < whole.height)
    }
}
