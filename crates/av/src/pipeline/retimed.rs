//! The same pictures at another rate.

use ffmpeg_next::Packet;

use super::wiring::fine;
use crate::fraction::Fraction;
use crate::job::Retime;

/// Pictures that play at another rate.
pub(super) struct Retimed {
    from: Fraction,
    /// The time base that comes out; a frame of the new rate is a whole number of its ticks.
    to: Fraction,
    /// A frame of the old rate and of the new one, each as a time base.
    frames: (Fraction, Fraction),
    /// The first picture's time, in ticks of `from`.
    first: Option<i64>,
}

impl Retimed {
    pub(super) fn new(from: Fraction, retime: Retime) -> Self {
        let frames = (retime.from.inverse(), retime.to.inverse());
        Self { from, to: fine(frames.1), frames, first: None }
    }

    /// The time base of what comes out.
    pub(super) const fn base(&self) -> Fraction {
        self.to
    }

    pub(super) fn place(&mut self, packet: &mut Packet) {
        self.first.get_or_insert(packet.pts().or(packet.dts()).unwrap_or(0));
        packet.set_pts(packet.pts().map(|ticks| self.time(ticks)));
        packet.set_dts(packet.dts().map(|ticks| self.time(ticks)));
        let duration = packet.duration().max(0);
        packet.set_duration(self.on_grid(duration).unwrap_or_else(|| self.scaled(duration)));
    }

    /// Where a time of the source is in the result. The first one that is asked for is where the grid begins.
    pub(super) fn time(&mut self, ticks: i64) -> i64 {
        let first = *self.first.get_or_insert(ticks);
        let since = ticks.saturating_sub(first);
        self.scaled(first).saturating_add(self.on_grid(since).unwrap_or_else(|| self.scaled(since)))
    }

    /// A time that is a whole number of frames, but for the rounding of its container.
    fn on_grid(&self, ticks: i64) -> Option<i64> {
        let count = self.from.rescale(ticks, self.frames.0);
        let off = self.frames.0.rescale(count, self.from).saturating_sub(ticks);
        (off.abs() <= 1).then(|| self.frames.1.rescale(count, self.to))
    }

    /// Any other time, rounded down: an average rate must not end below the one that was asked for.
    fn scaled(&self, ticks: i64) -> i64 {
        let [from, old, new, to] =
            [self.from, self.frames.0, self.frames.1, self.to].map(|base| (i128::from(base.num), i128::from(base.den)));
        let num = i128::from(ticks) * from.0 * old.1 * new.0 * to.1;
        let den = from.1 * old.0 * new.1 * to.0;
        i64::try_from(num.div_euclid(den.max(1))).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_constant_rate_come_out_exact_and_others_scaled() {
        let placed = |base, from, to, times: &[i64]| -> (Vec<i64>, Fraction) {
            let mut retimed = Retimed::new(base, Retime { from, to });
            let place = |time: &i64| {
                let mut packet = Packet::copy(&[0]);
                packet.set_pts(Some(*time));
                retimed.place(&mut packet);
                packet.pts().unwrap()
            };
            (times.iter().map(place).collect(), retimed.to)
        };
        let pal = Fraction::new(25, 1);
        let exact = (vec![0, 512, 1_024, 1_536], Fraction::new(1, 12_800));
        let film = Fraction::new(24, 1);
        assert_eq!(placed(Fraction::new(1, 12_288), film, pal, &[0, 512, 1_024, 1_536]), exact);
        let ntsc = Fraction::new(24_000, 1_001);
        assert_eq!(placed(Fraction::new(1, 1_000), ntsc, pal, &[0, 42, 83, 125]), exact, "rounded to milliseconds");
        let late = placed(Fraction::new(1, 1_000), ntsc, pal, &[21, 63]).0;
        assert_eq!(late[1] - late[0], 512, "what begins late stays on its own grid");
        assert_eq!(placed(Fraction::new(1, 90_000), film, pal, &[0, 1_000]).0, [0, 136], "136.53 rounded down");
    }
}
