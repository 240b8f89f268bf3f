//! A run as it is seen from outside: metrics and probes by the parsers of the Prometheus project, and logs for programs.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

mod ground;
#[path = "outside/logs.rs"]
mod logs;
#[path = "outside/metrics.rs"]
mod metrics;
#[path = "outside/watched.rs"]
mod watched;
