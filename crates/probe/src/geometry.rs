//! Sizes and shapes: the coded picture, the displayed picture, and what lies between the two.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::{NotARational, Rational};

/// The decoded picture in samples, after the cropping rectangle of the parameter set (ITU-T H.264 §7.4.2.1.1),
/// before sample aspect ratio and display matrix. ffprobe's `width` and `height`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CodedSize {
    /// Samples a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// The frame cropping rectangle of a sequence parameter set (ITU-T H.264 §7.4.2.1.1): what a decoder cuts off each side
/// of the picture that is made of whole macroblocks. All in luma samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FrameCropping {
    /// Off the left.
    pub left: u32,
    /// Off the right.
    pub right: u32,
    /// Off the top.
    pub top: u32,
    /// Off the bottom.
    pub bottom: u32,
    /// `CropUnitX`: what is cut off left and right is a multiple of it; 2 for 4:2:0.
    pub unit_x: u32,
    /// `CropUnitY`: the same for top and bottom; 2 for 4:2:0 of whole frames, 4 where field coding is allowed.
    pub unit_y: u32,
}

/// The picture as it is shown, in square pixels: clean aperture, sample aspect ratio and display matrix applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DisplaySize {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl DisplaySize {
    /// The shorter side in pixels.
    #[must_use]
    pub fn short_side(self) -> u32 {
        self.width.min(self.height)
    }
}

macro_rules! size_display {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&format!("{}×{}", self.width, self.height))
            }
        }
    )*};
}
size_display!(CodedSize, DisplaySize);

/// Width to height, both above zero, in lowest terms: `9:16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AspectRatio(Rational);

impl AspectRatio {
    /// `width:height`; `None` unless both are above zero.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Option<Self> {
        (width > 0 && height > 0).then(|| Rational::new(i64::from(width), i64::from(height)).map(Self)).flatten()
    }

    /// Width divided by height.
    #[must_use]
    pub const fn rational(self) -> Rational {
        self.0
    }

    /// The width of the ratio in lowest terms.
    #[must_use]
    pub fn width(self) -> u64 {
        self.0.num().unsigned_abs()
    }

    /// The height of the ratio in lowest terms.
    #[must_use]
    pub fn height(self) -> u64 {
        self.0.den().unsigned_abs()
    }

    /// 1:1.
    #[must_use]
    pub fn is_square(self) -> bool {
        self.0.num() == self.0.den()
    }
}

impl TryFrom<Rational> for AspectRatio {
    type Error = NotARational;
    fn try_from(value: Rational) -> Result<Self, Self::Error> {
        if value.num() > 0 { Ok(Self(value)) } else { Err(NotARational(value.to_fraction())) }
    }
}

impl FromStr for AspectRatio {
    type Err = NotARational;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Rational>()?.try_into()
    }
}

impl fmt::Display for AspectRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.0.num(), self.0.den()))
    }
}

impl Serialize for AspectRatio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AspectRatio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A clockwise quarter turn that a player applies before showing the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rotation {
    /// Shown as coded.
    #[default]
    None,
    /// 90° clockwise: most phone clips held upright.
    Clockwise90,
    /// Upside down.
    Half,
    /// 270° clockwise.
    Clockwise270,
}

impl Rotation {
    /// 0, 90, 180 or 270: `rotation` in the JSON contract.
    #[must_use]
    pub const fn degrees(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Clockwise90 => 90,
            Self::Half => 180,
            Self::Clockwise270 => 270,
        }
    }

    /// Whether width and height change places.
    #[must_use]
    pub const fn swaps_sides(self) -> bool {
        matches!(self, Self::Clockwise90 | Self::Clockwise270)
    }
}

/// What the display matrix does: first a left-right mirror of the coded picture if `mirrored`, then the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Orientation {
    /// The turn, applied last.
    pub rotation: Rotation,
    /// Left and right change places first.
    pub mirrored: bool,
}

