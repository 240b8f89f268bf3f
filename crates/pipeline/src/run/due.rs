//! Publishing out of the ledger alone: what waits and whose time has come, and waiting for the rest.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use pinpress_publish::PublishState;

use super::book::Book;
use super::item::{Item, SpecOf};
use super::{Run, RunError, RunOptions, cover, keep_copy, publish, runtime};
use crate::interrupt::Interrupt;
use crate::ledger::{
    FileStamp, HeldLedger, HoldError, Job, JobId, JobState, Ledger, LedgerError, LockError, PinRecord, PinStatus,
};
use crate::media::Media;
use crate::naming::{cover_of, receipt_of};
use crate::observe::{RunEvent, RunObserver, new_video_span};
use crate::outcome::{CoverOutcome, End, RunSummary};
use crate::pins::{PinOptions, PinPlan};

/// Until what failed, or another run kept from going out, is tried again.
pub(super) const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// Publishes what waits in the ledger of `options.output` and whose time has come; what is due later is told as such.
/// Paths, mode, rule set and texts of `options` are not asked. Nothing happens without `options.pins`.
///
/// # Errors
/// When there is no ledger, it cannot be used, or another run is at work.
pub fn publish_due(
    options: &RunOptions,
    media: &dyn Media,
    observer: &dyn RunObserver,
    interrupt: &Interrupt,
) -> Result<RunSummary, RunError> {
    let ledger = HeldLedger::open(&options.ledger_place())?;
    let Some(pins) = &options.pins else { return Ok(RunSummary::default()) };
    let runtime = runtime()?;
    let waiting = waiting(&*ledger, options, pins)?;
    observer.event(&RunEvent::Begun { ledger: ledger.reach() });
    waiting.iter().for_each(|(_, job)| observer.event(&RunEvent::Found { video: &job.source }));
    observer.event(&RunEvent::Discovered { videos: waiting.len(), skipped: 0, complete: true });
    let book = Book::closed(
        waiting.iter().map(|(_, job)| job.source.clone()).collect(),
        waiting.iter().map(|(record, job)| plan_of(record, job)).collect(),
    );
    let run = Run::new(options, &book, (media, observer, interrupt), (&*ledger, ledger.lease().clone()))?;
    let (to_cover, covers) = crossbeam_channel::unbounded();
    for (index, (record, job)) in waiting.iter().enumerate() {
        if let Some(item) = item_of(&run, index, record, job.clone()) {
            drop(to_cover.send(item));
        }
    }
    drop(to_cover);
    let (to_publish, ready) = tokio::sync::mpsc::channel(waiting.len().max(1));
    run.renewed_during(|| {
        std::thread::scope(|scope| {
            let run = &run;
            scope.spawn(move || cover::covers(run, &covers, &to_publish));
            scope.spawn(|| publish::publishing(run, ready, Some((pins, &runtime))));
        });
    });
    let ended = run.into_ended()?;
    keep_copy(&*ledger, observer);
    Ok(ended.summary(book, interrupt))
}

/// What is not out yet, earliest first, each with the job whose output it shows.
fn waiting(ledger: &dyn Ledger, options: &RunOptions, pins: &PinOptions) -> Result<Vec<(PinRecord, Job)>, LedgerError> {
    // What lies in the output folders of others is theirs to publish.
    let own = options.ledger_place().is_shared().then(|| options.results());
    let ours = |job: &Job| own.as_ref().is_none_or(|own| job.output.starts_with(own));
    let jobs: HashMap<JobId, Job> = ledger.jobs()?.into_iter().filter(ours).map(|job| (job.id, job)).collect();
    let open = |record: &PinRecord| {
        record.key.destination == pins.destination
            && !matches!(record.status, PinStatus::Published | PinStatus::SetAside)
    };
    let mut records: Vec<PinRecord> = ledger.pins()?.into_iter().filter(open).collect();
    records.sort_by_key(|record| (record.due(), record.id));
    let with_job = |record: PinRecord| jobs.get(&record.job).cloned().map(|job| (record, job));
    Ok(records.into_iter().filter_map(with_job).collect())
}

/// What the ledger keeps of it; `None` for a Pin that was begun by a pinpress that did not keep what it says.
fn plan_of(record: &PinRecord, job: &Job) -> Option<PinPlan> {
    let content = record.content.clone()?;
    let board = record.key.board.parse().ok()?;
    Some(PinPlan::kept(&job.output, board, content, record.timing.publish_at))
}

