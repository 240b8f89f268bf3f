//! The threads that move bytes between sockets and memory. Those that wait are the callers' own.

use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle, Runtime};

/// One moves, the other is there when that one works out a signature or a page of a listing.
const THREADS: usize = 2;

/// A runtime that ends with the last of those that share it.
#[derive(Debug, Clone)]
pub(crate) struct SharedRuntime {
    handle: Handle,
    _running: Arc<Running>,
}

/// Taken when it ends.
#[derive(Debug)]
struct Running(Option<Runtime>);

impl SharedRuntime {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("pinpress-store").enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), _running: Arc::new(Running(Some(runtime))) })
    }

    pub(crate) const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Dropping it in place would wait for its threads, and is not allowed everywhere.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
