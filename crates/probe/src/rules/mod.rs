//! The rules, one file a family. Pure: facts and a rule set in, findings out.

mod file;
mod geometry;
mod picture;
mod sound;
mod streams;
#[cfg(test)]
mod tests;
mod timing;

use crate::finding::{Finding, Remedy, Report, RuleId, Severity};
use crate::info::MediaInfo;
use crate::spec::Spec;

/// Judges facts by a rule set: one finding for each rule that fails or advises, in the order of [`RuleId`].
///
/// A fact that no reader could tell fails the rule that needs it: a gate must not pass what it could not see.
#[must_use]
pub fn check(info: &MediaInfo, spec: &Spec) -> Report {
    let mut findings = Vec::new();
    file::check(info, spec, &mut findings);
    timing::check(info, spec, &mut findings);
    geometry::check(info, spec, &mut findings);
    picture::check(info, spec, &mut findings);
    sound::check(info, spec, &mut findings);
    streams::check(info, spec, &mut findings);
    findings.sort_by_key(|finding| (finding.rule, finding.stream));
    Report { spec: spec.name.clone(), findings }
}

fn fails(rule: RuleId, stream: Option<u32>, measured: String, required: String, remedy: Remedy) -> Finding {
    Finding { rule, severity: Severity::Error, stream, measured, required, remedy }
}

fn advises(rule: RuleId, stream: Option<u32>, measured: String, required: String, remedy: Remedy) -> Finding {
    Finding { rule, severity: Severity::Advice, stream, measured, required, remedy }
}

/// `a, b, c` as rule sets list them.
fn listed<T: std::fmt::Display>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
