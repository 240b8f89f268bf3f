//! How far the work is.

use std::cell::Cell;

use pinpress_media::{Progress, Stage};

/// Tells how far the work is; never goes back.
pub(crate) struct Meter<'a> {
    report: &'a dyn Fn(Progress),
    total_us: i64,
    done_us: Cell<i64>,
}

impl<'a> Meter<'a> {
    /// Tells `report` that work on a video of `total_us` microseconds begins; 0 when that is not known.
    pub(crate) fn new(report: &'a dyn Fn(Progress), total_us: i64) -> Self {
        let meter = Self { report, total_us, done_us: Cell::new(0) };
        meter.reach(0);
        meter
    }

    /// A frame at this time was decoded.
    pub(crate) fn reach(&self, time_us: i64) {
        self.done_us.set(self.done_us.get().max(time_us));
        let millis = |micros: i64| u64::try_from(micros / 1000).unwrap_or(0);
        let total_ms = (self.total_us > 0).then(|| millis(self.total_us));
        (self.report)(Progress { stage: Stage::Covering, done_ms: millis(self.done_us.get()), total_ms });
    }
}
