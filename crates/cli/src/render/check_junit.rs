//! JUnit XML, for the test pages of GitLab, Jenkins and others: a test case for each video.
//!
//! Written with `quick-xml` directly. `quick-junit` keeps the whole report in memory and gives `testsuites` a
//! `skipped` attribute that the schema of Jenkins refuses.

use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use pinpress_probe::{Finding, Severity, Spec};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::check_report::{CheckEnd, CheckReport, CheckedVideo, Spool, Summary, in_one_line, reason};
use super::facts;
use crate::output::clean;

/// The name of the one suite.
const SUITE: &str = "pinpress check";

/// `--format junit`.
pub(crate) struct Junit<'a> {
    spec: &'a Spec,
    advice_fails: bool,
    /// The test cases: their number stands before them.
    cases: Writer<Spool>,
    counts: Summary,
}

impl<'a> Junit<'a> {
    /// `advice_fails` makes a failure of advice too, as `--fail-on advice` does.
    pub(crate) fn new(spec: &'a Spec, advice_fails: bool) -> anyhow::Result<Self> {
        let cases = Writer::new_with_indent(Spool::new()?, b' ', 2);
        Ok(Self { spec, advice_fails, cases, counts: Summary::default() })
    }
}

impl CheckReport for Junit<'_> {
    fn video(&mut self, _: &mut dyn Write, path: &Path, video: &CheckedVideo) -> anyhow::Result<()> {
        let (folder, name) = place(path);
        let case = self
            .cases
            .create_element("testcase")
            .with_attributes([("name", name.as_str()), ("classname", folder.as_str())]);
        match &video.result {
            Err(error) => {
                self.counts.error += 1;
                let reason = text(&reason(error, path));
                case.write_inner_content(|case| {
                    let element = case.create_element("error");
                    element
                        .with_attributes([("type", "unreadable"), ("message", reason.as_str())])
                        .write_text_content(BytesText::new(&reason))?;
                    Ok(())
                })?;
            }
            Ok(checked) => {
                let fails = |finding: &&Finding| finding.severity == Severity::Error || self.advice_fails;
                let (failures, advice): (Vec<_>, Vec<_>) = checked.report.findings.iter().partition(fails);
                let facts = text(&facts::in_short(&checked.info));
                let out = std::iter::once(facts).chain(lines(&advice, "advice: ")).collect::<Vec<_>>().join("\n");
                let found = lines(&failures, "").collect::<Vec<_>>().join("\n");
                if failures.is_empty() {
                    self.counts.pass += 1;
                } else {
                    self.counts.fail += 1;
                }
                case.write_inner_content(|case| {
                    if !failures.is_empty() {
                        let rules: Vec<&str> = failures.iter().map(|finding| finding.rule.name()).collect();
                        case.create_element("failure")
                            .with_attributes([("type", rules[0]), ("message", rules.join(", ").as_str())])
                            .write_text_content(BytesText::new(&found))?;
                    }
                    case.create_element("system-out").write_text_content(BytesText::new(&out))?;
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, end: CheckEnd<'_>) -> anyhow::Result<()> {
        for closed in end.unreadable {
            self.counts.error += 1;
            let (folder, name) = place(&closed.path);
            let message = text(&format!("cannot be looked into: {}", closed.reason));
            self.cases
                .create_element("testcase")
                .with_attributes([("name", name.as_str()), ("classname", folder.as_str())])
                .write_inner_content(|case| {
                    case.create_element("error")
                        .with_attributes([("type", "unreadable"), ("message", message.as_str())])
                        .write_empty()?;
                    Ok(())
                })?;
        }
        let Summary { fail, error, .. } = self.counts;
        let [tests, failures, errors] = [self.counts.total(), fail, error].map(|count| count.to_string());
        let counts = [("tests", tests.as_str()), ("failures", failures.as_str()), ("errors", errors.as_str())];
        let (spec, version) = (text(&self.spec.name), text(&self.spec.version));
        let properties = [
            ("pinpress.version", env!("CARGO_PKG_VERSION")),
            ("pinpress.spec", spec.as_str()),
            ("pinpress.spec.version", version.as_str()),
        ];
        let mut xml = Writer::new_with_indent(out, b' ', 2);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let suites = xml.create_element("testsuites").with_attribute(("name", SUITE)).with_attributes(counts);
        let cases = self.cases.get_mut();
        suites.write_inner_content(|suites| {
            let suite = suites.create_element("testsuite").with_attribute(("name", SUITE)).with_attributes(counts);
            suite.write_inner_content(|suite| {
                suite.create_element("properties").write_inner_content(|list| {
                    for property in properties {
                        let (name, value) = property;
                        let element = list.create_element("property");
                        element.with_attributes([("name", name), ("value", value)]).write_empty()?;
                    }
                    Ok(())
                })?;
                suite.get_mut().write_all(b"\n")?;
                cases.copy_to(suite.get_mut()).map_err(std::io::Error::other)
            })?;
            Ok(())
        })?;
        writeln!(xml.into_inner()).context("the report could not be ended")
    }
}

/// Folder and name. Test pages group by the first: the class name of a test.
fn place(path: &Path) -> (String, String) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let name = path.file_name().unwrap_or(path.as_os_str());
    (text(&folder.to_string_lossy()), text(&name.to_string_lossy()))
}

fn lines<'a>(findings: &[&'a Finding], before: &'a str) -> impl Iterator<Item = String> {
    findings.iter().map(move |finding| format!("{before}{}: {}", finding.rule, text(&in_one_line(finding))))
}

/// A text of characters that XML 1.0 allows (section 2.2): control characters are written out, two more replaced.
fn text(text: &str) -> String {
    clean(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
