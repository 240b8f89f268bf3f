//! A line for each video, its findings under it.

use std::io::{self, Write};
use std::path::Path;

use anstyle::Style;
use pinpress_pipeline::Checked;
use pinpress_probe::{Finding, ProbeError, Severity};

use super::check_json::{Summary, Verdict};
use super::facts;
use crate::output::{BAD, DIM, GOOD, NOTE, clean, shown};

/// One video. `quiet` leaves out what passes, and advice.
pub(crate) fn video(
    out: &mut dyn Write,
    path: &Path,
    result: &Result<Checked, ProbeError>,
    quiet: bool,
) -> io::Result<()> {
    let (mark, style) = match Verdict::of(result) {
        Verdict::Pass if quiet => return Ok(()),
        Verdict::Pass => ('✓', GOOD),
        Verdict::Fail => ('✗', BAD),
        Verdict::Error => ('!', BAD),
    };
    match result {
        Ok(checked) => {
            let facts = clean(&facts::in_short(&checked.info));
            writeln!(out, "{style}{mark}{style:#} {}  {DIM}{facts}{DIM:#}", shown(path))?;
            findings(out, &checked.report.findings, quiet)
        }
        Err(error) => {
            // The error ends with the path, which stands at the beginning of the line already.
            let text = error.to_string();
            let reason = text.strip_suffix(&format!(": {}", path.display())).unwrap_or(&text);
            writeln!(out, "{style}{mark}{style:#} {}  {}", shown(path), clean(reason))
        }
    }
}

/// Findings, one a line.
pub(crate) fn findings(out: &mut dyn Write, findings: &[Finding], quiet: bool) -> io::Result<()> {
    for finding in findings {
        let (mark, style): (_, Style) = match finding.severity {
            Severity::Advice if quiet => continue,
            Severity::Advice => ("advice", NOTE),
            Severity::Error => ("", BAD),
        };
        let Finding { rule, measured, required, remedy, .. } = finding;
        write!(out, "    {style}{rule:<13}{style:#} {}", clean(measured))?;
        if !required.is_empty() {
            write!(out, "; {} {}", if mark.is_empty() { "required" } else { "better" }, clean(required))?;
        }
        writeln!(out, " → {remedy}")?;
    }
    Ok(())
}

/// The last line.
pub(crate) fn summary(out: &mut dyn Write, summary: Summary, skipped: usize, verbose: bool) -> io::Result<()> {
    let Summary { pass, fail, error } = summary;
    write!(out, "{}", counted(summary.total(), "video"))?;
    write!(out, ": {GOOD}{pass} pass{GOOD:#}")?;
    if fail > 0 {
        write!(out, ", {BAD}{fail} fail{BAD:#}")?;
    }
    if error > 0 {
        write!(out, ", {BAD}{error} cannot be read{BAD:#}")?;
    }
    if verbose {
        write!(out, " ({} skipped)", counted(skipped, "other file"))?;
    }
    writeln!(out)
}

/// `1 video`, `2 videos`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
