//! Where a video can be split without decoding it.

use std::path::Path;

use pinpress_av::{Cancel, Fraction};
use pinpress_media::{Failure, FailureKind};
use pinpress_probe::{Seconds, TimeBase};

use crate::failure;

/// The times at which the picture of the file at `source` can be cut, ascending, counted from its first picture or
/// sound: its closed sync samples, found by reading every packet of `stream`. A [`Part`](pinpress_media::Part) begins
/// at one of these, or at zero. Where the first of them is not where the picture begins, the picture cannot be repeated
/// without decoding it either.
///
/// # Errors
/// `Io`, `Corrupt` (also when `stream` is no picture), `Cancelled`.
pub fn sync_times(source: &Path, stream: u32, cancel: &Cancel) -> Result<Vec<Seconds>, Failure> {
    let found = pinpress_av::sync_times(source, stream as usize, cancel).map_err(|error| failure::from_av(&error))?;
    let unreadable = || Failure::new(FailureKind::Corrupt, "its times make no sense: export or copy it again");
    let start = seconds(found.start, found.start_base).ok_or_else(unreadable)?;
    let since = |ticks: i64| seconds(ticks, found.time_base)?.0.checked_sub(start.0).map(Seconds);
    found.ticks.iter().map(|ticks| since(*ticks)).collect::<Option<_>>().ok_or_else(unreadable)
}

fn seconds(ticks: i64, base: Fraction) -> Option<Seconds> {
    Seconds::from_ticks(ticks, TimeBase::new(u32::try_from(base.num).ok()?, u32::try_from(base.den).ok()?)?)
}
