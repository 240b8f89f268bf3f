//! The objects of SARIF 2.1.0 that are written, by the names of the specification (sections 3.13 to 3.58).

use std::borrow::Cow;

use serde::Serialize;

use super::place::Location;
use crate::render::check_report::Summary;
use crate::render::media_json::SpecName;

/// `sarifLog`, 3.13.
#[derive(Serialize)]
pub(super) struct Log<'a> {
    #[serde(rename = "$schema")]
    pub(super) schema: &'static str,
    pub(super) version: &'static str,
    pub(super) runs: [Run<'a>; 1],
}

/// `run`, 3.14.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run<'a> {
    pub(super) tool: Tool,
    pub(super) original_uri_base_ids: SourceRoots,
    /// Written one by one.
    pub(super) results: [(); 0],
    pub(super) invocations: [Invocation; 1],
    pub(super) properties: Properties<'a>,
}

/// `tool`, 3.18.
#[derive(Serialize)]
pub(super) struct Tool {
    pub(super) driver: Driver,
}

/// `toolComponent`, 3.19.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Driver {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) semantic_version: &'static str,
    pub(super) rules: Vec<Rule>,
}

/// `reportingDescriptor`, 3.49.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) short_description: Text,
    pub(super) full_description: Text,
    pub(super) help: Text,
    pub(super) default_configuration: Configuration,
}

/// `reportingConfiguration`, 3.50.
#[derive(Serialize)]
pub(super) struct Configuration {
    pub(super) level: Level,
}

/// `level`, 3.27.10.
#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// The video fails.
    Error,
    /// Advice.
    Note,
}

/// `message` (3.11) and `multiformatMessageString` (3.12): of both, the plain text.
#[derive(Serialize)]
pub(super) struct Text {
    text: Cow<'static, str>,
}

impl Text {
    pub(super) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into() }
    }
}

/// `originalUriBaseIds`, 3.14.14. The address is left out, as it may be: a report is read on other machines.
#[derive(Serialize)]
pub(super) struct SourceRoots {
    #[serde(rename = "%SRCROOT%")]
    pub(super) root: SourceRoot,
}

/// An `artifactLocation` (3.4) without an address.
#[derive(Serialize)]
pub(super) struct SourceRoot {
    pub(super) description: Text,
}

/// `result`, 3.27.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultObject {
    pub(super) rule_id: &'static str,
    pub(super) rule_index: usize,
    pub(super) level: Level,
    pub(super) message: Text,
    pub(super) locations: [Location; 1],
    pub(super) partial_fingerprints: Fingerprints,
}

/// `partialFingerprints`, 3.27.17, with the one that GitHub reads.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fingerprints {
    pub(super) primary_location_line_hash: String,
}

/// `region`, 3.30.
#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    pub(super) start_line: u32,
}

/// `invocation`, 3.20.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation {
    pub(super) execution_successful: bool,
    pub(super) tool_execution_notifications: Vec<Notification>,
}

/// `notification`, 3.58.
#[derive(Serialize)]
pub(super) struct Notification {
    pub(super) level: Level,
    pub(super) message: Text,
    pub(super) locations: [Location; 1],
}

/// A property bag, 3.8.
#[derive(Serialize)]
pub(super) struct Properties<'a> {
    pub(super) spec: SpecName<'a>,
    pub(super) summary: Summary,
}
