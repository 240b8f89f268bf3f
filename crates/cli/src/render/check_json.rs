//! `pinpress.check/1`: one document, or a line a video.

use std::path::Path;

use pinpress_pipeline::Checked;
use pinpress_probe::{ProbeError, Spec};
use serde::Serialize;

use super::media_json::{FindingJson, Media, SpecName, TOOL, Tool};

/// The value of `schema`.
pub(crate) const SCHEMA: &str = "pinpress.check/1";

/// The word for how a video did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// Every rule is met.
    Pass,
    /// Some rule is not.
    Fail,
    /// It could not be read as a video.
    Error,
}

impl Verdict {
    pub(crate) fn of(result: &Result<Checked, ProbeError>) -> Self {
        match result {
            Ok(checked) if checked.report.passes() => Self::Pass,
            Ok(_) => Self::Fail,
            Err(_) => Self::Error,
        }
    }
}

/// How many did how.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Summary {
    pub(crate) pass: usize,
    pub(crate) fail: usize,
    pub(crate) error: usize,
}

impl Summary {
    pub(crate) const fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Pass => self.pass += 1,
            Verdict::Fail => self.fail += 1,
            Verdict::Error => self.error += 1,
        }
    }

    pub(crate) const fn total(self) -> usize {
        self.pass + self.fail + self.error
    }
}

/// One of `videos`; a line of NDJSON.
#[derive(Debug, Serialize)]
pub(crate) struct VideoJson<'a> {
    path: String,
    /// The bytes of a path that is not UTF-8, whose `path` is an approximation.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<&'a [u8]>,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    media: Option<Media<'a>>,
    findings: Vec<FindingJson<'a>>,
}

impl<'a> VideoJson<'a> {
    pub(crate) fn new(path: &'a Path, result: &'a Result<Checked, ProbeError>) -> Self {
        let checked = result.as_ref().ok();
        Self {
            path: path.to_string_lossy().into_owned(),
            path_bytes: path.to_str().is_none().then_some(path.as_os_str().as_encoded_bytes()),
            verdict: Verdict::of(result),
            error: result.as_ref().err().map(ToString::to_string),
            media: checked.map(|checked| Media::from(&checked.info)),
            findings: checked.iter().flat_map(|checked| &checked.report.findings).map(FindingJson::from).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: Tool,
    spec: SpecName<'a>,
    summary: Summary,
    videos: &'a [serde_json::Value],
}

/// The whole document.
pub(crate) fn document(spec: &Spec, summary: Summary, videos: &[serde_json::Value]) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&Document { schema: SCHEMA, tool: TOOL, spec: spec.into(), summary, videos })
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    schema: &'static str,
    #[serde(flatten)]
    video: VideoJson<'a>,
}

/// A line for one video.
pub(crate) fn line(video: VideoJson<'_>) -> serde_json::Result<String> {
    serde_json::to_string(&Line { schema: SCHEMA, video })
}
