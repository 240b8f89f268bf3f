//! Exact quantities: fractions, time bases, spans of time, rates and ratios.
//!
//! Nothing here is a float. A float appears only where a person reads a number, through the `Display`
//! implementations, never where a rule is decided.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A fraction in lowest terms whose denominator is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rational {
    num: i64,
    den: i64,
}

/// A text or a pair of numbers that is not a fraction with a positive denominator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a fraction: write it as 25, 25/1 or 9:16, not {0:?}")]
pub struct NotARational(pub String);

impl Rational {
    /// The fraction `num/den` in lowest terms, or `None` when `den` is zero or the value does not fit.
    #[must_use]
    pub fn new(num: i64, den: i64) -> Option<Self> {
        Self::from_wide(i128::from(num), i128::from(den))
    }

    /// A whole number.
    #[must_use]
    pub const fn whole(num: i64) -> Self {
        Self { num, den: 1 }
    }

    pub(crate) fn from_wide(num: i128, den: i128) -> Option<Self> {
        if den == 0 {
            return None;
        }
        let (num, den) = if den < 0 { (-num, -den) } else { (num, den) };
        let divisor = gcd(num.unsigned_abs(), den.unsigned_abs());
        let divisor = i128::try_from(divisor).ok()?;
        Some(Self { num: i64::try_from(num / divisor).ok()?, den: i64::try_from(den / divisor).ok()? })
    }

    /// The numerator, with the sign of the whole.
    #[must_use]
    pub const fn num(self) -> i64 {
        self.num
    }

    /// The denominator, at least 1.
    #[must_use]
    pub const fn den(self) -> i64 {
        self.den
    }

    /// The product, or `None` when it does not fit.
    #[must_use]
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        Self::from_wide(i128::from(self.num) * i128::from(other.num), i128::from(self.den) * i128::from(other.den))
    }

    /// The quotient, or `None` when `other` is zero or it does not fit.
    #[must_use]
    pub fn checked_div(self, other: Self) -> Option<Self> {
        Self::from_wide(i128::from(self.num) * i128::from(other.den), i128::from(self.den) * i128::from(other.num))
    }

    /// The sum, or `None` when it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::from_wide(
            i128::from(self.num) * i128::from(other.den) + i128::from(other.num) * i128::from(self.den),
            i128::from(self.den) * i128::from(other.den),
        )
    }

    /// The difference, or `None` when it does not fit.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self { num: other.num.checked_neg()?, den: other.den })
    }

    /// `self × scale`, rounded to the nearest whole number, halves away from zero.
    #[must_use]
    pub fn scaled_round(self, scale: i64) -> i64 {
        let wide = i128::from(self.num) * i128::from(scale);
        let den = i128::from(self.den);
        let rounded = if wide >= 0 { (wide + den / 2) / den } else { (wide - den / 2) / den };
        i64::try_from(rounded).unwrap_or(if rounded > 0 { i64::MAX } else { i64::MIN })
    }

    /// The largest whole number that is not larger.
    #[must_use]
    pub fn floor(self) -> i64 {
        self.num.div_euclid(self.den)
    }

    /// The smallest whole number that is not below the fraction.
    #[must_use]
    pub fn ceil(self) -> i64 {
        let floor = self.floor();
        if self.num.rem_euclid(self.den) == 0 { floor } else { floor.saturating_add(1) }
    }

    /// Written as `num/den` always, `25/1` too: the form of frame rates in the JSON contract.
    #[must_use]
    pub fn to_fraction(self) -> String {
        format!("{}/{}", self.num, self.den)
    }

    /// With at most `places` decimals (up to 9), trailing zeros dropped. For people only.
    #[must_use]
    pub fn to_decimal(self, places: u32) -> String {
        let scale = 10_i64.pow(places.min(9));
        let scaled = self.scaled_round(scale);
        let (whole, part) =
            (scaled.unsigned_abs() / scale.unsigned_abs(), scaled.unsigned_abs() % scale.unsigned_abs());
        let sign = if scaled < 0 { "-" } else { "" };
        if part == 0 {
            return format!("{sign}{whole}");
        }
        let width = places.min(9) as usize;
        let digits = format!("{part:0width$}");
        format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

impl Ord for Rational {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = i128::from(self.num) * i128::from(other.den);
        let right = i128::from(other.num) * i128::from(self.den);
        left.cmp(&right)
    }
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Rational {
    type Err = NotARational;

    /// Reads `25`, `-3`, `30000/1001`, `9:16` `1.91:1` and plain decimals such as `1.91`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || NotARational(text.to_owned());
        let number = |part: &str| part.trim().parse::<i64>().map_err(|_| bad());
        if let Some((num, den)) = text.split_once(['/', ':']) {
            if den.contains(['/', ':']) {
                return Err(bad());
            }
            let (num, den): (Self, Self) = (num.parse()?, den.parse()?);
            return num.checked_div(den).ok_or_else(bad);
        }
        if let Some((whole, part)) = text.split_once('.') {
            if part.is_empty() || part.len() > 9 || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(bad());
            }
            let den = 10_i64.pow(u32::try_from(part.len()).map_err(|_| bad())?);
            let negative = whole.trim_start().starts_with('-');
            let fraction = Self::new(number(part)?, den).ok_or_else(bad)?;
            let whole = Self::whole(number(whole)?);
            let sum = if negative { whole.checked_sub(fraction) } else { whole.checked_add(fraction) };
            return sum.ok_or_else(bad);
        }
        Ok(Self::whole(number(text)?))
    }
}

impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_fraction())
    }
}

impl Serialize for Rational {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_fraction())
    }
}

impl<'de> Deserialize<'de> for Rational {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The length of one tick, in seconds: `1/90000` in an MPEG transport stream, `1/timescale` in ISO BMFF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Rational", into = "Rational")]
pub struct TimeBase(Rational);

impl TimeBase {
    /// `num/den` seconds a tick; `None` unless both are above zero.
    #[must_use]
    pub fn new(num: u32, den: u32) -> Option<Self> {
        (num > 0).then(|| Rational::new(i64::from(num), i64::from(den)).map(Self)).flatten()
    }

    /// `1/timescale`, as the `mvhd` and `mdhd` boxes of ISO/IEC 14496-12 §8.2.2 and §8.4.2 give it.
    #[must_use]
    pub fn per_second(timescale: u32) -> Option<Self> {
        Self::new(1, timescale)
    }

    /// Seconds a tick.
    #[must_use]
    pub const fn seconds_per_tick(self) -> Rational {
        self.0
    }
}

impl TryFrom<Rational> for TimeBase {
    type Error = NotARational;
    fn try_from(value: Rational) -> Result<Self, Self::Error> {
        if value.num > 0 { Ok(Self(value)) } else { Err(NotARational(value.to_fraction())) }
    }
}

impl From<TimeBase> for Rational {
    fn from(value: TimeBase) -> Self {
        value.0
    }
}

/// A span or a point of time in seconds, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seconds(pub Rational);

impl Seconds {
    /// No time at all.
    pub const ZERO: Self = Self(Rational::whole(0));

    /// `ticks` of `time_base`, or `None` when the value does not fit.
    #[must_use]
    pub fn from_ticks(ticks: i64, time_base: TimeBase) -> Option<Self> {
        Rational::whole(ticks).checked_mul(time_base.0).map(Self)
    }

    /// Whole milliseconds.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(Rational::new(millis, 1000).unwrap_or(Rational::whole(millis / 1000)))
    }

    /// Whole microseconds, libav's `AV_TIME_BASE`.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(Rational::new(micros, 1_000_000).unwrap_or(Rational::whole(micros / 1_000_000)))
    }

    /// Milliseconds, rounded to the nearest.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.scaled_round(1_000)
    }

    /// Microseconds, rounded to the nearest.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0.scaled_round(1_000_000)
    }

    /// Ticks of `time_base`, rounded to the nearest.
    #[must_use]
    pub fn ticks(self, time_base: TimeBase) -> i64 {
        self.0.checked_div(time_base.0).map_or(0, |ticks| ticks.scaled_round(1))
    }
}

