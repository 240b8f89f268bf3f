//! The walk of a run: what is found goes to the intake at once; what all of it is to become is settled at the end.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;
use pinpress_probe::{Seconds, Spec};
use tokio::runtime::Runtime;

use super::book::Book;
use super::{RunError, RunOptions};
use crate::discover::{DiscoverError, Found, Seen, Walk};
use crate::interrupt::Interrupt;
use crate::observe::{RunEvent, RunObserver};
use crate::pins::{Early, PinPlan, PinTexts, assign, resolve};

/// So many more videos are worth telling about while the walk goes on.
const TELL: usize = 500;

/// A video that was found.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    /// Its place in the book.
    pub(super) index: usize,
    pub(super) found: Found,
    /// Another rule set than that of the run.
    pub(super) spec: Option<Arc<Spec>>,
    /// The frame to take as the cover.
    pub(super) cover_at: Option<Seconds>,
    /// Its output, relative to the output folder, where its name was given out before.
    pub(super) output: Option<PathBuf>,
}

/// Where the walk writes, and who listens.
#[derive(Clone, Copy)]
pub(super) struct Survey<'a> {
    pub(super) options: &'a RunOptions,
    pub(super) texts: &'a PinTexts,
    pub(super) runtime: Option<&'a Runtime>,
    pub(super) observer: &'a dyn RunObserver,
    pub(super) interrupt: &'a Interrupt,
    pub(super) book: &'a Book,
    /// The run is over before the walk is.
    pub(super) over: &'a AtomicBool,
}

impl Survey<'_> {
    /// Goes through `walk` to its end and closes the book.
    pub(super) fn carry_out(self, walk: impl Iterator<Item = Seen>, sightings: &Sender<Sighting>) {
        self.book.close(self.go(walk, sightings));
    }

    fn go(
        self,
        walk: impl Iterator<Item = Seen>,
        sightings: &Sender<Sighting>,
    ) -> Result<Vec<Option<PinPlan>>, RunError> {
        let early = self.options.pins.is_some().then(|| Early::new(&self.options.paths, self.texts));
        // All of them, as a row is a mistake only if it names none at all; and which of them are ours.
        let (mut videos, mut ours, mut strays, mut mistakes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for seen in walk {
            if self.interrupt.requested() || self.over.load(Ordering::Relaxed) {
                return Ok(Vec::new());
            }
            let found = match seen {
                Seen::Video(found) => found,
                Seen::Skipped => {
                    self.book.skip();
                    continue;
                }
                Seen::Sidecar(stray) => {
                    strays.push(stray);
                    continue;
                }
                Seen::Unreadable(place) => {
                    self.warn(None, place.to_string());
                    self.book.note_unreadable(place);
                    continue;
                }
                Seen::Loop(link) => {
                    let message = format!("not followed, it leads back to a folder above it: {}", link.display());
                    self.warn(None, message);
                    continue;
                }
                Seen::Mistakes(more) => {
                    mistakes.extend(more);
                    continue;
                }
            };
            let our = self.options.shard.is_none_or(|shard| shard.holds(&found.relative));
            if early.is_some() {
                videos.push(found.clone());
                ours.push(our);
            }
            if !our {
                continue;
            }
            let index = self.book.enter(&found.path);
            self.observer.event(&RunEvent::Found { video: &found.path });
            let (spec, cover_at) = early.as_ref().map_or((None, None), |early| early.of(&found));
            let sighting = Sighting { index, found, spec: spec.map(Arc::new), cover_at, output: None };
            // Nobody listens any more when the run could not begin.
            drop(sightings.send(sighting));
            if (index + 1).is_multiple_of(TELL) {
                self.tell(false);
            }
        }
        self.tell(true);
        DiscoverError::refuse(mistakes)?;
        let (Some(pins), Some(runtime)) = (&self.options.pins, self.runtime) else { return Ok(Vec::new()) };
        let RunOptions { paths, more_to_come, .. } = self.options;
        let assignments = assign(&videos, &strays, paths, self.texts, *more_to_come)?;
        let foreign: HashSet<_> =
            videos.iter().zip(&ours).filter(|(_, our)| !**our).map(|(video, _)| &video.path).collect();
        for (video, message) in assignments.advice.iter().filter(|(video, _)| !foreign.contains(video)) {
            self.warn(Some(video), message.clone());
        }
        let orders = runtime.block_on(resolve(&pins.client, assignments, self.texts))?;
        Ok(orders.into_iter().zip(ours).filter(|(_, our)| *our).map(|(order, _)| order.pin).collect())
    }

    fn tell(self, complete: bool) {
        let (videos, skipped) = self.book.counts();
        self.observer.event(&RunEvent::Discovered { videos, skipped, complete });
    }

    fn warn(self, video: Option<&PathBuf>, message: String) {
        self.observer.event(&RunEvent::Warning { video: video.map(PathBuf::as_path), message });
    }
}

/// The walk with its first video taken out and put before the rest; `None` when there is none.
///
/// # Errors
/// When what says which files are meant is wrong before that, as it is in the given folders themselves: with all that
/// is wrong, before anything is done.
pub(super) fn with_a_video(mut walk: Walk) -> Result<Option<impl Iterator<Item = Seen>>, DiscoverError> {
    let mut before = Vec::new();
    let found = loop {
        let Some(seen) = walk.next() else { break false };
        let is_video = matches!(seen, Seen::Video(_));
        before.push(seen);
        if is_video {
            break true;
        }
    };
    let of = |seen: &Seen| if let Seen::Mistakes(mistakes) = seen { mistakes.clone() } else { Vec::new() };
    let mut mistakes: Vec<_> = before.iter().flat_map(of).collect();
    if !mistakes.is_empty() {
        mistakes.extend(walk.by_ref().flat_map(|seen| of(&seen)));
    }
    DiscoverError::refuse(mistakes)?;
    Ok(found.then(|| before.into_iter().chain(walk)))
}
