//! What a run shows to those who watch it from outside: [`Metrics`] for Prometheus with the probes of a cluster,
//! served by [`Server`].

mod address;
mod exposition;
mod metric;
mod metrics;
mod server;
mod tally;

pub use address::ListenAddress;
pub use metric::{Kind, METRICS, Metric};
pub use metrics::Metrics;
pub use server::{Server, ServerError};
