//! What `fix` did, for people and as `pinpress.fix/1`.

use std::io::Write;

use pinpress_media::{Action, AudioStep, Part, Plan, VideoStep};
use pinpress_pipeline::Checked;
use pinpress_probe::{Finding, MediaInfo, PrivateTag, RuleId, Spec};
use serde::Serialize;

use super::check_human::counted;
use super::media_json::{FindingJson, Media, SpecName, TOOL, Tool};
use super::{facts, plan};
use crate::fixing::{FixOutcome, FixResult};
use crate::output::{BAD, DIM, GOOD, clean, shown};

/// The value of `schema`.
const SCHEMA: &str = "pinpress.fix/1";

/// One video. `quiet` leaves out what went well.
pub(crate) fn human(out: &mut dyn Write, result: &FixResult, quiet: bool) -> anyhow::Result<()> {
    let good = result.outcome.is_good();
    if quiet && good {
        return Ok(());
    }
    let (mark, style) = if good { ('✓', GOOD) } else { ('✗', BAD) };
    let source = shown(&result.source);
    let output = result.output.as_deref().map_or_else(String::new, |output| format!(" → {}", shown(output)));
    match &result.outcome {
        FixOutcome::Fixed(fixed) => {
            writeln!(out, "{style}{mark}{style:#} {source}{output}  {}", clean(&plan::in_short(&fixed.plan)))?;
            writeln!(out, "    {DIM}{}{DIM:#}", clean(&facts::in_short(&fixed.info)))?;
            if let Some(salvaged) = fixed.salvaged {
                let first = salvaged.first.map_or_else(String::new, |first| format!(", the first at {first}"));
                writeln!(
                    out,
                    "    {} left out{first}",
                    counted(usize::try_from(salvaged.pieces).unwrap_or(0), "damaged piece")
                )?;
            }
        }
        FixOutcome::Kept(kept) => {
            writeln!(out, "{style}{mark}{style:#} {source}{output}  is there already, and passes")?;
            writeln!(out, "    {DIM}{}{DIM:#}", clean(&facts::in_short(&kept.info)))?;
        }
        FixOutcome::Planned(planned) => {
            let cost = planned.estimate.map_or_else(String::new, |estimate| format!(", {}", plan::cost(estimate)));
            let lines = plan::in_full(planned);
            let head = if lines.is_empty() {
                plan::in_short(planned)
            } else {
                format!("{}{cost}", plan::action_name(planned.action))
            };
            writeln!(out, "{style}{mark}{style:#} {source}{output}  {}", clean(&head))?;
            for (what, line) in lines {
                writeln!(out, "    {DIM}{what:<8}{DIM:#}{}", clean(&line))?;
            }
        }
        FixOutcome::Unreadable(error) => {
            let text = error.to_string();
            let reason = text.strip_suffix(&format!(": {}", result.source.display())).unwrap_or(&text);
            writeln!(out, "{style}!{style:#} {source}  {}", clean(reason))?;
        }
        FixOutcome::Failed(failure) => {
            writeln!(out, "{style}{mark}{style:#} {source}  {}", clean(&failure.message))?;
            // The decoder's own words, the last ones last.
            let skip = failure.log.len().saturating_sub(5);
            for line in failure.log.iter().skip(skip) {
                writeln!(out, "    {DIM}{}{DIM:#}", clean(line))?;
            }
        }
    }
    Ok(())
}

/// The last line.
pub(crate) fn summary(out: &mut dyn Write, results: &[FixResult], planned: bool) -> anyhow::Result<()> {
    let good = results.iter().filter(|result| result.outcome.is_good()).count();
    let bad = results.len() - good;
    let fit = if planned { "would fit" } else { "fit now" };
    write!(out, "{}: {GOOD}{good} {fit}{GOOD:#}", counted(results.len(), "video"))?;
    if bad > 0 {
        write!(out, ", {BAD}{bad} not{BAD:#}")?;
    }
    writeln!(out)?;
    Ok(())
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: Tool,
    spec: SpecName<'a>,
    summary: Summary,
    videos: Vec<VideoJson<'a>>,
}

#[derive(Default, Serialize)]
struct Summary {
    fixed: usize,
    kept: usize,
    planned: usize,
    failed: usize,
}

#[derive(Serialize)]
struct VideoJson<'a> {
    path: String,
    output: Option<String>,
    /// Which part of it this is, where it is split.
    part: Option<Part>,
    /// `fixed`, `kept` (it was there already), `planned` or `failed`.
    status: &'static str,
    action: Option<&'static str>,
    error: Option<String>,
    streams: Vec<StreamJson<'a>>,
    container_rules: &'a [RuleId],
    stripped: &'a [PrivateTag],
    plan: Option<&'a Plan>,
    source: Option<CheckJson<'a>>,
    check: Option<CheckJson<'a>>,
}

