//! Rule sets: every limit as data, with its source and its date. No number of a rule stands in code.
//!
//! The reference for those who write one is `pinpress help rule-sets`; a test holds that it names every key.

mod faults;
mod load;
mod place;

use serde::{Deserialize, Serialize};

use crate::geometry::{AspectRatio, DisplaySize};
use crate::info::Chroma;
use crate::units::{FrameRate, Rational};

pub use load::{BUILT_IN, FORMAT, SpecError};

/// A rule set. A section that is `None` is a rule that is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
    /// Version of the format of the text, at most [`FORMAT`]; not of the rules.
    #[serde(default = "first_format")]
    pub format: u32,
    /// Its name, as `--spec` takes it.
    pub name: String,
    /// The date of its source.
    pub version: String,
    /// Where the limits come from.
    pub source: String,
    /// File formats.
    pub container: Option<ContainerRule>,
    /// Length in bytes.
    pub file_size: Option<FileSizeRule>,
    /// How long it plays.
    pub duration: Option<DurationRule>,
    /// Shape of the displayed picture.
    pub aspect_ratio: Option<AspectRule>,
    /// Size of the displayed picture.
    pub resolution: Option<ResolutionRule>,
    /// Average frame rate.
    pub frame_rate: Option<FrameRateRule>,
    /// The picture's codec.
    pub video_codec: Option<VideoCodecRule>,
    /// Depth and chroma.
    pub pixel_format: Option<PixelFormatRule>,
    /// Progressive or interlaced.
    pub scan_type: Option<ScanRule>,
    /// The sound's codec.
    pub audio_codec: Option<AudioCodecRule>,
    /// How many streams.
    pub streams: Option<StreamsRule>,
    /// Advice about shape.
    pub feed_aspect: Option<FeedAspectRule>,
}

/// What a text without `format` is written in.
const fn first_format() -> u32 {
    1
}

/// File formats that pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerRule {
    /// Names of [`crate::Container`].
    pub allowed: Vec<String>,
}

/// Length of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSizeRule {
    /// Bytes, inclusive.
    pub max_bytes: u64,
}

/// Playing time in seconds, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DurationRule {
    /// The shortest that passes.
    pub min: Option<Rational>,
    /// The longest that passes.
    pub max: Option<Rational>,
}

/// Shape of the displayed picture: one of a list, or anything between two ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AspectRule {
    /// Ratios that pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<AspectRatio>,
    /// The narrowest that passes, when there is no list.
    pub min: Option<AspectRatio>,
    /// The widest that passes, when there is no list.
    pub max: Option<AspectRatio>,
    /// How far off a ratio may be, in percent of it.
    #[serde(default)]
    pub tolerance_percent: u32,
    /// How far off either side may be, in pixels: small pictures cannot hit a ratio exactly.
    #[serde(default)]
    pub tolerance_pixels: u32,
}

impl AspectRule {
    /// Whether `size` has the shape `ratio`, within the tolerance.
    #[must_use]
    pub fn is_near(&self, size: DisplaySize, ratio: AspectRatio) -> bool {
        let (w, h) = (u128::from(size.width), u128::from(size.height));
        let (a, b) = (u128::from(ratio.width()), u128::from(ratio.height()));
        // w/h against a/b, cross-multiplied: |w·b − h·a| is the error of w in units of 1/b pixel, and of h in 1/a.
        let off = (w * b).abs_diff(h * a);
        let pixels = u128::from(self.tolerance_pixels);
        off * 100 <= h * a * u128::from(self.tolerance_percent) || off <= pixels * b || off <= pixels * a
    }

    /// Whether `size` passes.
    #[must_use]
    pub fn admits(&self, size: DisplaySize) -> bool {
        // No side is no shape; every comparison below would hold for it.
        if size.width == 0 || size.height == 0 {
            return false;
        }
        if self.allowed.iter().any(|ratio| self.is_near(size, *ratio)) {
            return true;
        }
        if self.min.is_none() && self.max.is_none() {
            return self.allowed.is_empty();
        }
        let (w, h) = (u64::from(size.width), u64::from(size.height));
        let inside = |ratio: AspectRatio, wider: bool| {
            let (left, right) = (u128::from(w) * u128::from(ratio.height()), u128::from(h) * u128::from(ratio.width()));
            self.is_near(size, ratio) || if wider { left >= right } else { left <= right }
        };
        self.min.is_none_or(|min| inside(min, true)) && self.max.is_none_or(|max| inside(max, false))
    }
}

/// Size of the displayed picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolutionRule {
    /// Pixels of the shorter side, inclusive.
    pub min_short_side: u32,
}

/// Average frame rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameRateRule {
    /// Frames a second, inclusive.
    pub min: FrameRate,
}

/// The picture's codec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoCodecRule {
    /// libav's codec names.
    pub allowed: Vec<String>,
    /// Profiles of H.264 that pass; empty for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
}

/// Depth and chroma.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PixelFormatRule {
    /// Bits a sample, inclusive.
    pub max_bit_depth: u8,
    /// Chroma samplings that pass.
    pub chroma: Vec<Chroma>,
}

/// Progressive or interlaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanRule {
    /// Interlaced fails.
    pub progressive: bool,
}

/// The sound's codec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioCodecRule {
    /// libav's codec names.
    pub allowed: Vec<String>,
}

/// How many streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamsRule {
    /// Pictures in motion; one is always needed.
    pub max_video: usize,
    /// Sounds.
    pub max_audio: usize,
}

/// Advice about shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedAspectRule {
    /// Ratios that do best.
    pub best: Vec<AspectRatio>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aspect_rule(set: &str) -> AspectRule {
        Spec::load(set).unwrap().aspect_ratio.unwrap()
    }

    #[test]
    fn aspect_tolerance_ends_where_it_says() {
        let rule = aspect_rule("pinterest");
        let square = |width, height| rule.admits(DisplaySize { width, height });
        assert!(square(1000, 1000) && square(1010, 1000) && !square(1011, 1000), "one percent above");
        assert!(square(990, 1000) && !square(989, 1000), "one percent below");
        assert!(square(52, 50) && !square(53, 50), "two pixels where they are more than a percent");
        assert!(square(1080, 1920) && square(1080, 1620) && !square(1920, 1080));
    }

    #[test]
    fn the_official_range_is_closed() {
        let rule = aspect_rule("pinterest-official");
        let admits = |width, height| rule.admits(DisplaySize { width, height });
        assert!(admits(1910, 1000) && admits(500, 1000) && admits(1280, 720));
        assert!(!admits(2000, 1000) && !admits(400, 1000));
    }
}
