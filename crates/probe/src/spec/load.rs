//! From a name, a file or a text to a rule set that can be used.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{Spec, faults, place};

/// The newest format of rule sets that this program reads.
pub const FORMAT: u32 = 1;

/// A rule set is a page of text. Whatever is longer is something else.
const MAX_BYTES: u64 = 1 << 20;

/// The built-in rule sets: name and text.
pub const BUILT_IN: [(&str, &str); 2] = [
    ("pinterest", include_str!("../../specs/pinterest.toml")),
    ("pinterest-official", include_str!("../../specs/pinterest-official.toml")),
];

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
    /// It is no text file of a reasonable length.
    #[error("not a rule set: {reason}: `pinpress spec pinterest` prints one to start from: {path}", path = path.display())]
    NotAText {
        /// What it is instead.
        reason: &'static str,
        /// What was named.
        path: PathBuf,
    },
    /// The text is no rule set. The message of the parser names the line.
    #[error("not a rule set: {reason}\n`pinpress spec pinterest` prints one to start from: {origin}")]
    Syntax {
        /// Line, column and reason.
        reason: String,
        /// File or built-in name.
        origin: String,
    },
    /// It is written in a format of later versions of this program.
    #[error(
        "the rule set is in format {format}, and this program reads up to format {FORMAT}: use a newer pinpress, or write it in format {FORMAT}: {origin}"
    )]
    Newer {
        /// What the text says.
        format: u64,
        /// File or built-in name.
        origin: String,
    },
    /// Limits that nothing can meet, or that ask nothing.
    #[error("not a rule set that can be used: {reason}\n`pinpress help rule-sets` says what each key takes: {origin}")]
    Contradiction {
        /// Each fault with its line, column, section and key.
        reason: String,
        /// File or built-in name.
        origin: String,
    },
}

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
        Self::parse(&read(Path::new(name_or_path))?, name_or_path)
    }

    /// Reads a rule set from TOML; `origin` names it in errors.
    ///
    /// # Errors
    /// When the text is not TOML, is written in a newer format, has a key that no rule knows, or limits that
    /// contradict each other.
    pub fn parse(text: &str, origin: &str) -> Result<Self, SpecError> {
        let syntax =
            |error: toml::de::Error| SpecError::Syntax { reason: error.to_string(), origin: origin.to_owned() };
        let table = toml::de::DeTable::parse(text).map_err(syntax)?;
        // First of all: a newer text may have keys that this program would call unknown.
        if let Some(format) = place::number(&table, "format").filter(|format| *format > u64::from(FORMAT)) {
            return Err(SpecError::Newer { format, origin: origin.to_owned() });
        }
        let spec: Self = toml::from_str(text).map_err(syntax)?;
        let faults = faults::of(&spec);
        if faults.is_empty() {
            return Ok(spec);
        }
        let told: Vec<_> = faults.iter().map(|fault| place::told(fault, &table, text)).collect();
        Err(SpecError::Contradiction { reason: told.join("\n"), origin: origin.to_owned() })
    }
}

