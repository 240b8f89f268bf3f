//! A folder that is kept an eye on: what comes into it is done as a run would, and Pins go out at their times.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::due::{AGAIN, next};
use super::{RunError, RunOptions, publish_due, run_with};
use crate::changes::Changes;
use crate::discover::DiscoverError;
use crate::interrupt::Interrupt;
use crate::ledger::{HoldError, LockError};
use crate::manifest::Manifest;
use crate::media::Media;
use crate::naming::absolute;
use crate::observe::{RunEvent, RunObserver};
use crate::outcome::{End, RunSummary};
use crate::pins::PinTexts;

/// How often who waits looks at the clock, which may have been set.
const LOOK: Duration = Duration::from_millis(200);

/// Runs, and runs again when something changed below the given paths, until it is asked to stop. Between two runs what
/// has become due is published. The manifest is read again each time.
/// A folder without a video is no error, as one may come, and neither is a row of the
/// manifest without its file. The answer is how every video stands at the end.
///
/// # Errors
/// As [`run()`](super::run()).
pub fn keep_watch(
    options: &RunOptions,
    media: &dyn Media,
    observer: &dyn RunObserver,
    interrupt: &Interrupt,
    changes: &dyn Changes,
) -> Result<RunSummary, RunError> {
    let news = News { observer, told: Mutex::default() };
    let mut summary = RunSummary::default();
    let mut texts = Cow::Borrowed(&options.texts);
    loop {
        let mut held = false;
        let begun = !summary.videos.is_empty();
        match run_with(options, &texts, media, &news, interrupt) {
            Ok(round) => summary.replace(round),
            Err(RunError::NoVideos { .. }) => {}
            // Whoever is at work there is not in the way for ever.
            Err(RunError::Lock(LockError::Held { .. })) => held = true,
            // A sidecar or an ignore file that came with a mistake, or a network that is away: that is mended while it
            // waits.
            Err(error @ (RunError::Pins(_) | RunError::Discover(DiscoverError::IgnoreFiles { .. }))) if begun => {
                news.event(&RunEvent::Warning { video: None, message: format!("nothing new is done: {error}") });
                held = true;
            }
            Err(error) => return Err(error),
        }
        let mut moved = true;
        while !interrupt.requested() {
            let (waiting, mut until) = if held { (0, None) } else { next_pin(options, &summary)? };
            if held {
                until = Timestamp::now().checked_add(AGAIN).ok();
            }
            if !moved {
                // Whatever kept it is not over in the next moment.
                until = until.max(Timestamp::now().checked_add(AGAIN).ok());
            }
            news.event(&RunEvent::Watching { pins: waiting, until });
            if wait(options, until, interrupt, changes) || held {
                break;
            }
            if !interrupt.requested() {
                match publish_due(options, media, &news, interrupt) {
                    Ok(round) => {
                        moved = round.videos.iter().any(|video| matches!(video.end, End::Done | End::Scheduled { .. }));
                        summary.go_on(round);
                    }
                    Err(RunError::Hold(HoldError::Lock(LockError::Held { .. }))) => moved = false,
                    Err(error) => return Err(error),
                }
            }
        }
        if interrupt.requested() {
            summary.interrupted = true;
            return Ok(summary);
        }
        read_again(&mut texts, &news);
    }
}

/// The manifest as it is now; the one before where it cannot be read.
fn read_again(texts: &mut Cow<'_, PinTexts>, observer: &dyn RunObserver) {
    let Some(path) = texts.manifest.as_ref().map(|manifest| manifest.path.clone()) else { return };
    match Manifest::load(&path) {
        Ok(now) => texts.to_mut().manifest = Some(now),
        Err(error) => {
            let message = format!("the manifest as it was before is used: {error}");
            observer.event(&RunEvent::Warning { video: None, message });
        }
    }
}

/// How many Pins wait, and when to look after the first of them.
fn next_pin(options: &RunOptions, summary: &RunSummary) -> Result<(usize, Option<Timestamp>), RunError> {
    let Some(pins) = options.pins.as_ref().filter(|_| summary.refused.is_none() && !summary.videos.is_empty()) else {
        return Ok((0, None));
    };
    let waiting = next(options, pins)?;
    Ok(waiting.map_or((0, None), |(waiting, until)| {
        let until = summary.hold.map_or(until, |hold| until.max(hold));
        (waiting, Some(until))
    }))
}

/// Waits for a change or that time; true for a change.
fn wait(options: &RunOptions, until: Option<Timestamp>, interrupt: &Interrupt, changes: &dyn Changes) -> bool {
    while !interrupt.requested() {
        if changes.wait(LOOK) {
            return true;
        }
        let now = options.pins.as_ref().map_or_else(Timestamp::now, |pins| pins.clock.now());
        if until.is_some_and(|until| until <= now) {
            return false;
        }
    }
    false
}

/// Passes on what has not been said before.
struct News<'a> {
    observer: &'a dyn RunObserver,
    /// How each video ended the last time.
    told: Mutex<HashMap<PathBuf, End>>,
}

impl RunObserver for News<'_> {
    fn event(&self, event: &RunEvent<'_>) {
        if let RunEvent::Finished { outcome, .. } = event {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let before = told.insert(outcome.source.clone(), outcome.end.clone());
            let settled = matches!(outcome.end, End::UpToDate | End::Duplicate { .. });
            if before.is_some_and(|before| before == outcome.end || settled) {
                return;
            }
        }
        self.observer.event(event);
    }
}

impl RunSummary {
    /// Takes over how a later run ended for everything: a video that was done earlier and needed nothing now stays as
    /// it was told.
    fn replace(&mut self, round: Self) {
        let mut before: HashMap<PathBuf, _> =
            std::mem::take(&mut self.videos).into_iter().map(|video| (absolute(&video.source), video)).collect();
        *self = round;
        for video in &mut self.videos {
            let known = before.remove(&absolute(&video.source));
            if let Some(known) = known.filter(|known| video.end == End::UpToDate && known.end == End::Done) {
                *video = known;
            }
        }
    }
}
