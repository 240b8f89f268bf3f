//! Fractions as libav gives them.

/// `num/den`, as libav gives it: not in lowest terms, and 0/0 or 0/1 where nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fraction {
    /// The numerator.
    pub num: i32,
    /// The denominator.
    pub den: i32,
}

impl Fraction {
    /// One microsecond, libav's `AV_TIME_BASE_Q`.
    pub const MICROSECOND: Self = Self { num: 1, den: 1_000_000 };

    /// `num/den`.
    #[must_use]
    pub const fn new(num: i32, den: i32) -> Self {
        Self { num, den }
    }

    /// Whether both parts are above zero, as in every time base and known rate.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.num > 0 && self.den > 0
    }

    /// `ticks` of this time base in ticks of `to`, rounded to the nearest (halves away from zero); saturates, and a
    /// base that is not positive gives 0.
    #[must_use]
    pub fn rescale(self, ticks: i64, to: Self) -> i64 {
        if !self.is_positive() || !to.is_positive() {
            return 0;
        }
        let num = i128::from(ticks) * i128::from(self.num) * i128::from(to.den);
        let den = i128::from(self.den) * i128::from(to.num);
        let half = if num < 0 { -(den / 2) } else { den / 2 };
        i64::try_from((num + half) / den).unwrap_or(if num < 0 { i64::MIN + 1 } else { i64::MAX })
    }

    /// The product in lowest terms; `None` when it does not fit, or a part of either is not above zero.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        if !self.is_positive() || !other.is_positive() {
            return None;
        }
        let num = i64::from(self.num) * i64::from(other.num);
        let den = i64::from(self.den) * i64::from(other.den);
        let (mut divisor, mut rest) = (num, den);
        while rest != 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        Some(Self { num: i32::try_from(num / divisor).ok()?, den: i32::try_from(den / divisor).ok()? })
    }

    /// `den/num`.
    #[must_use]
    pub const fn inverse(self) -> Self {
        Self { num: self.den, den: self.num }
    }

    /// `ticks` of this time base in microseconds.
    #[must_use]
    pub fn micros(self, ticks: i64) -> i64 {
        self.rescale(ticks, Self::MICROSECOND)
    }
}

impl From<ffmpeg_next::Rational> for Fraction {
    fn from(value: ffmpeg_next::Rational) -> Self {
        Self { num: value.numerator(), den: value.denominator() }
    }
}

impl From<Fraction> for ffmpeg_next::Rational {
    fn from(value: Fraction) -> Self {
        Self::new(value.num, value.den)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rescaling_rounds_halves_away_from_zero_as_av_rescale_q_does() {
        let halves = Fraction::new(1, 2);
        let whole = Fraction::new(1, 1);
        assert_eq!(halves.rescale(1, whole), 1);
        assert_eq!(halves.rescale(-1, whole), -1);
        assert_eq!(Fraction::new(1, 90_000).micros(90_000 * 3), 3_000_000);
        assert_eq!(Fraction::new(1, 1).micros(i64::MAX), i64::MAX, "saturates");
        assert_eq!(Fraction::new(0, 0).micros(5), 0);
    }

    #[test]
    fn products_are_in_lowest_terms() {
        let slower = Fraction::new(24, 25);
        assert_eq!(Fraction::new(1, 12_288).times(slower), Some(Fraction::new(1, 12_800)));
        assert_eq!(slower.times(slower.inverse()), Some(Fraction::new(1, 1)));
        assert_eq!(Fraction::new(0, 1).times(slower), None);
        assert_eq!(Fraction::new(1, i32::MAX).times(Fraction::new(1, 2)), None);
    }
}