impl Orientation {
    /// Shown as coded.
    pub const UPRIGHT: Self = Self { rotation: Rotation::None, mirrored: false };

    /// Reads the upper left 2×2 of a `tkhd` matrix {a b u, c d v, x y w} (ISO/IEC 14496-12 §8.3.2: the point
    /// (p, q) goes to (a·p + c·q, b·p + d·q), y downwards). libav's display matrix has the same layout, with
    /// `a`, `b`, `c`, `d` at 0, 1, 3 and 4. Scale is ignored; `None` for anything that is not made of quarter
    /// turns and mirrors.
    #[must_use]
    pub fn from_matrix(a: i32, b: i32, c: i32, d: i32) -> Option<Self> {
        let sign = |v: i32| v.signum();
        let (a, b, c, d) = (sign(a), sign(b), sign(c), sign(d));
        let mirrored = a * d - b * c < 0;
        // Undo the mirror (it negates the image of the x axis), then read where the x axis went.
        let (x, y) = if mirrored { (-a, -b) } else { (a, b) };
        let rotation = match ((x, y), (c, d)) {
            ((1, 0), (0, 1)) => Rotation::None,
            ((0, 1), (-1, 0)) => Rotation::Clockwise90,
            ((-1, 0), (0, -1)) => Rotation::Half,
            ((0, -1), (1, 0)) => Rotation::Clockwise270,
            _ => return None,
        };
        Some(Self { rotation, mirrored })
    }

    /// The displayed size of a coded picture: clean aperture, then sample aspect (the width is scaled, as ISO BMFF
    /// §12.1.4 does for `pasp`), then the turn. Sides are rounded to the nearest pixel, at least 1.
    #[must_use]
    pub fn display_size(
        self,
        coded: CodedSize,
        clean_aperture: Option<CodedSize>,
        sample_aspect: Option<AspectRatio>,
    ) -> DisplaySize {
        let shown = clean_aperture.unwrap_or(coded);
        let width = sample_aspect.map_or(shown.width, |sar| {
            let wide = u128::from(shown.width) * u128::from(sar.width());
            let den = u128::from(sar.height());
            u32::try_from(((wide + den / 2) / den).max(1)).unwrap_or(u32::MAX)
        });
        if self.rotation.swaps_sides() {
            DisplaySize { width: shown.height, height: width }
        } else {
            DisplaySize { width, height: shown.height }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i32 = 0x1_0000;

    #[test]
    fn matrices_of_phones_and_editors() {
        let read = |a, b, c, d| Orientation::from_matrix(a, b, c, d).map(|o| (o.rotation.degrees(), o.mirrored));
        assert_eq!(read(ONE, 0, 0, ONE), Some((0, false)));
        assert_eq!(read(0, ONE, -ONE, 0), Some((90, false)));
        assert_eq!(read(-ONE, 0, 0, -ONE), Some((180, false)));
        assert_eq!(read(0, -ONE, ONE, 0), Some((270, false)));
        assert_eq!(read(-ONE, 0, 0, ONE), Some((0, true)));
        assert_eq!(read(ONE, 0, 0, -ONE), Some((180, true)), "a vertical flip is a mirror and half a turn");
        assert_eq!(read(ONE, ONE, -ONE, ONE), None, "45 degrees");
        assert_eq!(read(0, 0, 0, 0), None);
    }

    #[test]
    fn display_size_applies_aperture_aspect_and_turn_in_that_order() {
        let coded = CodedSize { width: 1440, height: 1080 };
        let turned = Orientation { rotation: Rotation::Clockwise90, mirrored: false };
        let sar = AspectRatio::new(4, 3);
        assert_eq!(turned.display_size(coded, None, sar), DisplaySize { width: 1080, height: 1920 });
        let aperture = Some(CodedSize { width: 720, height: 540 });
        assert_eq!(Orientation::UPRIGHT.display_size(coded, aperture, sar), DisplaySize { width: 960, height: 540 });
    }
}
