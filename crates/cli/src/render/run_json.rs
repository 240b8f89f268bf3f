//! A run for programs: `pinpress.run/1` at its end, or `pinpress.event/1`, a line for each thing that happens.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use pinpress_pipeline::{End, RunSummary, VideoOutcome};
use pinpress_probe::Severity;
use serde::Serialize;

use super::media_json::{TOOL, Tool};
use super::{plan, run_end};
use crate::exit::Exit;
use crate::progress::{Step, Unit};

/// The value of `schema` of the document.
const RUN: &str = "pinpress.run/1";

/// The value of `schema` of a line.
const EVENT: &str = "pinpress.event/1";

/// A line: something happened.
#[derive(Serialize)]
pub(crate) struct EventLine<'a> {
    schema: &'static str,
    /// When, to the millisecond (RFC 3339).
    at: String,
    #[serde(flatten)]
    event: Event<'a>,
}

impl<'a> EventLine<'a> {
    /// Of what happens now.
    pub(crate) fn now(event: Event<'a>) -> Self {
        Self { schema: EVENT, at: format!("{:.3}", Timestamp::now()), event }
    }
}

/// What happened.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// So many videos are known by now.
    Discovered { videos: usize, skipped: usize, complete: bool },
    /// Temp files of a killed run were removed.
    Swept { files: usize },
    /// A stage began to work on a video.
    Started { video: String, stage: &'static str },
    /// It came further.
    Progress(ProgressJson),
    /// The publisher waits.
    Waiting { video: String, stage: &'static str, reason: &'a str, wait_ms: u64 },
    /// Nothing is to be done until then.
    Idle { pins: usize, until: String },
    /// All that is there is done; more may come.
    Watching { pins: usize, until: Option<String> },
    /// Something a person should know.
    Warning { video: Option<String>, message: &'a str },
    /// Nothing more is done with a video.
    Finished(VideoJson<'a>),
    /// The last line.
    Summary(SummaryJson),
}

/// How far one video is.
#[derive(Serialize)]
pub(crate) struct ProgressJson {
    video: String,
    stage: &'static str,
    /// `encoding`, `verifying`, `uploading` and so on.
    step: &'static str,
    /// Of this step, 0 to 100.
    percent: Option<u64>,
    /// Media time, where that is counted.
    done_ms: Option<u64>,
    total_ms: Option<u64>,
    /// Bytes, where those are.
    done_bytes: Option<u64>,
    total_bytes: Option<u64>,
    /// Milliseconds of video, or bytes, that are done in a second.
    per_second: Option<u64>,
    /// Until this step is done.
    left_ms: Option<u64>,
}

impl ProgressJson {
    /// Of a step of `stage`.
    pub(crate) fn new(video: &Path, stage: &'static str, step: &Step) -> Self {
        let of = |unit: Unit, value: Option<u64>| value.filter(|_| step.unit == unit);
        Self {
            video: text(video),
            stage,
            step: step.word,
            percent: step.percent(),
            done_ms: of(Unit::MediaMillis, Some(step.done)),
            total_ms: of(Unit::MediaMillis, step.total),
            done_bytes: of(Unit::Bytes, Some(step.done)),
            total_bytes: of(Unit::Bytes, step.total),
            per_second: step.rate,
            left_ms: step.left.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

/// A path as JSON has it.
pub(crate) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A video at its end.
#[derive(Serialize)]
pub(crate) struct VideoJson<'a> {
    video: String,
    /// One of [`End::NAMES`].
    end: &'static str,
    /// Where it failed.
    stage: Option<&'static str>,
    reason: Option<&'a str>,
    /// What is to be done.
    next_step: Option<&'static str>,
    /// When a Pin that waits is due.
    due_at: Option<String>,
    /// The video that has the same content.
    same_as: Option<String>,
    output: Option<String>,
    /// What was done to it, as `fix` names it.
    action: Option<&'static str>,
    /// The rules that the source fails; `null` when it was not read in this run.
    failed_rules: Option<Vec<&'static str>>,
    cover: Option<CoverJson>,
    pin: Option<PinJson<'a>>,
}

#[derive(Serialize)]
struct CoverJson {
    file: String,
    /// `null` for a picture that somebody put there.
    time_ms: Option<i64>,
}

#[derive(Serialize)]
struct PinJson<'a> {
    id: &'a str,
    url: &'a str,
}

impl<'a> From<&'a VideoOutcome> for VideoJson<'a> {
    fn from(outcome: &'a VideoOutcome) -> Self {
        let errors = |findings: &[pinpress_probe::Finding]| {
            let mut rules: Vec<&str> = Vec::new();
            for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
                if !rules.contains(&finding.rule.name()) {
                    rules.push(finding.rule.name());
                }
            }
            rules
        };
        Self {
            video: text(&outcome.source),
            end: outcome.end.name(),
            stage: match &outcome.end {
                End::Failed { stage, .. } => Some(stage.name()),
                _ => None,
            },
            reason: run_end::reason(outcome),
            next_step: run_end::next_step(&outcome.end),
            due_at: match &outcome.end {
                End::Scheduled { at } => Some(at.to_string()),
                _ => None,
            },
            same_as: match &outcome.end {
                End::Duplicate { of } => Some(text(of)),
                _ => None,
            },
            output: outcome.output.as_deref().map(text),
            action: outcome.plan.as_ref().map(|plan| plan::action_name(plan.action)),
            failed_rules: outcome.report.as_ref().map(|report| errors(&report.findings)),
            cover: outcome
                .cover
                .as_ref()
                .map(|cover| CoverJson { file: text(&cover.file), time_ms: cover.time.map(|time| time.millis()) }),
            pin: outcome.pin.as_ref().map(|pin| PinJson { id: &pin.id, url: &pin.url }),
        }
    }
}

/// How many ended how, and where to read more.
#[derive(Serialize)]
pub(crate) struct SummaryJson {
    videos: usize,
    /// How many ended in each way; all ways are there.
    ends: BTreeMap<&'static str, usize>,
    /// Videos whose Pin exists.
    published: usize,
    /// Files that are no videos.
    skipped: usize,
    /// Places that could not be looked into.
    unreadable: Vec<String>,
    interrupted: bool,
    exit_code: u8,
    /// The HTML report; `null` when it could not be written.
    report: Option<String>,
    /// The folder of the log.
    log: String,
}

impl SummaryJson {
    /// Of a run that ended with `exit`.
    pub(crate) fn new(summary: &RunSummary, exit: Exit, report: Option<&Path>, log: &Path) -> Self {
        let mut ends: BTreeMap<_, _> = End::NAMES.into_iter().map(|name| (name, 0)).collect();
        for video in &summary.videos {
            *ends.entry(video.end.name()).or_default() += 1;
        }
        Self {
            videos: summary.videos.len(),
            ends,
            published: summary.videos.iter().filter(|video| video.pin.is_some()).count(),
            skipped: summary.skipped,
            unreadable: summary.unreadable.iter().map(ToString::to_string).collect(),
            interrupted: summary.interrupted,
            exit_code: exit.code(),
            report: report.map(text),
            log: text(log),
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: Tool,
    summary: SummaryJson,
    videos: Vec<VideoJson<'a>>,
}

/// The whole document.
pub(crate) fn document(run: &RunSummary, summary: SummaryJson) -> serde_json::Result<String> {
    let videos = run.videos.iter().map(VideoJson::from).collect();
    serde_json::to_string_pretty(&Document { schema: RUN, tool: TOOL, summary, videos })
}