fn item_of<'a>(run: &'a Run<'a>, index: usize, record: &PinRecord, mut job: Job) -> Option<Item<'a>> {
    let output = run.local(&job.output);
    let wanting = match run.result_stamp(&output) {
        Ok(stamp) => wanting(record, &job, stamp).map(str::to_owned),
        Err(error) => Some(error.to_string()),
    };
    let picture = cover_of(&output);
    let time = job.cover.as_ref().map(|cover| cover.time);
    let cover = run.has_result(&picture).then_some(CoverOutcome { file: picture, time });
    job.state = if cover.is_some() { JobState::Covered } else { JobState::Fixed };
    let item = Item {
        index,
        source: job.source.clone(),
        span: new_video_span(&job.source),
        object: None,
        job,
        receipt: receipt_of(&output),
        output,
        spec: SpecOf::Run(&run.options.spec),
        cover_at: None,
        checked: None,
        cover,
        twin_of: None,
        worked: false,
    };
    if let Some(reason) = wanting {
        run.end(item, End::Later { reason });
        return None;
    }
    Some(item)
}

/// What keeps a Pin from being published out of the ledger. `stamp` is that of its output.
fn wanting(record: &PinRecord, job: &Job, stamp: Option<FileStamp>) -> Option<&'static str> {
    // Whether a Pin exists can be found out without its video.
    if in_doubt(record) {
        return None;
    }
    if record.content.is_none() {
        return Some("the ledger does not have its texts: name it to `pinpress run` or `pinpress publish` once more");
    }
    if matches!(job.state, JobState::Unreadable | JobState::Failed | JobState::SetAside) {
        return Some("it was given up before it was done: see `pinpress status`, then `pinpress retry`");
    }
    let unchanged = job.rendition.as_ref().is_some_and(|rendition| stamp == Some(rendition.stamp));
    (!unchanged).then_some("its output is gone or was changed: run `pinpress run` once more")
}

fn in_doubt(record: &PinRecord) -> bool {
    let state = record.state.as_deref().and_then(|state| serde_json::from_str::<PublishState>(state).ok());
    matches!(state, Some(PublishState::Intended { .. } | PublishState::Unknown { .. }))
}

/// Goes on after a run, or after [`publish_due`], until nothing waits any more: sleeps until the next Pin is due and
/// publishes it. `summary` is how everything stood before; the answer, how it stands at the end.
///
/// # Errors
/// As [`publish_due`].
pub fn watch(
    options: &RunOptions,
    media: &dyn Media,
    observer: &dyn RunObserver,
    interrupt: &Interrupt,
    mut summary: RunSummary,
) -> Result<RunSummary, RunError> {
    let Some(pins) = &options.pins else { return Ok(summary) };
    let mut moved = true;
    while !summary.interrupted && summary.refused.is_none() {
        let Some((waiting, mut until)) = next(options, pins)? else { break };
        until = summary.hold.map_or(until, |hold| until.max(hold));
        if !moved {
            until = until.max(pins.clock.now().checked_add(AGAIN).unwrap_or(until));
        }
        observer.event(&RunEvent::Idle { pins: waiting, until });
        pins.clock.wait(until, interrupt);
        if interrupt.requested() {
            summary.interrupted = true;
            break;
        }
        match publish_due(options, media, observer, interrupt) {
            Ok(round) => {
                moved = round.videos.iter().any(|video| matches!(video.end, End::Done | End::Scheduled { .. }));
                summary.go_on(round);
            }
            // Whoever is at work publishes too, and is not in the way for long.
            Err(RunError::Hold(HoldError::Lock(LockError::Held { .. }))) => moved = false,
            Err(error) => return Err(error),
        }
    }
    Ok(summary)
}

/// The stamp of the output of a job; of one in storage, the one that it was delivered with, as asking costs a call.
fn stamp_at_rest(options: &RunOptions, job: &Job) -> Option<FileStamp> {
    if options.depot.is_some() {
        return job.rendition.as_ref().map(|rendition| rendition.stamp);
    }
    FileStamp::of(&options.output.join(&job.output)).ok()
}

/// How many Pins wait, and when to look after the first of them.
pub(super) fn next(options: &RunOptions, pins: &PinOptions) -> Result<Option<(usize, Timestamp)>, RunError> {
    let now = pins.clock.now();
    let ledger = options.ledger_place().open()?;
    let again = now.checked_add(AGAIN).unwrap_or(now);
    let times: Vec<Timestamp> = waiting(&*ledger, options, pins)?
        .iter()
        .filter(|(record, job)| !in_doubt(record) && wanting(record, job, stamp_at_rest(options, job)).is_none())
        .map(|(record, _)| match record.due() {
            Some(due) if due > now => due,
            // Its time came while others were published.
            _ if record.status == PinStatus::Waiting && record.reason.is_none() => now,
            _ => again,
        })
        .collect();
    Ok(times.iter().min().map(|first| (times.len(), *first)))
}
