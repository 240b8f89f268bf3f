//! Covers, for people and as `pinpress.cover/1`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use pinpress_media::{Candidate, Flaw};
use serde::Serialize;

use super::check_human;
use super::media_json::{FindingJson, TOOL, Tool};
use crate::commands::cover::CoverResult;
use crate::output::{BAD, DIM, GOOD, clean, shown};

/// The value of `schema`.
const SCHEMA: &str = "pinpress.cover/1";

/// One video and its frames.
pub(crate) fn human(out: &mut dyn Write, result: &CoverResult, verbose: bool) -> anyhow::Result<()> {
    let covers = match &result.covers {
        Ok(covers) => covers,
        Err(failure) => {
            writeln!(out, "{BAD}✗{BAD:#} {}  {}", shown(&result.video), clean(&failure.message))?;
            return Ok(());
        }
    };
    let looked = covers.looked_at;
    writeln!(out, "{GOOD}✓{GOOD:#} {}  {DIM}{looked} frames looked at{DIM:#}", shown(&result.video))?;
    check_human::findings(out, &result.broken, false)?;
    for candidate in &covers.candidates {
        let file = candidate.file.as_ref().map(PathBuf::from);
        let file = file.as_deref().map(shown).unwrap_or_default();
        let flaw = candidate.flaw.map_or_else(String::new, |flaw| format!("  ({}, nothing better)", flaw_name(flaw)));
        writeln!(out, "    {:>12}  {:.3}  {file}{flaw}", candidate.time.to_string(), candidate.score)?;
    }
    if !verbose && !covers.rejected.is_empty() {
        let mut counts: Vec<(Flaw, usize)> = Vec::new();
        for rejected in &covers.rejected {
            match counts.iter_mut().find(|(flaw, _)| *flaw == rejected.flaw) {
                Some((_, count)) => *count += 1,
                None => counts.push((rejected.flaw, 1)),
            }
        }
        let counts: Vec<String> = counts.iter().map(|(flaw, count)| format!("{count} {}", flaw_name(*flaw))).collect();
        writeln!(out, "    {DIM}{:>12}  {}{DIM:#}", "rejected", counts.join(", "))?;
    }
    if verbose {
        for rejected in &covers.rejected {
            writeln!(out, "    {DIM}{:>12}  {}{DIM:#}", rejected.time.to_string(), flaw_name(rejected.flaw))?;
        }
    }
    Ok(())
}

const fn flaw_name(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::TooDark => "too dark",
        Flaw::TooBright => "too bright",
        Flaw::Flat => "flat",
        Flaw::Blurred => "blurred",
        Flaw::Noise => "noise",
        Flaw::Card => "letters on a plain ground",
        Flaw::Bars => "bars around the picture",
        Flaw::Combed => "combed",
        Flaw::Damaged => "damaged",
        Flaw::Transition => "in a transition",
        Flaw::Beginning => "at the very beginning",
        Flaw::End => "at the very end",
        Flaw::Duplicate => "too like a better one",
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: Tool,
    videos: Vec<VideoJson<'a>>,
}

#[derive(Serialize)]
struct VideoJson<'a> {
    path: String,
    error: Option<&'a str>,
    /// What is broken or missing of the file: its frames are those before.
    findings: Vec<FindingJson<'a>>,
    looked_at: usize,
    candidates: Vec<CandidateJson<'a>>,
    rejected: Vec<RejectedJson>,
}

#[derive(Serialize)]
struct CandidateJson<'a> {
    time_ms: i64,
    score: f64,
    parts: BTreeMap<&'a str, f64>,
    file: Option<String>,
    /// Why a filter would have refused it, when nothing better was there.
    flaw: Option<Flaw>,
}

#[derive(Serialize)]
struct RejectedJson {
    time_ms: i64,
    flaw: Flaw,
}

fn candidate(candidate: &Candidate) -> CandidateJson<'_> {
    let file = candidate.file.as_ref().map(PathBuf::from);
    CandidateJson {
        time_ms: candidate.time.millis(),
        score: candidate.score,
        parts: candidate.parts.iter().map(|part| (part.name.as_str(), part.value)).collect(),
        file: file.as_deref().map(Path::to_string_lossy).map(std::borrow::Cow::into_owned),
        flaw: candidate.flaw,
    }
}

/// The whole document.
pub(crate) fn json(results: &[CoverResult]) -> serde_json::Result<String> {
    let videos = results
        .iter()
        .map(|result| {
            let covers = result.covers.as_ref().ok();
            VideoJson {
                path: result.video.to_string_lossy().into_owned(),
                error: result.covers.as_ref().err().map(|failure| failure.message.as_str()),
                findings: result.broken.iter().map(FindingJson::from).collect(),
                looked_at: covers.map_or(0, |covers| covers.looked_at),
                candidates: covers.iter().flat_map(|covers| &covers.candidates).map(candidate).collect(),
                rejected: covers
                    .iter()
                    .flat_map(|covers| &covers.rejected)
                    .map(|rejected| RejectedJson { time_ms: rejected.time.millis(), flaw: rejected.flaw })
                    .collect(),
            }
        })
        .collect();
    serde_json::to_string_pretty(&Document { schema: SCHEMA, tool: TOOL, videos })
}
