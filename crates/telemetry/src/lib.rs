//! What a run shows to those who watch it from outside: [`Metrics`] for Prometheus with the probes of a cluster,
//! served by [`Server`], and [`Traces`] for OpenTelemetry.

mod address;
mod exposition;
mod metric;
mod metrics;
mod server;
mod tally;
mod traces;

pub use address::ListenAddress;
pub use metric::{Kind, METRICS, Metric};
pub use metrics::Metrics;
pub use server::{Server, ServerError};
pub use traces::{Traces, TracesError};