/// The text of the file at `path`: a regular file (anything else might never end), and not a long one.
fn read(path: &Path) -> Result<String, SpecError> {
    let io_error = |source| SpecError::Io { path: path.to_owned(), source };
    let not_a_text = |reason| SpecError::NotAText { reason, path: path.to_owned() };
    let kind = match std::fs::metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(SpecError::Unknown { name: path.display().to_string() });
        }
        Err(error) => return Err(io_error(error)),
    };
    if kind.is_dir() {
        return Err(not_a_text("a folder"));
    }
    if !kind.is_file() {
        return Err(not_a_text("a pipe, socket or device"));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(io_error)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(not_a_text("longer than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| not_a_text("not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str = "name = \"x\"\nversion = \"1\"\nsource = \"me\"\n";

    fn error(text: &str) -> String {
        Spec::parse(text, "mine.toml").unwrap_err().to_string()
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
        let error = error(&format!("{HEAD}[duration]\nmin = \"4\"\nmaximum = \"9\"\n"));
        assert!(error.contains("line 6") && error.contains("maximum") && error.ends_with("mine.toml"), "{error}");
    }

    #[test]
    fn a_newer_format_is_told_before_its_unknown_keys() {
        let newer = error(&format!("format = 2\n{HEAD}[brand-new]\nkey = 1\n"));
        assert!(newer.contains("format 2") && newer.contains("up to format 1"), "{newer}");
        assert_eq!(Spec::parse(&format!("format = 1\n{HEAD}"), "x").unwrap().format, 1);
        assert_eq!(Spec::parse(HEAD, "x").unwrap().format, 1, "a text without it is in the first");
        assert!(error(&format!("format = -1\n{HEAD}")).contains("line 1"));
    }

    #[test]
    fn every_contradiction_is_told_with_its_place() {
        let text = format!(
            "{HEAD}[container]\nallowed = [\"mp5\", \"mp4\", \"mp4\"]\n\n[duration]\nmin = \"5\"\nmax = \"4\"\n\n[streams]\nmax_video = 0\nmax_audio = 1\n"
        );
        let expected = r#"not a rule set that can be used: line 5, column 11
  |
5 | allowed = ["mp5", "mp4", "mp4"]
  |           ^^^^^^^^^^^^^^^^^^^^^
[container] allowed: "mp4" is there twice
line 5, column 11
  |
5 | allowed = ["mp5", "mp4", "mp4"]
  |           ^^^^^^^^^^^^^^^^^^^^^
[container] allowed: "mp5" is no name of a container: the names are mp4, mov, m4v, 3gp, f4v, matroska, webm, mpegts, avi, flv, ogg
line 8, column 7
  |
8 | min = "5"
  |       ^^^
[duration] min: 5 s is over max, 4 s
line 12, column 13
   |
12 | max_video = 0
   |             ^
[streams] max_video: 0 allows no picture, so that nothing passes
`pinpress help rule-sets` says what each key takes: mine.toml"#;
        assert_eq!(error(&text), expected);
        let empty = error(&format!("{HEAD}[duration]\n"));
        assert!(
            empty.contains("line 4, column 2\n  |\n4 | [duration]\n  |  ^^^^^^^^\n[duration]: asks nothing"),
            "{empty}"
        );
        let nameless = error("name = \"\"\nversion = \"1\"\nsource = \"me\"\n");
        assert!(nameless.contains("line 1, column 8\n"), "{nameless}");
    }

    #[test]
    fn files_that_are_no_texts_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |path: &Path| Spec::load(path.to_str().unwrap()).unwrap_err().to_string();
        let folder = refused(dir.path());
        assert!(folder.contains("a folder") && folder.ends_with(&dir.path().display().to_string()), "{folder}");
        let long = dir.path().join("long.toml");
        File::create(&long).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert!(refused(&long).contains("longer than 1 MiB"));
        let latin = dir.path().join("latin.toml");
        std::fs::write(&latin, b"name = \"caf\xe9\"").unwrap();
        assert!(refused(&latin).contains("not UTF-8") && refused(&latin).ends_with("latin.toml"));
        assert!(matches!(Spec::load(dir.path().join("gone").to_str().unwrap()), Err(SpecError::Unknown { .. })));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 0..12), second in any::<bool>()) {
            let mut bytes = BUILT_IN[usize::from(second)].1.as_bytes().to_vec();
            for (place, byte, kind) in edits {
                let at = place.index(bytes.len());
                match kind {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, b"0-[]\"=.\n"[usize::from(byte) % 8]),
                    2 => drop(bytes.remove(at)),
                    _ => {
                        // A line moves to another place.
                        let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end);
                        let line: Vec<u8> = bytes.drain(at..end).collect();
                        bytes.splice(0..0, line);
                    }
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            match Spec::parse(&text, "mutated") {
                Ok(spec) => prop_assert_eq!(Spec::parse(&toml::to_string(&spec).unwrap(), "again").unwrap(), spec),
                Err(error) => prop_assert!(error.to_string().ends_with("mutated")),
            }
        }

        #[test]
        fn what_is_written_reads_back_equal(spec in any_spec()) {
            let text = toml::to_string(&spec).unwrap();
            prop_assert_eq!(Spec::parse(&text, "written").unwrap(), spec);
        }
    }

    /// Rule sets without faults, with any choice of sections.
    fn any_spec() -> impl Strategy<Value = Spec> {
        use crate::spec::*;
        let ratio = |width: u32, height: u32| AspectRatio::new(width, height).unwrap();
        let timing = (prop::option::of((1_i64..1000, 1_i64..1000)), prop::option::of((1_i64..100_000, 1_i64..2000)));
        let shape = prop::option::of((any::<bool>(), 1_u32..50, 50_u32..90, 0_u32..100, 0_u32..9));
        let sizes = (prop::option::of(1..u64::from(u32::MAX)), prop::option::of(1_u32..9000));
        let picture = (prop::option::of(any::<bool>()), prop::option::of(8_u8..=16), prop::option::of(any::<bool>()));
        let rest = (prop::option::of(any::<bool>()), prop::option::of((1_usize..9, 0_usize..9)), "[a-z].{0,20}");
        (timing, shape, sizes, picture, rest).prop_map(
            move |((duration, rate), shape, (bytes, side), (profiles, depth, scan), (sound, streams, name))| Spec {
                format: 1,
                name,
                version: "1".to_owned(),
                source: "any".to_owned(),
                container: sound.map(|_| ContainerRule { allowed: vec!["mov".to_owned(), "webm".to_owned()] }),
                file_size: bytes.map(|max_bytes| FileSizeRule { max_bytes }),
                duration: duration
                    .map(|(min, more)| DurationRule { min: Rational::new(min, 7), max: Rational::new(min + more, 7) }),
                aspect_ratio: shape.map(|(list, width, height, tolerance_percent, tolerance_pixels)| AspectRule {
                    allowed: if list { vec![ratio(width, height), ratio(height, width)] } else { Vec::new() },
                    min: (!list).then(|| ratio(width, height)),
                    max: (!list).then(|| ratio(height, width)),
                    tolerance_percent,
                    tolerance_pixels,
                }),
                resolution: side.map(|min_short_side| ResolutionRule { min_short_side }),
                frame_rate: rate.map(|(num, den)| FrameRateRule { min: FrameRate::new(num, den).unwrap() }),
                video_codec: profiles.map(|some| VideoCodecRule {
                    allowed: vec!["h264".to_owned(), "av1".to_owned()],
                    profiles: if some { vec!["High".to_owned()] } else { Vec::new() },
                }),
                pixel_format: depth.map(|max_bit_depth| PixelFormatRule {
                    max_bit_depth,
                    chroma: vec![Chroma::Yuv420, Chroma::Monochrome],
                }),
                scan_type: scan.map(|progressive| ScanRule { progressive }),
                audio_codec: sound.map(|_| AudioCodecRule { allowed: vec!["opus".to_owned()] }),
                streams: streams.map(|(max_video, max_audio)| StreamsRule { max_video, max_audio }),
                feed_aspect: shape.map(|(_, width, height, ..)| FeedAspectRule { best: vec![ratio(width, height)] }),
            },
        )
    }
}
