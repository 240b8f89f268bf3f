//! Which workers run, and who has them.

use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::memory;
use super::process::WorkerProcess;
use super::{Observer, TICK, WorkersConfig, cancelled};
use crate::wire::Failure;

/// Warm workers, up to a number.
#[derive(Debug)]
pub(super) struct Pool {
    places: Mutex<Places>,
    freed: Condvar,
    /// Bytes that all requests together may take.
    budget: OnceLock<u64>,
}

#[derive(Debug, Default)]
struct Places {
    /// Workers that wait for a request.
    idle: Vec<WorkerProcess>,
    /// Places taken: workers with a request, or being started.
    taken: usize,
    /// Bytes that their requests may take, by estimate.
    memory: u64,
}

impl Places {
    /// Whether there is room for one more request, which takes so many bytes. Alone it always has: a limit of its own
    /// stops it where that is wrong.
    const fn admit(&self, bytes: u64, max_workers: usize, budget: u64) -> bool {
        self.taken == 0 || (self.taken < max_workers && self.memory.saturating_add(bytes) <= budget)
    }
}

/// One place of the pool, and perhaps a worker in it. Dropping it frees the place.
pub(super) struct Lease<'pool> {
    pool: &'pool Pool,
    worker: Option<WorkerProcess>,
    /// Bytes that its request may take.
    memory: u64,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self { places: Mutex::default(), freed: Condvar::new(), budget: OnceLock::new() }
    }

    /// Waits for a place and for `memory` bytes, and takes a worker that is warm or starts one.
    pub(super) fn check_out(
        &self,
        config: &WorkersConfig,
        memory: u64,
        observer: &dyn Observer,
    ) -> Result<Lease<'_>, Failure> {
        let budget = *self.budget.get_or_init(|| config.memory_budget_bytes.unwrap_or_else(memory::budget));
        let mut places = self.lock();
        while !places.admit(memory, config.max_workers.max(1), budget) {
            if observer.cancelled() {
                return Err(cancelled());
            }
            places = self.wait(places, TICK);
        }
        places.taken += 1;
        places.memory = places.memory.saturating_add(memory);
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
        let mut lease = Lease { pool: self, worker: warm, memory };
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

    /// Keeps the worker warm for the next one, if it has not served `requests` by now. A lease that is dropped without
    /// this throws it away.
    pub(super) fn keep(mut self, requests: u32) {
        if let Some(worker) = self.worker.take_if(|worker| worker.served() < requests) {
            self.pool.lock().idle.push(worker);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // Killed first: a freed place stands for a process that is gone.
        drop(self.worker.take());
        let mut places = self.pool.lock();
        places.taken -= 1;
        places.memory = places.memory.saturating_sub(self.memory);
        drop(places);
        // All: the first one to wake may want more memory than there is, and another one less.
        self.pool.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_wait_for_places_and_for_memory_and_one_alone_for_nothing() {
        let places = |taken, memory| Places { taken, memory, ..Places::default() };
        assert!(places(0, 0).admit(9_000, 2, 1_000), "alone it goes on, whatever it takes");
        assert!(places(1, 600).admit(400, 2, 1_000));
        assert!(!places(1, 600).admit(401, 2, 1_000), "not enough memory");
        assert!(!places(2, 100).admit(100, 2, 1_000), "no place");
        assert!(!places(1, u64::MAX).admit(u64::MAX, 2, 1_000));
    }
}
