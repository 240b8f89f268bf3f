//! Sound that is held back until it is known whether the clip begins anew before it ends.

use std::collections::VecDeque;

use ffmpeg_next::frame;

use crate::fraction::Fraction;

/// Frames that are held: more than a second of AAC. What outlasts the picture by more was not to be cut.
const HELD: usize = 64;

/// The last frames before a seam.
pub(super) struct Seam {
    held: VecDeque<frame::Audio>,
    most: usize,
}

impl Seam {
    pub(super) fn new(repeats: bool) -> Self {
        Self { held: VecDeque::new(), most: if repeats { HELD } else { 0 } }
    }

    /// Takes a frame, and gives back one that no seam will cut.
    pub(super) fn take(&mut self, frame: frame::Audio) -> Option<frame::Audio> {
        self.held.push_back(frame);
        if self.held.len() > self.most { self.held.pop_front() } else { None }
    }

    /// What is held of the time before `until`, in ticks of `base` as the frames' own times are; to the sample.
    pub(super) fn cut(&mut self, until: i64, base: Fraction) -> Vec<frame::Audio> {
        let mut kept: Vec<frame::Audio> = self.held.drain(..).collect();
        kept.retain_mut(|frame| {
            let samples = Fraction::new(1, i32::try_from(frame.rate()).unwrap_or(48_000).max(1));
            let left = frame.pts().map_or(i64::MAX, |time| base.rescale(until.saturating_sub(time), samples));
            let left = usize::try_from(left.max(0)).unwrap_or(usize::MAX);
            frame.set_samples(frame.samples().min(left));
            left > 0
        });
        kept
    }
}
