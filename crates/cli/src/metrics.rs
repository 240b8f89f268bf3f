//! `--metrics`: what is served to who watches a run from outside.

use std::io::Write as _;
use std::sync::Arc;

use clap::Args;
use pinpress_media::Deaths;
use pinpress_pipeline::{RunEvent, RunObserver as _};
use pinpress_publish::Client;
use pinpress_telemetry::{ListenAddress, Metrics, Server};

/// Where metrics are served.
#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// Serve Prometheus metrics on this address while it runs, such as 127.0.0.1:9464. See pinpress help metrics.
    #[arg(long, value_name = "ADDR", env = "PINPRESS_METRICS", hide_env = true)]
    metrics: Option<ListenAddress>,
}

impl MetricsArgs {
    /// Begins to serve, if that is asked for. The calls that are left are those of `client`.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub(crate) fn begin(&self, client: Option<&Client>, quiet: bool) -> anyhow::Result<Option<Watched>> {
        let Some(address) = &self.metrics else { return Ok(None) };
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION")));
        if let Some(client) = client {
            metrics.calls_of(client.budget_view());
        }
        let server = Server::start(address, Arc::clone(&metrics))?;
        if !quiet {
            drop(writeln!(anstream::stderr(), "metrics: http://{}/metrics", server.address()));
        }
        Ok(Some(Watched { metrics, _server: server }))
    }
}

/// Metrics that are served until this is dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    metrics: Arc<Metrics>,
    _server: Server,
}

impl Watched {
    pub(crate) fn event(&self, event: &RunEvent<'_>) {
        self.metrics.event(event);
    }

    /// The calls that are left are those of `client`, where nobody's are shown yet.
    pub(crate) fn calls_of(&self, client: &Client) {
        self.metrics.calls_of(client.budget_view());
    }

    /// Where workers that die are counted.
    pub(crate) fn deaths(&self) -> Arc<Deaths> {
        self.metrics.deaths()
    }
}
