//! The reports of `pinpress check` and of runs, judged by the public schemas of their formats and by the programs that
//! read them.
//!
//! The modules are marked as tests so that the lints know what stands in them for what it is.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod ground;

#[cfg(test)]
#[path = "reports/browser.rs"]
mod browser;
#[cfg(test)]
#[path = "reports/events.rs"]
mod events;
#[cfg(test)]
#[path = "reports/files.rs"]
mod files;
#[cfg(test)]
#[path = "reports/github.rs"]
mod github;
#[cfg(test)]
#[path = "reports/html.rs"]
mod html;
#[cfg(test)]
#[path = "reports/json.rs"]
mod json;
#[cfg(test)]
#[path = "reports/junit.rs"]
mod junit;
#[cfg(test)]
#[path = "reports/raw.rs"]
mod raw;
#[cfg(test)]
#[path = "reports/run_html.rs"]
mod run_html;
#[cfg(test)]
#[path = "reports/run_log.rs"]
mod run_log;
#[cfg(test)]
#[path = "reports/sarif.rs"]
mod sarif;
