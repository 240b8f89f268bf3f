//! A run as it is seen from outside: metrics and probes by the parsers of the Prometheus project, logs for
//! programs, and traces by a collector.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its ground has failed")]
#![expect(clippy::print_stdout, reason = "a test that skips says so")]

#[path = "outside/collector.rs"]
mod collector;
mod ground;
#[path = "outside/logs.rs"]
mod logs;
#[path = "outside/metrics.rs"]
mod metrics;
#[path = "outside/traces.rs"]
mod traces;
#[path = "outside/watched.rs"]
mod watched;
