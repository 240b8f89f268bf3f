//! Rule sets: every limit as data, with its source and its date. No number of a rule stands in code.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::geometry::{AspectRatio, DisplaySize};
use crate::info::Chroma;
use crate::units::{FrameRate, Rational};

/// A rule set. A section that is `None` is a rule that is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
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

/// A rule set could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Neither a built-in name nor a file.
    #[error("no rule set {name:?}: use {known}, or the path of a TOML file", known = BUILT_IN.map(|(name, _)| name).join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The file could not be read.
    #[error("cannot read the rule set: {source}: {path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The text is no rule set. The message of the parser names the line.
    #[error("not a rule set: {reason}\n`pinpress spec pinterest` prints one to start from: {origin}")]
    Syntax {
        /// Line, column and reason.
        reason: String,
        /// File or built-in name.
        origin: String,
    },
    /// Limits that nothing can meet.
    #[error("not a rule set that anything can pass: {reason}: {origin}")]
    Contradiction {
        /// Which section, and why.
        reason: String,
        /// File or built-in name.
        origin: String,
    },
}

/// The built-in rule sets: name and text.
pub const BUILT_IN: [(&str, &str); 2] = [
    ("pinterest", include_str!("../specs/pinterest.toml")),
    ("pinterest-official", include_str!("../specs/pinterest-official.toml")),
];

impl Spec {
    /// The text of a built-in rule set, as `pinpress spec NAME` prints it.
    #[must_use]
    pub fn built_in_text(name: &str) -> Option<&'static str> {
        BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// A built-in rule set by its name, else the TOML file at that path.
    ///
    /// # Errors
    /// When there is neither, or the text is no rule set.
    pub fn load(name_or_path: &str) -> Result<Self, SpecError> {
        if let Some(text) = Self::built_in_text(name_or_path) {
            return Self::parse(text, name_or_path);
        }
        let path = Path::new(name_or_path);
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, name_or_path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(SpecError::Unknown { name: name_or_path.to_owned() })
            }
            Err(source) => Err(SpecError::Io { path: path.to_owned(), source }),
        }
    }

    /// Reads a rule set from TOML; `origin` names it in errors.
    ///
    /// # Errors
    /// When the text is not TOML, has a key that no rule knows, or limits that contradict each other.
    pub fn parse(text: &str, origin: &str) -> Result<Self, SpecError> {
        let spec: Self = toml::from_str(text)
            .map_err(|error| SpecError::Syntax { reason: error.to_string(), origin: origin.to_owned() })?;
        spec.contradiction().map_or(Ok(()), |reason| {
            Err(SpecError::Contradiction { reason: reason.to_owned(), origin: origin.to_owned() })
        })?;
        Ok(spec)
    }

    fn contradiction(&self) -> Option<&'static str> {
        if let Some(DurationRule { min: Some(min), max: Some(max) }) = self.duration
            && min > max
        {
            return Some("[duration] min is over max");
        }
        if let Some(AspectRule { min: Some(min), max: Some(max), .. }) = &self.aspect_ratio
            && min > max
        {
            return Some("[aspect-ratio] min is over max");
        }
        if self.container.as_ref().is_some_and(|rule| rule.allowed.is_empty()) {
            return Some("[container] allows nothing");
        }
        if self.video_codec.as_ref().is_some_and(|rule| rule.allowed.is_empty()) {
            return Some("[video-codec] allows nothing");
        }
        if self.streams.is_some_and(|rule| rule.max_video == 0) {
            return Some("[streams] allows no video");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinterest() -> Spec {
        Spec::load("pinterest").unwrap()
    }

    #[test]
    fn built_in_sets_load_and_round_trip() {
        for (name, _) in BUILT_IN {
            let spec = Spec::load(name).unwrap();
            assert_eq!(spec.name, name);
            let text = toml::to_string(&spec).unwrap();
            assert_eq!(Spec::parse(&text, "again").unwrap(), spec);
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let text = "name = \"x\"\nversion = \"1\"\nsource = \"me\"\n[duration]\nmin = \"4\"\nmaximum = \"9\"\n";
        let error = Spec::parse(text, "mine.toml").unwrap_err().to_string();
        assert!(error.contains("line 6") && error.contains("maximum") && error.ends_with("mine.toml"), "{error}");
    }

    #[test]
    fn a_minimum_over_a_maximum_is_an_error() {
        let text = "name = \"x\"\nversion = \"1\"\nsource = \"me\"\n[duration]\nmin = \"5\"\nmax = \"4\"\n";
        assert!(matches!(Spec::parse(text, "mine.toml"), Err(SpecError::Contradiction { .. })));
    }

    #[test]
    fn aspect_tolerance_ends_where_it_says() {
        let rule = pinterest().aspect_ratio.unwrap();
        let square = |width, height| rule.admits(DisplaySize { width, height });
        assert!(square(1000, 1000) && square(1010, 1000) && !square(1011, 1000), "one percent above");
        assert!(square(990, 1000) && !square(989, 1000), "one percent below");
        assert!(square(52, 50) && !square(53, 50), "two pixels where they are more than a percent");
        assert!(square(1080, 1920) && square(1080, 1620) && !square(1920, 1080));
    }

    #[test]
    fn the_official_range_is_closed() {
        let rule = Spec::load("pinterest-official").unwrap().aspect_ratio.unwrap();
        let admits = |width, height| rule.admits(DisplaySize { width, height });
        assert!(admits(1910, 1000) && admits(500, 1000) && admits(1280, 720));
        assert!(!admits(2000, 1000) && !admits(400, 1000));
    }
}
