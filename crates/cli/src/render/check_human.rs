//! A line for each video, its findings under it.

use std::io::{self, Write};
use std::path::Path;

use anstyle::Style;
use pinpress_probe::{Finding, Severity};

use super::check_report::{CheckEnd, CheckReport, CheckedVideo, Summary, Verdict, in_one_line, reason};
use super::facts;
use crate::output::{BAD, DIM, GOOD, NOTE, clean, shown};

/// `--format human`.
pub(crate) struct Human {
    /// Leave out what passes, advice, and the last line.
    pub(crate) quiet: bool,
    /// Say who read each file, and what was passed over.
    pub(crate) verbose: bool,
}

impl CheckReport for Human {
    fn video(&mut self, out: &mut dyn Write, path: &Path, video: &CheckedVideo) -> anyhow::Result<()> {
        let (mark, style) = match video.verdict() {
            Verdict::Pass if self.quiet => return Ok(()),
            Verdict::Pass => ('✓', GOOD),
            Verdict::Fail => ('✗', BAD),
            Verdict::Error => ('!', BAD),
        };
        match &video.result {
            Ok(checked) => {
                let facts = clean(&facts::in_short(&checked.info));
                write!(out, "{style}{mark}{style:#} {}  {DIM}{facts}", shown(path))?;
                if let Some(decoded) = checked.decoded.as_ref().and_then(facts::decoded) {
                    write!(out, ", {}", clean(&decoded))?;
                }
                if self.verbose {
                    write!(out, ", read by {}", facts::reader(checked.info.reader))?;
                }
                writeln!(out, "{DIM:#}")?;
                findings(out, &checked.report.findings, self.quiet)?;
            }
            Err(error) => {
                writeln!(out, "{style}{mark}{style:#} {}  {}", shown(path), clean(&reason(error, path)))?;
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, end: CheckEnd<'_>) -> anyhow::Result<()> {
        if !self.quiet {
            summary(out, end.summary, self.verbose.then_some(end.skipped))?;
        }
        Ok(())
    }
}

/// Findings, one a line.
pub(crate) fn findings(out: &mut dyn Write, findings: &[Finding], quiet: bool) -> io::Result<()> {
    for finding in findings {
        let style: Style = match finding.severity {
            Severity::Advice if quiet => continue,
            Severity::Advice => NOTE,
            Severity::Error => BAD,
        };
        writeln!(out, "    {style}{:<13}{style:#} {}", finding.rule, in_one_line(finding))?;
    }
    Ok(())
}

/// The last line.
fn summary(out: &mut dyn Write, summary: Summary, skipped: Option<usize>) -> io::Result<()> {
    let Summary { pass, fail, error } = summary;
    write!(out, "{}", counted(summary.total(), "video"))?;
    write!(out, ": {GOOD}{pass} pass{GOOD:#}")?;
    if fail > 0 {
        write!(out, ", {BAD}{fail} fail{BAD:#}")?;
    }
    if error > 0 {
        write!(out, ", {BAD}{error} cannot be read{BAD:#}")?;
    }
    if let Some(skipped) = skipped {
        write!(out, " ({} skipped)", counted(skipped, "other file"))?;
    }
    writeln!(out)
}

/// `1 video`, `2 videos`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
