//! GitHub's workflow commands: an annotation for each finding, on the page of the run and beside the file.
//!
//! The escapes are those of the runner's own toolkit (actions/toolkit, `packages/core/src/command.ts`).

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use pinpress_probe::Severity;

use super::check_human::counted;
use super::check_report::{CheckEnd, CheckReport, CheckedVideo, Summary, Verdict, in_one_line, reason};
use crate::output::clean;

/// Annotations of one kind that GitHub shows of a step; the log has all.
const SHOWN: usize = 10;

/// Rows of the table in the summary of the job, which may hold one mebibyte.
const ROWS: usize = 500;

/// `--format github`.
pub(crate) struct Github {
    advice_fails: bool,
    errors: usize,
    /// Where the summary of the job goes, and what stands in it so far.
    page: Option<(File, String)>,
    rows: usize,
}

impl Github {
    /// `advice_fails` makes errors of advice too, as `--fail-on advice` does. `page` takes a table in Markdown: the
    /// file that the runner names in `GITHUB_STEP_SUMMARY`, open for appending.
    pub(crate) fn new(advice_fails: bool, page: Option<File>) -> Self {
        Self { advice_fails, errors: 0, page: page.map(|file| (file, String::new())), rows: 0 }
    }

    fn row(&mut self, path: &Path, what: &str) {
        let Some((_, table)) = &mut self.page else { return };
        self.rows += 1;
        if self.rows <= ROWS {
            let _ = writeln!(table, "| {} | {} |", markdown(&path.to_string_lossy()), markdown(what));
        }
    }
}

impl CheckReport for Github {
    fn video(&mut self, out: &mut dyn Write, path: &Path, video: &CheckedVideo) -> anyhow::Result<()> {
        let file = property(&path.to_string_lossy());
        match &video.result {
            Err(error) => {
                self.errors += 1;
                let reason = reason(error, path);
                writeln!(out, "::error file={file},title=pinpress%3A unreadable::{}", message(&reason))?;
                self.row(path, &reason);
            }
            Ok(checked) => {
                for finding in &checked.report.findings {
                    let fails = finding.severity == Severity::Error || self.advice_fails;
                    self.errors += usize::from(fails);
                    let command = if fails { "error" } else { "notice" };
                    let (rule, text) = (finding.rule, message(&in_one_line(finding)));
                    writeln!(out, "::{command} file={file},title=pinpress%3A {rule}::{text}")?;
                }
                if video.verdict() == Verdict::Fail {
                    let findings: Vec<String> = checked
                        .report
                        .errors()
                        .map(|finding| format!("{}: {} → {}", finding.rule, finding.measured, finding.remedy))
                        .collect();
                    self.row(path, &findings.join("; "));
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, end: CheckEnd<'_>) -> anyhow::Result<()> {
        for closed in end.unreadable {
            self.errors += 1;
            let text = format!("cannot be looked into: {}: {}", closed.reason, closed.path.display());
            writeln!(out, "::error title=pinpress%3A unreadable::{}", message(&text))?;
        }
        let Summary { pass, fail, error } = end.summary;
        let said =
            format!("{}: {pass} pass, {fail} fail, {error} cannot be read", counted(end.summary.total(), "video"));
        let beyond = if self.errors > SHOWN {
            format!(" (GitHub shows {SHOWN} of {} errors as annotations; all are in this log)", self.errors)
        } else {
            String::new()
        };
        writeln!(out, "{said}{beyond}")?;
        if let Some((file, table)) = &mut self.page {
            let mut page = format!("### pinpress check\n\n{said}\n\n");
            if !table.is_empty() {
                let _ = write!(page, "| video | what is wrong |\n|---|---|\n{table}\n");
            }
            if self.rows > ROWS {
                let _ = write!(page, "{} more are in the log.\n\n", self.rows - ROWS);
            }
            file.write_all(page.as_bytes())?;
        }
        Ok(())
    }
}

/// The text of a command.
fn message(text: &str) -> String {
    escaped(&clean(text))
}

/// The value of a property of a command. Line breaks of a path stay, as escapes: GitHub looks for a file of that name.
fn property(text: &str) -> String {
    clean(&escaped(text).replace(':', "%3A").replace(',', "%2C"))
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A text that Markdown shows as it is: every mark is written by its number.
fn markdown(text: &str) -> String {
    clean(text).chars().fold(String::new(), |mut safe, c| {
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '/' | '-') {
            let _ = write!(safe, "&#{};", u32::from(c));
        } else {
            safe.push(c);
        }
        safe
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_end_a_command_or_begin_another() {
        assert_eq!(property("a:b,c%0A\r\n::error::x"), "a%3Ab%2Cc%250A%0D%0A%3A%3Aerror%3A%3Ax");
        assert!(!message("a\n::error::b\r").contains(['\n', '\r']));
        assert_eq!(message("50 %"), "50 %25");
    }

    #[test]
    fn no_name_is_markup() {
        assert_eq!(markdown("<b>|*"), "&#60;b&#62;&#124;&#42;");
    }
}
