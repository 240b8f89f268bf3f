//! SARIF 2.1.0 (OASIS), for code scanning: a result for each finding.
//!
//! The few objects that are needed are written out here: the crate `serde-sarif` has all of the format, made at build
//! time from its schema, and another eighty crates with it.

mod log;
mod place;

use std::io::Write;
use std::path::{Path, PathBuf};

use pinpress_probe::{Finding, RuleId, Severity, Spec};

use super::check_report::{CheckEnd, CheckReport, CheckedVideo, Summary, around, in_one_line, reason};
use super::rule_text;
use crate::output::clean;
use log::{
    Configuration, Driver, Fingerprints, Invocation, Level, Log, Notification, Properties, Region, ResultObject, Rule,
    Run, SourceRoot, SourceRoots, Text, Tool,
};
use place::location;

/// The rule of files that could not be read as videos. The rule set knows none for it.
const UNREADABLE: &str = "unreadable";

/// `--format sarif`.
pub(crate) struct Sarif<'a> {
    spec: &'a Spec,
    advice_fails: bool,
    /// Where paths are counted from.
    folder: PathBuf,
    first: bool,
}

impl<'a> Sarif<'a> {
    /// `advice_fails` makes errors of advice too, as `--fail-on advice` does. `folder` is where the program runs.
    pub(crate) const fn new(spec: &'a Spec, advice_fails: bool, folder: PathBuf) -> Self {
        Self { spec, advice_fails, folder, first: true }
    }

    fn log(&self, notifications: Vec<Notification>, summary: Summary) -> Log<'_> {
        Log {
            schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            version: "2.1.0",
            runs: [Run {
                tool: Tool {
                    driver: Driver {
                        name: "pinpress",
                        version: env!("CARGO_PKG_VERSION"),
                        semantic_version: env!("CARGO_PKG_VERSION"),
                        rules: rules(),
                    },
                },
                original_uri_base_ids: SourceRoots {
                    root: SourceRoot { description: Text::new("The folder in which pinpress ran.") },
                },
                results: [],
                invocations: [Invocation {
                    execution_successful: notifications.is_empty(),
                    tool_execution_notifications: notifications,
                }],
                properties: Properties { spec: self.spec.into(), summary },
            }],
        }
    }

    fn result(&mut self, out: &mut dyn Write, result: &ResultObject) -> anyhow::Result<()> {
        let comma = if self.first { "" } else { "," };
        self.first = false;
        write!(out, "{comma}\n{}", serde_json::to_string(result)?)?;
        Ok(())
    }
}

impl CheckReport for Sarif<'_> {
    fn begin(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        let (before, _) = around(&self.log(Vec::new(), Summary::default()), "results")?;
        write!(out, "{before}")?;
        Ok(())
    }

    fn video(&mut self, out: &mut dyn Write, path: &Path, video: &CheckedVideo) -> anyhow::Result<()> {
        // The docs of code scanning ask for a region; a video has no lines, and the first stands for all of it.
        let location = location(path, &self.folder, Some(Region { start_line: 1 }));
        match &video.result {
            Err(error) => {
                let text = clean(&reason(error, path));
                let fingerprint = fingerprint(&location.uri(), UNREADABLE, None);
                self.result(
                    out,
                    &ResultObject {
                        rule_id: UNREADABLE,
                        rule_index: RuleId::ALL.len(),
                        level: Level::Error,
                        message: Text::new(text),
                        locations: [location],
                        partial_fingerprints: fingerprint,
                    },
                )
            }
            Ok(checked) => checked.report.findings.iter().try_for_each(|finding| {
                let Finding { rule, severity, stream, .. } = finding;
                let fails = *severity == Severity::Error || self.advice_fails;
                let fingerprint = fingerprint(&location.uri(), rule.name(), *stream);
                self.result(
                    out,
                    &ResultObject {
                        rule_id: rule.name(),
                        rule_index: RuleId::ALL.iter().position(|known| known == rule).unwrap_or(RuleId::ALL.len()),
                        level: if fails { Level::Error } else { Level::Note },
                        message: Text::new(in_one_line(finding)),
                        locations: [location.clone()],
                        partial_fingerprints: fingerprint,
                    },
                )
            }),
        }
    }

    fn end(&mut self, out: &mut dyn Write, end: CheckEnd<'_>) -> anyhow::Result<()> {
        let closed = end.unreadable.iter().map(|closed| Notification {
            level: Level::Error,
            message: Text::new(clean(&format!("cannot be looked into: {}", closed.reason))),
            locations: [location(&closed.path, &self.folder, None)],
        });
        let (_, after) = around(&self.log(closed.collect(), end.summary), "results")?;
        writeln!(out, "\n{after}")?;
        Ok(())
    }
}

/// Every rule, whether it is broken or not, and the one of ours.
fn rules() -> Vec<Rule> {
    let named = |rule: &RuleId| {
        let text = rule_text::text(*rule);
        Rule {
            id: rule.name(),
            short_description: Text::new(text.short),
            full_description: Text::new(text.full),
            help: Text::new(text.help),
            default_configuration: Configuration { level: if text.advice { Level::Note } else { Level::Error } },
        }
    };
    let ours = Rule {
        id: UNREADABLE,
        short_description: Text::new("The file can be read as a video"),
        full_description: Text::new("Files that are empty, incomplete, corrupt, or no videos by content."),
        help: Text::new("Export it again, copy it again from its source, or keep it out of the folder."),
        default_configuration: Configuration { level: Level::Error },
    };
    RuleId::ALL.iter().map(named).chain([ours]).collect()
}

/// The same for the same finding in every run: code scanning tells by it what is new. A video has no lines, so it is
/// about the file, the rule and the stream.
fn fingerprint(uri: &str, rule: &str, stream: Option<u32>) -> Fingerprints {
    let stream = stream.map_or_else(String::new, |stream| stream.to_string());
    let hash = blake3::hash(format!("{uri}\n{rule}\n{stream}").as_bytes()).to_hex();
    Fingerprints { primary_location_line_hash: format!("{}:1", &hash[..16]) }
}
