//! What only decoding tells, by a sample: whether the pictures are made of fields, and where a crop keeps most.

use std::path::Path;

use pinpress_av::{Cancel, Fields, SampleOptions};
use pinpress_media::Failure;
use pinpress_probe::{AspectRatio, MediaInfo, Scan};

use crate::failure;
use crate::plan::Measured;

mod focus;

pub use focus::busiest;

/// Places of a sample: scenes differ, and titles at the beginning are often made by other tools than the rest.
const PLACES: u32 = 6;

/// Pictures of each place: a second of film, with enough of them behind the first two, which have no neighbours.
const PICTURES: usize = 24;

/// Pictures of each place at a first look for fields, eight behind the first two: telecine shows three of them. Most
/// video is clearly made of whole pictures, and with that the look is over: at 24 it takes a third as long on the cores
/// as all the rest of a fix of 8 s of 1080p at `veryfast`. What it does not clear is looked at again, with all.
const PICTURES_AT_FIRST: usize = 10;

/// Places of a glance before that: every other one of the same, so that fields that go on over two neighbours of
/// [`PLACES`], with fewer of which nothing is decided for fields, are in one of these.
const PLACES_AT_A_GLANCE: u32 = PLACES / 2;

/// Whole pictures of a glance, of 30 that are looked at, after which it is enough when there is not one of fields.
const WHOLE_AT_A_GLANCE: u64 = 15;

/// A file that is shorter, in microseconds, is looked at from its beginning without a seek.
const SHORT_US: i64 = 6_000_000;

/// The longest side of the grey copies: finer detail than this is texture and noise.
const GREY_SIDE: u32 = 192;

/// Clear pictures below which nothing is decided.
const MIN_DETERMINED: u64 = 8;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct What {
    /// Whether the pictures are made of fields.
    pub scan: bool,
    /// The ratio, width to height, of the part that a crop keeps, where one has to be found.
    pub crop: Option<AspectRatio>,
    /// Threads of the decoder, at least 1.
    pub threads: usize,
}

impl What {
    /// Whether there is anything to measure.
    #[must_use]
    pub const fn is_needed(self) -> bool {
        self.scan || self.crop.is_some()
    }
}

/// Decodes a sample of the first picture of the file at `source`. What cannot be told is `None`.
///
/// # Errors
/// When the file cannot be read or decoded at all, or `cancel` is set.
pub fn measure(source: &Path, info: &MediaInfo, what: What, cancel: &Cancel) -> Result<Measured, Failure> {
    let Some(video) = info.primary_video().filter(|_| what.is_needed()) else {
        return Ok(Measured::default());
    };
    let look = |places, pictures, short_us| {
        let options = SampleOptions {
            places,
            pictures,
            short_us,
            fields: what.scan,
            grey_side: what.crop.map(|_| GREY_SIDE),
            threads: what.threads.max(1),
        };
        pinpress_av::sample(source, video.index as usize, &options, cancel).map_err(|error| failure::from_av(&error))
    };
    // Short files too are glanced at in all their length.
    if what.crop.is_none()
        && (is_whole_at_a_glance(&look(PLACES_AT_A_GLANCE, PICTURES_AT_FIRST, 0)?.fields)
            || scan(&look(PLACES, PICTURES_AT_FIRST, SHORT_US)?.fields) == Some(Scan::Progressive))
    {
        return Ok(Measured { scan: Some(Scan::Progressive), busiest: None });
    }
    let sample = look(PLACES, PICTURES, SHORT_US)?;
    Ok(Measured {
        scan: what.scan.then(|| scan(&sample.fields)).flatten(),
        busiest: what.crop.and_then(|ratio| busiest(&sample.places, ratio)),
    })
}

/// Whether a glance leaves no doubt that there are no fields: not one picture looks like it, and most are clear.
const fn is_whole_at_a_glance(fields: &Fields) -> bool {
    fields.top_first == 0 && fields.bottom_first == 0 && fields.progressive >= WHOLE_AT_A_GLANCE
}

/// What the fields of a sample amount to. Pure.
///
/// From a quarter of combed pictures on, all of one order, and an eighth that are clear at all, they are made of
/// fields: two in five are so in film that was telecined for good, which is deinterlaced like the rest. Up to a twelfth
/// is what `idet` mistakes in whole pictures. Between the two, and where too little moves, nothing is decided and the
/// stream's flag stands. Telecine by flags alone (MPEG-2's `repeat_first_field`) decodes to whole pictures and is
/// progressive.
#[must_use]
pub fn scan(fields: &Fields) -> Option<Scan> {
    let combed = fields.top_first + fields.bottom_first;
    let (most, least) = (fields.top_first.max(fields.bottom_first), fields.top_first.min(fields.bottom_first));
    let determined = combed + fields.progressive;
    if determined < MIN_DETERMINED {
        return None;
    }
    if combed * 4 >= determined && most >= least * 4 && determined * 8 >= determined + fields.undetermined {
        return Some(Scan::Interlaced);
    }
    (combed * 12 <= determined).then_some(Scan::Progressive)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(top_first: u64, bottom_first: u64, progressive: u64, undetermined: u64) -> Option<Scan> {
        scan(&Fields { top_first, bottom_first, progressive, undetermined })
    }

    #[test]
    fn what_is_clear_is_decided_and_what_is_not_is_left_open() {
        assert_eq!(of(100, 0, 0, 44), Some(Scan::Interlaced));
        assert_eq!(of(0, 100, 20, 0), Some(Scan::Interlaced));
        assert_eq!(of(0, 0, 144, 0), Some(Scan::Progressive));
        assert_eq!(of(2, 3, 139, 0), Some(Scan::Progressive));
        // Telecine, two pictures of five.
        assert_eq!(of(48, 0, 72, 0), Some(Scan::Interlaced));
        // No order: noise.
        assert_eq!(of(40, 40, 40, 0), None);
        assert_eq!(of(20, 0, 100, 0), None);
        // Nothing moves, or next to nothing.
        assert_eq!(of(10, 0, 0, 134), None);
        assert_eq!(of(0, 0, 3, 140), None);
        assert_eq!(of(0, 0, 0, 0), None);
    }

    #[test]
    fn a_glance_is_enough_only_when_most_is_clear_and_nothing_is_of_fields() {
        let glance = |top_first, bottom_first, progressive, undetermined| {
            is_whole_at_a_glance(&Fields { top_first, bottom_first, progressive, undetermined })
        };
        assert!(glance(0, 0, 24, 6));
        assert!(!glance(1, 0, 29, 0) && !glance(0, 1, 29, 0));
        assert!(!glance(0, 0, 14, 16), "too little moves");
        // Fields over two neighbouring places of the whole sample are in one place of the glance at least.
        for first in 0..PLACES - 1 {
            let places = 0..PLACES_AT_A_GLANCE;
            let seen =
                places.map(|place| place * PLACES / PLACES_AT_A_GLANCE).filter(|at| (first..first + 2).contains(at));
            assert_eq!(seen.count(), 1, "{first}");
        }
    }
}
