//! Starting and stopping.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use tokio::sync::oneshot;

use crate::connection::{CuttableListener, Scissors};
use crate::fault::FaultRule;
use crate::gate::{RecordedRequest, Shared, pass};
use crate::oauth::Grant;
use crate::options::RehearsalOptions;
use crate::store::{KeptPin, Store};
use crate::{accounts, boards, files, media, oauth, page, pins, receive};

/// A rehearsal could not be started, or its page not be written.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The folder cannot be made, read or written.
    #[error("the rehearsal cannot keep its files: {source}: {folder}", folder = folder.display())]
    Folder {
        /// The system's reason.
        source: io::Error,
        /// The folder.
        folder: PathBuf,
    },
    /// The port is taken, or not allowed.
    #[error("the rehearsal cannot listen on 127.0.0.1:{port}: {source}: choose another port, or 0 for a free one")]
    Port {
        /// The system's reason.
        source: io::Error,
        /// The port.
        port: u16,
    },
    /// No thread or no event loop.
    #[error("the rehearsal cannot start: {source}")]
    Start {
        /// The system's reason.
        source: io::Error,
    },
}

/// A running rehearsal, in threads of its own. It ends when this is dropped.
pub struct Rehearsal {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Rehearsal {
    /// Starts to serve on loopback; when this returns, the port answers.
    ///
    /// # Errors
    /// When the folder cannot be used or the port is taken.
    pub fn start(options: RehearsalOptions) -> Result<Self, RehearsalError> {
        let store = Store::open(&options.folder, &options.boards)
            .map_err(|source| RehearsalError::Folder { source, folder: options.folder.clone() })?;
        let on_port = |source| RehearsalError::Port { source, port: options.port };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(on_port)?;
        listener.set_nonblocking(true).map_err(on_port)?;
        let address = listener.local_addr().map_err(on_port)?;
        let started = |source| RehearsalError::Start { source };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(started)?;
        let shared = Arc::new(Shared::new(options, address, store));
        let (stop, stopped) = oneshot::channel();
        let router = router(Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("rehearsal".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    match tokio::net::TcpListener::from_std(listener) {
                        Ok(listener) => serve(CuttableListener(listener), router, stopped).await,
                        Err(error) => tracing::error!(%error, "the rehearsal cannot listen"),
                    }
                });
                // An inspector that hangs must not keep the caller from ending.
                runtime.shutdown_background();
            })
            .map_err(started)?;
        Ok(Self { shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// The base URL of its API, `/v5` included.
    #[must_use]
    pub fn api_base(&self) -> String {
        format!("http://{}/v5", self.shared.address)
    }

    /// The access token that it accepts.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.shared.options.token
    }

    /// The tokens that were given so far, in their order.
    #[must_use]
    pub fn grants(&self) -> Vec<Grant> {
        self.shared.oauth.grants()
    }

    /// Ends every access token that was given, as if its time had come; refresh tokens stay good.
    pub fn expire_access_tokens(&self) {
        self.shared.oauth.expire();
    }

    /// The page that shows the Pins.
    #[must_use]
    pub fn board_page_url(&self) -> String {
        format!("http://{}/", self.shared.address)
    }

    /// The Pins that were created, oldest first, those of earlier rehearsals in the same folder included.
    #[must_use]
    pub fn pins(&self) -> Vec<KeptPin> {
        self.shared.store().pins.clone()
    }

    /// The id of the first board of this name.
    #[must_use]
    pub fn board_id(&self, name: &str) -> Option<String> {
        self.shared.store().boards.iter().find(|board| board.name == name).map(|board| board.id.clone())
    }

    /// What was asked so far, at most 10,000 requests.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.recorded()
    }

    /// What goes wrong from now on, instead of what was planned; occurrences are counted anew.
    pub fn set_faults(&self, faults: Vec<FaultRule>) {
        self.shared.set_faults(faults);
    }

    /// Writes the board page as `board.html` into the folder, where it can be opened without the server.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_board_page(&self) -> Result<PathBuf, RehearsalError> {
        let folder = &self.shared.options.folder;
        let path = folder.join("board.html");
        let html = page::render(&self.shared.store());
        std::fs::write(&path, html).map_err(|source| RehearsalError::Folder { source, folder: folder.clone() })?;
        Ok(path)
    }

    /// Serves until the process ends or somebody else stops it.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// Stops; open connections are closed.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rehearsal").field("address", &self.shared.address).finish_non_exhaustive()
    }
}

async fn serve(listener: CuttableListener, router: Router, stopped: oneshot::Receiver<()>) {
    let server = axum::serve(listener, router.into_make_service_with_connect_info::<Scissors>());
    tokio::select! {
        result = server.into_future() => {
            if let Err(error) = result {
                tracing::error!(%error, "the rehearsal ended");
            }
        }
        // Sent or dropped, both mean the end. Clients keep connections open for later, so there is no waiting for them.
        _ = stopped => {}
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v5/user_account", get(accounts::user_account))
        .route("/v5/boards", get(boards::list))
        .route("/v5/boards/{board_id}", get(boards::get))
        .route("/v5/boards/{board_id}/sections", get(boards::sections))
        .route("/v5/boards/{board_id}/pins", get(boards::pins))
        .route("/v5/boards/{board_id}/sections/{section_id}/pins", get(boards::section_pins))
        .route("/v5/media", post(media::register))
        .route("/v5/media/{media_id}", get(media::get))
        .route("/v5/pins", post(pins::create))
        .route("/v5/pins/{pin_id}", get(pins::get))
        .route("/upload", post(receive::form))
        .route("/upload/{media_id}", axum::routing::put(receive::raw))
        .route("/v5/oauth/token", post(oauth::token))
        .route("/oauth/", get(oauth::page))
        .route("/oauth/allow", get(oauth::allow))
        .route("/oauth/deny", get(oauth::deny))
        .route("/", get(page::show))
        .route("/pin/{pin_id}/", get(page::to_pin))
        .route("/media/{name}", get(files::send))
        .fallback(nothing_here)
        // A video has up to 2 GB. Each handler has a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(&shared), pass))
        .with_state(shared)
}

async fn nothing_here() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"code": 404, "message": "There is nothing at this address."}))).into_response()
}
