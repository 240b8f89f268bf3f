//! JUnit XML, judged by xmllint and the schema that Jenkins reads it by.

use std::path::Path;
use std::process::Command;

use crate::ground::ran;
use crate::raw::{judged, raw};

#[track_caller]
fn assert_valid(report: &Path) {
    let schema = pinpress_fixtures::workspace_root().join("tests/schemas/junit-10.xsd");
    let mut xmllint = Command::new("xmllint");
    let output = xmllint.args(["--noout", "--schema"]).arg(schema).arg(report).output();
    let output = output.expect("xmllint is missing: `cargo xtask setup --tests` installs it (libxml2-utils)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What an XPath expression gives, by xmllint.
fn asked(report: &Path, expression: &str) -> String {
    let output = Command::new("xmllint").args(["--xpath", expression]).arg(report).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn jenkins_and_people_can_read_it() {
    let Some(dir) = judged() else { return };
    let ran = ran(dir.path(), &["check", "--format", "junit", "raw"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    insta::with_settings!({filters => vec![(r#""pinpress.version" value="[^"]+""#, r#""pinpress.version" value="VERSION""#)]}, {
        insta::assert_snapshot!(ran.stdout);
    });
}

#[test]
fn every_name_makes_a_valid_report() {
    let Some(dir) = raw() else { return };
    let report = dir.path().join("report.xml");
    let ran = ran(dir.path(), &["check", "--format", "junit", "-o", "report.xml", "raw"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert_valid(&report);
    assert_eq!(asked(&report, "string(/testsuites/@tests)"), asked(&report, "count(//testcase)"));
    assert_eq!(asked(&report, "string(/testsuites/@failures)"), asked(&report, "count(//failure)"));
    assert_eq!(asked(&report, "string(/testsuites/@errors)"), asked(&report, "count(//error)"));
    assert_eq!(asked(&report, "count(//error)"), "3");
    // Read back by a parser of XML, the name is the file's, with its control characters written out.
    #[cfg(unix)]
    assert_eq!(
        asked(&report, "string(//testcase[starts-with(@name, '<b>')]/@name)"),
        crate::raw::HOSTILE.replace('\u{1b}', "\\u{1b}").replace('\n', "\\n")
    );
}

#[test]
fn advice_is_a_failure_when_it_fails_the_check() {
    let Some(dir) = judged() else { return };
    let report = dir.path().join("report.xml");
    for (level, code, failures) in [("error", 0, "0"), ("advice", 1, "1")] {
        let arguments = ["check", "--format", "junit", "--fail-on", level, "-o", "report.xml", "raw/advised.mov"];
        assert_eq!(ran(dir.path(), &arguments).code, code);
        assert_valid(&report);
        assert_eq!(asked(&report, "string(/testsuites/@failures)"), failures);
    }
}