#[derive(Serialize)]
struct StreamJson<'a> {
    stream: u32,
    kind: &'static str,
    /// `copy`, `encode` or `drop`.
    done: &'static str,
    rules: &'a [RuleId],
    what: Option<&'a str>,
}

#[derive(Serialize)]
struct CheckJson<'a> {
    verdict: &'static str,
    media: Media<'a>,
    findings: Vec<FindingJson<'a>>,
}

impl<'a> CheckJson<'a> {
    fn new(info: &'a MediaInfo, findings: &'a [Finding], passes: bool) -> Self {
        let verdict = if passes { "pass" } else { "fail" };
        Self { verdict, media: Media::from(info), findings: findings.iter().map(FindingJson::from).collect() }
    }

    fn of(checked: &'a Checked) -> Self {
        Self::new(&checked.info, &checked.report.findings, checked.report.passes())
    }
}

/// The whole document.
pub(crate) fn json(spec: &Spec, results: &[FixResult]) -> serde_json::Result<String> {
    let mut summary = Summary::default();
    let videos = results.iter().map(|result| video_json(result, &mut summary)).collect();
    serde_json::to_string_pretty(&Document { schema: SCHEMA, tool: TOOL, spec: spec.into(), summary, videos })
}

fn video_json<'a>(result: &'a FixResult, summary: &mut Summary) -> VideoJson<'a> {
    let (status, plan, check, error) = match &result.outcome {
        FixOutcome::Fixed(fixed) => {
            let check = CheckJson::new(&fixed.info, &fixed.report.findings, fixed.report.passes());
            ("fixed", Some(&fixed.plan), Some(check), None)
        }
        FixOutcome::Kept(kept) => ("kept", None, Some(CheckJson::of(kept)), None),
        FixOutcome::Planned(plan) => ("planned", Some(&**plan), None, plan.unfixable.clone()),
        FixOutcome::Unreadable(error) => ("failed", None, None, Some(error.to_string())),
        FixOutcome::Failed(failure) => ("failed", None, None, Some(failure.message.clone())),
    };
    match status {
        "fixed" => summary.fixed += 1,
        "kept" => summary.kept += 1,
        "planned" => summary.planned += 1,
        _ => summary.failed += 1,
    }
    let unfixable = matches!(&result.outcome, FixOutcome::Failed(failure)
        if failure.kind == pinpress_media::FailureKind::Unfixable);
    let action = plan.map(|plan| plan.action).or_else(|| unfixable.then_some(Action::Unfixable));
    VideoJson {
        path: result.source.to_string_lossy().into_owned(),
        output: result
            .output
            .as_ref()
            .filter(|_| result.outcome.is_good())
            .map(|output| output.to_string_lossy().into_owned()),
        part: result.part,
        status,
        action: action.map(plan::action_name),
        error,
        streams: plan.map(streams).unwrap_or_default(),
        container_rules: plan.map_or(&[], |plan| &plan.container_rules),
        stripped: plan.map_or(&[], |plan| &plan.stripped),
        plan,
        source: result.before.as_ref().map(CheckJson::of),
        check,
    }
}

fn streams(plan: &Plan) -> Vec<StreamJson<'_>> {
    let mut streams = Vec::new();
    match &plan.video {
        Some(VideoStep::Copy { stream }) => {
            streams.push(StreamJson { stream: *stream, kind: "video", done: "copy", rules: &[], what: None });
        }
        Some(VideoStep::Edit(edit)) => {
            streams.push(StreamJson {
                stream: edit.stream,
                kind: "video",
                done: "edit",
                rules: &edit.rules,
                what: None,
            });
        }
        Some(VideoStep::Extend(step)) => streams.push(StreamJson {
            stream: step.stream,
            kind: "video",
            done: "extend",
            rules: &step.rules,
            what: None,
        }),
        Some(VideoStep::Encode(step)) => streams.push(StreamJson {
            stream: step.stream,
            kind: "video",
            done: "encode",
            rules: &step.rules,
            what: None,
        }),
        None => {}
    }
    match &plan.audio {
        Some(AudioStep::Copy { stream }) => {
            streams.push(StreamJson { stream: *stream, kind: "audio", done: "copy", rules: &[], what: None });
        }
        Some(AudioStep::Encode { stream, rules, .. }) => {
            streams.push(StreamJson { stream: *stream, kind: "audio", done: "encode", rules, what: None });
        }
        None => {}
    }
    streams.extend(plan.dropped.iter().map(|dropped| StreamJson {
        stream: dropped.stream,
        kind: "other",
        done: "drop",
        rules: &[],
        what: Some(&dropped.what),
    }));
    streams.sort_by_key(|stream| stream.stream);
    streams
}
