//! What becomes of an uploaded video: `succeeded`, or `failed` with a reason that only the board page tells.

use std::path::Path;
use std::sync::Arc;

use pinpress_probe::{DeepReader, MediaInfo, ProbeError, Source, Spec, check};
use serde::{Deserialize, Serialize};

/// What was checked of a video that is fit, in lines that a person reads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Checked {
    /// Facts and the rule set that they pass.
    pub facts: Vec<String>,
}

/// Judges the video at a path; the error is the reason why it fails. Blocks.
pub type Inspect = Arc<dyn Fn(&Path) -> Result<Checked, String> + Send + Sync>;

/// Judges by this rule set; `deep` reads what the sample table does not decide.
#[must_use]
pub fn probe_with(spec: Spec, deep: impl DeepReader + Send + 'static) -> Inspect {
    Arc::new(move |path| probe(path, &spec, &deep))
}

/// Judges by the built-in rule set.
pub(crate) fn built_in() -> Inspect {
    Arc::new(|path| probe(path, &Spec::load("pinterest").map_err(|error| error.to_string())?, &NoDeepReader))
}

/// The stand-in alone has no libav: what the sample table does not decide, it cannot read.
struct NoDeepReader;

impl DeepReader for NoDeepReader {
    fn read(&self, path: &Path) -> Result<MediaInfo, ProbeError> {
        let reason = "not an MP4 whose sample table tells all".to_owned();
        Err(ProbeError::Reader { reason, path: path.to_owned() })
    }
}

fn probe(path: &Path, spec: &Spec, deep: &dyn DeepReader) -> Result<Checked, String> {
    let source = Source::open(path).map_err(|error| error.to_string())?;
    let info = pinpress_probe::read(&source, deep).map_err(|error| error.to_string())?;
    let report = check(&info, spec);
    let broken: Vec<_> = report
        .errors()
        .map(|finding| format!("{}: {}, required {}", finding.rule, finding.measured, finding.required))
        .collect();
    if !broken.is_empty() {
        return Err(broken.join("; "));
    }
    let mut facts = facts(&info);
    facts.push(format!("passes the rule set {} of {}", spec.name, spec.version));
    Ok(Checked { facts })
}

fn facts(info: &MediaInfo) -> Vec<String> {
    let mut facts = vec![format!("{}, {} bytes", info.container.name(), info.size_bytes)];
    facts.extend(info.duration.map(|duration| format!("plays {duration}")));
    if let Some(video) = info.primary_video() {
        let rate = video.frame_rate.map_or_else(String::new, |rate| format!(", {rate}"));
        let profile = video.profile.as_deref().map_or_else(String::new, |profile| format!(" {profile}"));
        facts.push(format!("picture {}{profile}, {}{rate}", video.codec, video.display()));
    }
    facts.push(info.primary_audio().map_or_else(
        || "no sound".to_owned(),
        |audio| {
            format!("sound {}{}", audio.codec, audio.profile.as_deref().map_or_else(String::new, |p| format!(" {p}")))
        },
    ));
    facts
}

/// Whether the first bytes are those of a picture: JPEG, PNG, GIF or WebP. Such a file is no video whatever the
/// inspector says.
pub(crate) fn is_picture(start: &[u8]) -> bool {
    start.starts_with(&[0xFF, 0xD8, 0xFF])
        || start.starts_with(b"\x89PNG\r\n\x1a\n")
        || start.starts_with(b"GIF8")
        || (start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_video_fails_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.mp4");
        std::fs::write(&file, b"no video at all").unwrap();
        let reason = built_in()(&file).unwrap_err();
        std::fs::remove_file(&file).unwrap();
        assert!(!reason.is_empty());
        assert!(built_in()(&file).unwrap_err().contains("cannot read"));
    }

    #[test]
    fn what_fits_is_told_and_what_does_not_is_refused() {
        let fit = pinpress_fixtures::make("conforming-9x16.mp4").unwrap();
        let told = built_in()(&fit).unwrap().facts.join("; ");
        assert!(told.contains("540×960") && told.contains("passes the rule set pinterest"), "{told}");
        let short = pinpress_fixtures::make("too-short.mp4").unwrap();
        assert!(built_in()(&short).unwrap_err().starts_with("duration: 3.96 s"));
    }

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        assert!(is_picture(b"RIFF\0\0\0\0WEBP") && is_picture(b"GIF89a") && is_picture(&[0xFF, 0xD8, 0xFF, 0xE0]));
        assert!(!is_picture(b"\0\0\0\x18ftypmp42") && !is_picture(b"RIFF\0\0\0\0AVI ") && !is_picture(b""));
    }
}
