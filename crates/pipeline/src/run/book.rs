//! The videos of a run as they are found, and what each is to become once that is settled.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::RunError;
use crate::discover::Unreadable;
use crate::pins::PinPlan;

/// What the walk has brought so far. It grows while the stages are at work.
#[derive(Debug, Default)]
pub(super) struct Book {
    pages: Mutex<Pages>,
    settled: Condvar,
}

#[derive(Debug, Default)]
struct Pages {
    videos: Vec<PathBuf>,
    /// By places; shorter while it is not settled what becomes of the videos.
    plans: Vec<Option<Arc<PinPlan>>>,
    skipped: usize,
    unreadable: Vec<Unreadable>,
    /// Why the run cannot be done.
    refused: Option<RunError>,
    /// What becomes of each video in it is settled.
    closed: bool,
}

impl Book {
    /// A book to which nothing comes any more.
    pub(super) fn closed(videos: Vec<PathBuf>, plans: Vec<Option<PinPlan>>) -> Self {
        let book = Self::default();
        book.lock().videos = videos;
        book.close(Ok(plans));
        book
    }

    /// A book to which videos come one after another, each of which is settled.
    pub(super) fn open_ended() -> Self {
        let book = Self::default();
        book.lock().closed = true;
        book
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a video, and answers its place.
    pub(super) fn enter(&self, video: &Path) -> usize {
        let mut pages = self.lock();
        pages.videos.push(video.to_owned());
        pages.videos.len() - 1
    }

    /// Enters a video of which it is settled what becomes of it, and answers its place.
    pub(super) fn enter_with(&self, video: &Path, plan: Option<PinPlan>) -> usize {
        let mut pages = self.lock();
        pages.videos.push(video.to_owned());
        pages.plans.push(plan.map(Arc::new));
        pages.videos.len() - 1
    }

    pub(super) fn skip(&self) {
        self.lock().skipped += 1;
    }

    pub(super) fn note_unreadable(&self, place: Unreadable) {
        self.lock().unreadable.push(place);
    }

    /// Videos, and files that are none.
    pub(super) fn counts(&self) -> (usize, usize) {
        let pages = self.lock();
        (pages.videos.len(), pages.skipped)
    }

    /// Settles what becomes of all of them, or that nothing does.
    pub(super) fn close(&self, plans: Result<Vec<Option<PinPlan>>, RunError>) {
        let mut pages = self.lock();
        match plans {
            Ok(plans) => pages.plans = plans.into_iter().map(|plan| plan.map(Arc::new)).collect(),
            Err(error) => pages.refused = Some(error),
        }
        pages.closed = true;
        drop(pages);
        self.settled.notify_all();
    }

    /// Waits until it is closed, at most so long; whether it is.
    pub(super) fn wait(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let mut pages = self.lock();
        while !pages.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            pages = self.settled.wait_timeout(pages, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Whether the run cannot be done.
    pub(super) fn is_refused(&self) -> bool {
        self.lock().refused.is_some()
    }

    pub(super) fn take_refusal(&self) -> Option<RunError> {
        self.lock().refused.take()
    }

    /// The Pin of the video at that place; `None` when there is to be none, or it is not settled.
    pub(super) fn plan(&self, place: usize) -> Option<Arc<PinPlan>> {
        self.lock().plans.get(place)?.clone()
    }

    /// All videos in their order, files that are none, and places that could not be looked into.
    pub(super) fn into_parts(self) -> (Vec<PathBuf>, usize, Vec<Unreadable>) {
        let pages = self.pages.into_inner().unwrap_or_else(PoisonError::into_inner);
        (pages.videos, pages.skipped, pages.unreadable)
    }
}
