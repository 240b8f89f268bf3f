//! From results to text: for people, and for programs by the JSON contract.

pub(crate) mod check_github;
pub(crate) mod check_html;
pub(crate) mod check_human;
pub(crate) mod check_json;
pub(crate) mod check_junit;
pub(crate) mod check_report;
pub(crate) mod check_sarif;
pub(crate) mod cover;
pub(crate) mod deep_json;
pub(crate) mod doubt;
pub(crate) mod dry_run;
pub(crate) mod facts;
pub(crate) mod fix;
pub(crate) mod ledger_end;
pub(crate) mod media_json;
pub(crate) mod metrics_text;
mod page;
pub(crate) mod plan;
pub(crate) mod queue;
pub(crate) mod rule_text;
pub(crate) mod run_end;
pub(crate) mod run_html;
pub(crate) mod run_json;
pub(crate) mod run_table;
pub(crate) mod until;
