//! One HTML file for people: a still of each video, its verdict, what was found and what clears it. Nothing is loaded
//! from anywhere, there is no script, and `maud` escapes every text: file names are hostile.

use std::io::Write;
use std::path::Path;

use maud::{DOCTYPE, Markup, html};
use pinpress_probe::Spec;

use super::check_human::counted;
use super::check_report::{CheckEnd, CheckReport, CheckedVideo, Spool, Summary, Verdict, reason};
use super::page::{self, choice, facts, finding};
use crate::output::clean;

/// Stills are data in the file, styles stand in it; nothing else may be loaded or run.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE: &str = include_str!("check_html/style.css");

/// `--format html`.
pub(crate) struct Html<'a> {
    spec: &'a Spec,
    /// The rows: how many there are of each kind stands before them.
    rows: Spool,
}

impl<'a> Html<'a> {
    pub(crate) fn new(spec: &'a Spec) -> anyhow::Result<Self> {
        Ok(Self { spec, rows: Spool::new()? })
    }
}

impl CheckReport for Html<'_> {
    fn video(&mut self, _: &mut dyn Write, path: &Path, video: &CheckedVideo) -> anyhow::Result<()> {
        writeln!(self.rows, "{}", row(path, video).into_string())?;
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, end: CheckEnd<'_>) -> anyhow::Result<()> {
        write!(out, "{}", DOCTYPE.into_string())?;
        writeln!(
            out,
            "<html lang=\"en\">{}<body>{}",
            page::head("Video check", POLICY, STYLE).into_string(),
            top(self.spec, &end).into_string()
        )?;
        writeln!(out, "<main><table role=\"table\">{}<tbody role=\"rowgroup\">", columns().into_string())?;
        self.rows.copy_to(out)?;
        writeln!(out, "</tbody></table></main></body></html>")?;
        Ok(())
    }
}

/// The head of the page: what was asked, how it went, and the choice of what is shown.
fn top(spec: &Spec, end: &CheckEnd<'_>) -> Markup {
    let Summary { pass, fail, error } = end.summary;
    let total = end.summary.total();
    let verdict = match (total - pass, total) {
        (0, 1) => "The video passes".to_owned(),
        (0, _) => format!("All {total} videos pass"),
        (bad, _) => format!("{bad} of {} {} fit", counted(total, "video"), if bad == 1 { "is not" } else { "are not" }),
    };
    html! {
        header {
            p.kind { "Video check" }
            h1 { (verdict) }
            p.asked {
                "Rule set " b { (clean(&spec.name)) } " of " (clean(&spec.version)) ", " (clean(&spec.source))
                ". Checked by pinpress " (env!("CARGO_PKG_VERSION")) "."
            }
            @for closed in end.unreadable {
                p.closed { "Not looked into: " (clean(&closed.path.to_string_lossy())) " (" (clean(&closed.reason)) ")" }
            }
            fieldset {
                legend { "Show" }
                (choice("all", "All", total, true))
                (choice("fail", "Fail", fail, false))
                (choice("error", "Cannot be read", error, false))
                (choice("pass", "Pass", pass, false))
            }
        }
    }
}

fn columns() -> Markup {
    html! {
        thead role="rowgroup" {
            tr role="row" {
                th role="columnheader" scope="col" { "Still" }
                th role="columnheader" scope="col" { "Video" }
                th role="columnheader" scope="col" { "Verdict" }
                th role="columnheader" scope="col" { "Findings" }
            }
        }
    }
}

/// One video.
fn row(path: &Path, video: &CheckedVideo) -> Markup {
    let (class, word) = match video.verdict() {
        Verdict::Pass => ("pass", "Pass"),
        Verdict::Fail => ("fail", "Fail"),
        Verdict::Error => ("error", "Cannot be read"),
    };
    let name = clean(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    html! {
        tr.(class) role="row" {
            td.still role="cell" {
                @if let Some(jpeg) = &video.still {
                    img alt={ "A frame of " (name) } decoding="async" src=(page::inlined(jpeg));
                } @else {
                    div.none { "no still" }
                }
            }
            td.name role="cell" {
                strong { (name) }
                @if let Some(folder) = folder { span.folder { (clean(&folder.to_string_lossy())) } }
                @if let Ok(checked) = &video.result { (facts::facts(&checked.info)) }
            }
            td.verdict role="cell" { span.badge { (word) } }
            td.findings role="cell" {
                @match &video.result {
                    Err(error) => p.reason { (clean(&reason(error, path))) },
                    Ok(checked) if checked.report.findings.is_empty() => p.nothing { "Fits as it is." },
                    Ok(checked) => ul { @for one in &checked.report.findings { (finding(one)) } },
                }
            }
        }
    }
}
