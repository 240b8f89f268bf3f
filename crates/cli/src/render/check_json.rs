//! `pinpress.check/1`: one document, or a line a video. Held by a JSON Schema that is made from these types.

use std::io::Write;
use std::path::Path;

use pinpress_probe::Spec;
use schemars::JsonSchema;
use serde::Serialize;

use super::check_report::{CheckEnd, CheckReport, CheckedVideo, Summary, Verdict, around};
use super::deep_json::DeepJson;
use super::media_json::{FindingJson, Media, SpecName, TOOL, Tool};

/// The JSON Schema (draft 2020-12) of the document; that of an NDJSON line is its definition `Line`.
pub(crate) const JSON_SCHEMA: &str = include_str!("../../schemas/pinpress.check-1.json");

/// The name of the contract and its version. A change that a reader could stumble over has a new one.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
enum Contract {
    #[serde(rename = "pinpress.check/1")]
    Check1,
}

/// What `pinpress check --format json` writes: every video, and how many did how.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Document<'a> {
    /// The name of this contract.
    schema: Contract,
    /// Who made it.
    tool: Tool,
    /// The rule set.
    spec: SpecName<'a>,
    /// In the order of their paths.
    videos: &'a [VideoJson<'a>],
    /// How many did how.
    summary: Summary,
}

/// One video.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "CheckedVideo")]
struct VideoJson<'a> {
    /// As it was found: the path that was given, or one below a folder that was.
    path: String,
    /// The bytes of a path that is not UTF-8, whose `path` is an approximation.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<&'a [u8]>,
    /// How it did.
    verdict: Verdict,
    /// Why it could not be read, when the verdict is `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What it is; `null` when it could not be read.
    media: Option<Media<'a>>,
    /// How each stream decodes, when `--deep` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    deep: Option<DeepJson>,
    /// The rules that fail or advise, in the order of the rules; empty when it could not be read.
    findings: Vec<FindingJson<'a>>,
}

impl<'a> VideoJson<'a> {
    fn new(path: &'a Path, video: &'a CheckedVideo) -> Self {
        let checked = video.result.as_ref().ok();
        Self {
            path: path.to_string_lossy().into_owned(),
            path_bytes: path.to_str().is_none().then_some(path.as_os_str().as_encoded_bytes()),
            verdict: video.verdict(),
            error: video.result.as_ref().err().map(ToString::to_string),
            media: checked.map(|checked| Media::from(&checked.info)),
            deep: checked.and_then(|checked| checked.decoded.as_ref()).map(DeepJson::from),
            findings: checked.iter().flat_map(|checked| &checked.report.findings).map(FindingJson::from).collect(),
        }
    }
}

/// What `pinpress check --format ndjson` writes on each line.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Line<'a> {
    /// The name of this contract.
    schema: Contract,
    #[serde(flatten)]
    video: VideoJson<'a>,
}

/// `--format json`: the document, a line for each video in it.
pub(crate) struct Json<'a> {
    spec: &'a Spec,
    first: bool,
}

impl<'a> Json<'a> {
    pub(crate) const fn new(spec: &'a Spec) -> Self {
        Self { spec, first: true }
    }

    /// The document around its videos: what stands before them, and what after.
    fn frame(&self, summary: Summary) -> anyhow::Result<(String, String)> {
        let spec = SpecName::from(self.spec);
        let empty = Document { schema: Contract::Check1, tool: TOOL, spec, videos: &[], summary };
        around(&empty, "videos")
    }
}

impl CheckReport for Json<'_> {
    fn begin(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        let (before, _) = self.frame(Summary::default())?;
        write!(out, "{before}")?;
        Ok(())
    }

    fn video(&mut self, out: &mut dyn Write, path: &Path, video: &CheckedVideo) -> anyhow::Result<()> {
        let comma = if self.first { "" } else { "," };
        self.first = false;
        write!(out, "{comma}\n{}", serde_json::to_string(&VideoJson::new(path, video))?)?;
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, end: CheckEnd<'_>) -> anyhow::Result<()> {
        let (_, after) = self.frame(end.summary)?;
        writeln!(out, "\n{after}")?;
        Ok(())
    }
}

/// `--format ndjson`: a line for each video as it is done.
pub(crate) struct Ndjson;

impl CheckReport for Ndjson {
    fn video(&mut self, out: &mut dyn Write, path: &Path, video: &CheckedVideo) -> anyhow::Result<()> {
        let line = Line { schema: Contract::Check1, video: VideoJson::new(path, video) };
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::generate::SchemaSettings;

    const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/pinpress.check-1.json");

    fn schema_of_the_types() -> String {
        let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        let _ = generator.subschema_for::<Line<'_>>();
        let mut schema = generator.into_root_schema_for::<Document<'_>>();
        schema.insert("$id".to_owned(), "urn:pinpress:check:1".into());
        schema.insert("title".to_owned(), "pinpress.check/1".into());
        serde_json::to_string_pretty(&schema).unwrap() + "\n"
    }

    /// `UPDATE_SCHEMA=1 cargo test -p pinpress schema` writes it anew.
    #[test]
    fn the_published_schema_is_that_of_the_types() {
        let made = schema_of_the_types();
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(PUBLISHED, &made).unwrap();
            return;
        }
        assert!(made == JSON_SCHEMA, "the types have changed: run UPDATE_SCHEMA=1 cargo test -p pinpress schema");
    }
}