impl fmt::Display for Seconds {
    /// `3.992 s`; from one minute on `2 min 19.4 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.millis();
        let text = if millis.abs() < 60_000 {
            format!("{} s", self.0.to_decimal(3))
        } else {
            let rest = Rational::new(millis % 60_000, 1000).unwrap_or(Rational::whole(0));
            let seconds = if rest.num() == 0 { String::new() } else { format!(" {} s", rest.to_decimal(3)) };
            format!("{} min{seconds}", millis / 60_000)
        };
        f.pad(&text)
    }
}

/// Frames a second, above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Rational", into = "Rational")]
pub struct FrameRate(Rational);

impl FrameRate {
    /// `num/den` frames a second; `None` unless both are above zero.
    #[must_use]
    pub fn new(num: i64, den: i64) -> Option<Self> {
        Rational::new(num, den).and_then(|rate| Self::try_from(rate).ok())
    }

    /// The rate as a fraction.
    #[must_use]
    pub const fn rational(self) -> Rational {
        self.0
    }

    /// How long one frame is shown.
    #[must_use]
    pub fn frame_duration(self) -> Seconds {
        Seconds(Rational { num: self.0.den, den: self.0.num })
    }
}

impl TryFrom<Rational> for FrameRate {
    type Error = NotARational;
    fn try_from(value: Rational) -> Result<Self, Self::Error> {
        if value.num > 0 { Ok(Self(value)) } else { Err(NotARational(value.to_fraction())) }
    }
}

impl From<FrameRate> for Rational {
    fn from(value: FrameRate) -> Self {
        value.0
    }
}

impl fmt::Display for FrameRate {
    /// `23.976 fps`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} fps", self.0.to_decimal(3)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_and_ffprobe_write() {
        assert_eq!("30000/1001".parse(), Ok(Rational { num: 30_000, den: 1001 }));
        assert_eq!("18:32".parse(), Ok(Rational { num: 9, den: 16 }));
        assert_eq!("1.91".parse(), Ok(Rational { num: 191, den: 100 }));
        assert_eq!("-0.5".parse(), Ok(Rational { num: -1, den: 2 }));
        for bad in ["", "1/0", "a", "1.", "1e3", "0/0", "1:2:3"] {
            assert!(bad.parse::<Rational>().is_err(), "{bad:?} was read");
        }
    }

    #[test]
    fn people_read_short_numbers() {
        assert_eq!(FrameRate::new(24_000, 1001).unwrap().to_string(), "23.976 fps");
        assert_eq!(FrameRate::new(25, 1).unwrap().to_string(), "25 fps");
        assert_eq!(Seconds::from_millis(3_992).to_string(), "3.992 s");
        assert_eq!(Seconds::from_millis(139_400).to_string(), "2 min 19.4 s");
        assert_eq!(Seconds::from_millis(900_000).to_string(), "15 min");
    }

    proptest! {
        #[test]
        fn order_agrees_with_subtraction(a in -10_000_i64..10_000, b in 1_i64..10_000, c in -10_000_i64..10_000, d in 1_i64..10_000) {
            let (x, y) = (Rational::new(a, b).unwrap(), Rational::new(c, d).unwrap());
            let difference = x.checked_sub(y).unwrap();
            prop_assert_eq!(x.cmp(&y), difference.num().cmp(&0));
        }

        #[test]
        fn text_round_trips(num in any::<i64>(), den in 1_i64..) {
            let value = Rational::new(num, den).unwrap();
            prop_assert_eq!(value.to_fraction().parse::<Rational>().unwrap(), value);
        }

        #[test]
        fn ceil_is_the_least_whole_number_not_below(num in -100_000_i64..100_000, den in 1_i64..1000) {
            let value = Rational::new(num, den).unwrap();
            let ceil = value.ceil();
            prop_assert!(Rational::whole(ceil) >= value && Rational::whole(ceil - 1) < value);
        }
    }
}
