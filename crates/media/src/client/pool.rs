//! Which workers run, and who has them.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::process::WorkerProcess;
use super::{Observer, TICK, WorkersConfig, cancelled};
use crate::wire::Failure;

/// Warm workers, up to a number.
#[derive(Debug)]
pub(super) struct Pool {
    places: Mutex<Places>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Places {
    /// Workers that wait for a request.
    idle: Vec<WorkerProcess>,
    /// Places taken: workers with a request, or being started.
    taken: usize,
}

/// One place of the pool, and perhaps a worker in it. Dropping it frees the place.
pub(super) struct Lease<'pool> {
    pool: &'pool Pool,
    worker: Option<WorkerProcess>,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self { places: Mutex::default(), freed: Condvar::new() }
    }

    /// Waits for a place, and takes a worker that is warm or starts one.
    pub(super) fn check_out(&self, config: &WorkersConfig, observer: &dyn Observer) -> Result<Lease<'_>, Failure> {
        let mut places = self.lock();
        while places.taken >= config.max_workers.max(1) {
            if observer.cancelled() {
                return Err(cancelled());
            }
            places = self.wait(places, TICK);
        }
        places.taken += 1;
        // The last one in is the warmest; one that died in its sleep costs no video.
        let mut unfit = Vec::new();
        let mut warm = None;
        while let Some(mut worker) = places.idle.pop() {
            if worker.is_fit() {
                warm = Some(worker);
                break;
            }
            unfit.push(worker);
        }
        drop(places);
        drop(unfit);

        // The lease first: it gives the place back when the start fails.
        let mut lease = Lease { pool: self, worker: warm };
        if lease.worker.is_none() {
            lease.worker = Some(WorkerProcess::start(config)?);
        }
        Ok(lease)
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, places: MutexGuard<'a, Places>, timeout: Duration) -> MutexGuard<'a, Places> {
        self.freed.wait_timeout(places, timeout).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Lease<'_> {
    /// The worker, unless it was thrown away.
    pub(super) fn worker(&mut self) -> Option<&mut WorkerProcess> {
        self.worker.as_mut()
    }

    /// Keeps the worker warm for the next one. A lease that is dropped without this throws it away.
    pub(super) fn keep(mut self) {
        if let Some(worker) = self.worker.take() {
            self.pool.lock().idle.push(worker);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // Killed first: a freed place stands for a process that is gone.
        drop(self.worker.take());
        self.pool.lock().taken -= 1;
        self.pool.freed.notify_one();
    }
}
