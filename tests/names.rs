//! Names that say another format than the bytes.

#![expect(clippy::expect_used, reason = "a test stops at what it cannot go on from")]

use std::path::Path;

use pinpress_fixtures::make;
use pinpress_probe::sample_table::{self, Decision};
use pinpress_probe::{
    Container, DeepReader, Finding, MediaInfo, ProbeError, Remedy, RuleId, Severity, Source, Spec, check,
};

/// Takes every file for the Matroska that it is here.
struct Matroska;

impl DeepReader for Matroska {
    fn read(&self, path: &Path) -> Result<MediaInfo, ProbeError> {
        let bytes = std::fs::read(path).expect("it reads");
        assert!(bytes.starts_with(b"\x1A\x45\xDF\xA3"), "an EBML header");
        let source = Source::open(&make("just-long-enough.mp4").expect("it is made"))?;
        match sample_table::read(&source)? {
            Decision::Facts(info) => Ok(MediaInfo { container: Container::Matroska, faststart: None, ..*info }),
            Decision::Undecided { why, .. } => {
                Err(ProbeError::NotAVideo { reason: why.to_string(), path: path.to_owned() })
            }
        }
    }
}

/// What the rule of containers says of the recipe's bytes under another name, and whether the video passes.
fn told(recipe: &str, name: &str) -> (Option<Finding>, bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::copy(make(recipe).expect("it is made"), &path).expect("it is copied");
    let info = pinpress_probe::read(&Source::open(&path).expect("it opens"), &Matroska).expect("it reads");
    let report = check(&info, &Spec::load("pinterest").expect("it is ours"));
    let passes = report.passes();
    (report.findings.into_iter().find(|finding| finding.rule == RuleId::Container), passes)
}

#[test]
fn a_matroska_file_that_is_named_mp4_is_called_what_it_is() {
    let (finding, passes) = told("matroska-fit.mkv", "clip.mp4");
    let finding = finding.expect("it fails");
    assert!(!passes);
    assert_eq!((finding.severity, finding.remedy), (Severity::Error, Remedy::Remux));
    assert_eq!(finding.measured, "matroska, named .mp4");
    assert_eq!(told("matroska-fit.mkv", "clip.mkv").0.expect("it fails").measured, "matroska");
    assert_eq!(told("matroska-fit.mkv", "clip").0.expect("it fails").measured, "matroska");
}

#[test]
fn an_mp4_under_a_foreign_name_passes_with_advice() {
    for (name, measured) in [
        ("clip.mkv", "mp4, named .mkv"),
        ("clip.AVI", "mp4, named .AVI"),
        ("clip.tmp", "mp4, named .tmp"),
        ("clip", "mp4, named without an extension"),
    ] {
        let (finding, passes) = told("just-long-enough.mp4", name);
        let finding = finding.expect("it is told");
        assert!(passes, "{name}");
        assert_eq!((finding.severity, finding.remedy), (Severity::Advice, Remedy::Rename), "{name}");
        assert_eq!((finding.measured.as_str(), finding.required.as_str()), (measured, "a name in .mp4"));
    }
}

#[test]
fn mp4_mov_and_m4v_go_by_each_others_names() {
    for name in ["clip.mp4", "clip.MOV", "clip.m4v"] {
        assert_eq!(told("just-long-enough.mp4", name), (None, true), "{name}");
        assert_eq!(told("rotated-90.mov", name), (None, true), "{name}");
    }
}
