//! The server of the metrics and of the probes.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::sync::oneshot;

use crate::address::ListenAddress;
use crate::exposition::{Exposition, Format};
use crate::metrics::Metrics;

/// Metrics cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, not of this machine, or not allowed.
    #[error(
        "cannot serve metrics: {source}: give another address or port to --metrics, or 0 for a free port: {address}"
    )]
    Address {
        /// The system's reason.
        source: io::Error,
        /// The address.
        address: ListenAddress,
    },
    /// No thread or no event loop.
    #[error("cannot serve metrics: {source}")]
    Start {
        /// The system's reason.
        source: io::Error,
    },
}

/// Serves `/metrics`, `/healthz` and `/readyz` in a thread of its own until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the answers are made of.
struct Shared {
    metrics: Arc<Metrics>,
    exposition: Exposition,
}

impl Server {
    /// Starts to serve; when this returns, the port answers.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start(address: &ListenAddress, metrics: Arc<Metrics>) -> Result<Self, ServerError> {
        let on_address = |source| ServerError::Address { source, address: address.clone() };
        let listener = address.bind().map_err(on_address)?;
        listener.set_nonblocking(true).map_err(on_address)?;
        let bound = listener.local_addr().map_err(on_address)?;
        let started = |source| ServerError::Start { source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(started)?;
        let (stop, stopped) = oneshot::channel();
        let router = router(metrics);
        let thread = std::thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(move || runtime.block_on(serve(listener, router, stopped)))
            .map_err(started)?;
        Ok(Self { address: bound, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "metrics cannot be served"),
    };
    tokio::select! {
        result = axum::serve(listener, router).into_future() => {
            if let Err(error) = result {
                tracing::error!(%error, "metrics are served no more");
            }
        }
        // Sent or dropped, both mean the end; a scraper that keeps its connection is not waited for.
        _ = stopped => {}
    }
}

fn router(metrics: Arc<Metrics>) -> Router {
    let exposition = Exposition::of(Arc::clone(&metrics));
    Router::new()
        .route("/metrics", get(page))
        // The process answers: it is alive, whatever becomes of the videos.
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .with_state(Arc::new(Shared { metrics, exposition }))
}

async fn page(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let accepted = headers.get(ACCEPT).and_then(|accepted| accepted.to_str().ok());
    let format = Format::accepted(accepted);
    match shared.exposition.page(format) {
        Ok(page) => ([(CONTENT_TYPE, format.content_type())], page).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written\n").into_response(),
    }
}

async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if shared.metrics.is_ready() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the ledger is not open yet\n").into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use pinpress_pipeline::{RunEvent, RunObserver as _};

    use super::*;

    fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn probes_tell_alive_from_ready() {
        use pinpress_pipeline::ledger::Reach;

        let metrics = Arc::new(Metrics::new("0"));
        let server = Server::start(&"127.0.0.1:0".parse().unwrap(), Arc::clone(&metrics)).unwrap();
        let address = server.address();
        assert!(get(address, "/healthz").starts_with("HTTP/1.1 200 "));
        assert!(get(address, "/readyz").starts_with("HTTP/1.1 503 "));
        metrics.event(&RunEvent::Begun { ledger: Reach::default() });
        assert!(get(address, "/readyz").starts_with("HTTP/1.1 200 "));
        let page = get(address, "/metrics");
        assert!(
            page.contains("content-type: text/plain; version=0.0.4") && page.contains("pinpress_videos{"),
            "{page}"
        );
        assert!(get(address, "/").starts_with("HTTP/1.1 404 "));
        // A scraper that holds its connection does not keep the run from ending.
        let _held = TcpStream::connect(address).unwrap();
        drop(server);
        assert!(TcpStream::connect(address).is_err(), "it ends with the run");
    }

    #[test]
    fn a_taken_address_is_told_with_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let error = Server::start(&address.parse().unwrap(), Arc::new(Metrics::new("0"))).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("in use") && text.contains("--metrics") && text.ends_with(&address), "{text}");
    }
}
