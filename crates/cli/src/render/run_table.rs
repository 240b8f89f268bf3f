//! How a run ended: a line as each video is done, a table at the end.

use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use pinpress_pipeline::{End, RunStage, RunSummary, VideoOutcome};
use pinpress_probe::{Report, Severity};

use super::check_human::counted;
use super::plan;
use crate::output::{self, BAD, GOOD, NOTE, clean, shown};

/// One line about a video that is done.
pub(crate) fn line(outcome: &VideoOutcome) -> String {
    let (mark, style) = match &outcome.end {
        end if end.is_good() => ('✓', GOOD),
        End::Later { .. } | End::Interrupted => ('·', NOTE),
        _ => ('✗', BAD),
    };
    format!("{style}{mark}{style:#} {}  {}", shown(&outcome.source), clean(&said(outcome)))
}

/// How it ended, in words.
fn said(outcome: &VideoOutcome) -> String {
    match &outcome.end {
        End::Done => match &outcome.pin {
            Some(pin) => format!("published: {}", pin.url),
            None => "done".to_owned(),
        },
        End::UpToDate => match &outcome.pin {
            Some(pin) => format!("was published before: {}", pin.url),
            None => "was done before".to_owned(),
        },
        End::Scheduled { at } => format!("waits until {at}"),
        End::Unlisted => "not published: no row in the manifest and no --board".to_owned(),
        End::Duplicate { of } => format!("same content as {}", of.display()),
        End::Unfit => "not published: it does not fit; run `pinpress fix` on it".to_owned(),
        End::Later { reason } => format!("not yet: {reason}"),
        End::Unknown { reason } => reason.clone(),
        End::Failed { stage, reason } => format!("{stage}: {}", without_path(reason, outcome)),
        End::SetAside { reason } => format!("set aside after three attempts: {reason}"),
        End::Interrupted => "interrupted".to_owned(),
    }
}

/// An error ends with the path, which stands beside it already.
fn without_path<'a>(reason: &'a str, outcome: &VideoOutcome) -> &'a str {
    reason.strip_suffix(&format!(": {}", outcome.source.display())).unwrap_or(reason)
}

/// The table: video, what was done, checks, cover time, and the Pin or how it ended without one.
pub(crate) fn table(summary: &RunSummary) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_width(output::stdout_width())
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["video", "what was done", "checks", "cover", "how it ended"]);
    let common = common_folder(summary);
    for outcome in &summary.videos {
        let done = match (&outcome.end, &outcome.plan) {
            (End::Failed { .. } | End::Duplicate { .. } | End::SetAside { .. } | End::Unfit, _) | (_, None) => {
                "nothing".to_owned()
            }
            (_, Some(plan)) => plan::in_short(plan),
        };
        let pin = match (&outcome.end, &outcome.pin) {
            (End::Done | End::UpToDate, Some(pin)) => pin.id.clone(),
            _ => said(outcome),
        };
        let cover = outcome
            .cover
            .as_ref()
            .map_or_else(String::new, |cover| cover.time.map_or_else(|| "given".to_owned(), |time| time.to_string()));
        let video = outcome.source.strip_prefix(common).unwrap_or(&outcome.source);
        table.add_row([shown(video), clean(&done), checks(outcome), cover, clean(&pin)]);
    }
    table
}

/// The folder that holds all sources: it need not stand in every row.
fn common_folder(summary: &RunSummary) -> &Path {
    let mut folders = summary.videos.iter().filter_map(|video| video.source.parent());
    let Some(first) = folders.next() else { return Path::new("") };
    folders.fold(first, |common, folder| {
        common.ancestors().find(|above| folder.starts_with(above)).unwrap_or_else(|| Path::new(""))
    })
}

fn checks(outcome: &VideoOutcome) -> String {
    let before = outcome.report.as_ref().map(failing);
    match (before.as_deref(), outcome.output.is_some()) {
        (Some(""), _) => "passes".to_owned(),
        (Some(rules), true) => format!("failed {rules}; passes now"),
        (Some(rules), false) => format!("fails {rules}"),
        (None, true) => "passes".to_owned(),
        (None, false) if matches!(outcome.end, End::Failed { stage: RunStage::Check, .. }) => {
            "cannot be read".to_owned()
        }
        (None, false) => String::new(),
    }
}

fn failing(report: &Report) -> String {
    let mut rules: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.rule.name())
        .collect();
    rules.dedup();
    rules.join(", ")
}

/// One sentence about all of it.
pub(crate) fn total(summary: &RunSummary) -> String {
    if summary.videos.is_empty() {
        return format!("{}: nothing to do", counted(0, "video"));
    }
    if summary.nothing_done() {
        return format!("{}: nothing to do, all was done before", counted(summary.videos.len(), "video"));
    }
    let count = |is: fn(&End) -> bool| summary.videos.iter().filter(|video| is(&video.end)).count();
    let parts = [
        (count(|end| matches!(end, End::Done)), "done"),
        (count(|end| matches!(end, End::UpToDate)), "done before"),
        (count(|end| matches!(end, End::Duplicate { .. })), "the same as another"),
        (count(|end| matches!(end, End::Scheduled { .. })), "waiting for their time"),
        (count(|end| matches!(end, End::Unlisted)), "not to be published"),
        (count(|end| matches!(end, End::Later { .. })), "not yet published"),
        (count(|end| matches!(end, End::Unknown { .. })), "unknown"),
        (count(|end| matches!(end, End::Failed { .. } | End::Unfit)), "failed"),
        (count(|end| matches!(end, End::SetAside { .. })), "set aside"),
        (count(|end| matches!(end, End::Interrupted)), "interrupted"),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    format!("{}: {}", counted(summary.videos.len(), "video"), parts.join(", "))
}
