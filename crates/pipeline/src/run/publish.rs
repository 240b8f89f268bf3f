//! The last stage: each output a Pin, once.

use std::borrow::Cow;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use pinpress_media::Observer;
use pinpress_publish::{CoverAs, CoverSource, Draft, PublishError, PublishState};
use pinpress_store::{Reason, StoreError};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;
use tracing::Instrument as _;

use super::aside::{Aside, aside, run_errands};
use super::item::Item;
use super::publish_watch::Watch;
use super::{Run, Working, claims};
use crate::ledger::{JobId, PinAttempt, PinContent, PinKey, PinRecord, PinStatus, PinStep, PinTiming};
use crate::observe::{RunEvent, RunStage};
use crate::outcome::{End, PinOutcome, VideoOutcome};
use crate::pins::{PinOptions, PinPlan, REHEARSAL};
use crate::receipt::{Receipt, ReceiptPin};

/// How often a running upload looks whether to stop.
const LOOK: Duration = Duration::from_millis(100);

pub(super) fn publishing<'a>(
    run: &'a Run<'a>,
    mut items: Receiver<Item<'a>>,
    network: Option<(&PinOptions, &Runtime)>,
) {
    let Some((pins, runtime)) = network else {
        while let Some(item) = items.blocking_recv() {
            if let Some(of) = item.twin_of {
                run.finish(item.index, &item.span, VideoOutcome::of(&item.source, End::Duplicate { of: of.source }));
                continue;
            }
            let (end, span) = (item.settled(), item.span.clone());
            run.finish(item.index, &span, item.outcome(end));
        }
        return;
    };
    while !run.stopping() && !run.book.wait(LOOK) {}
    let uploads = pins.uploads.max(1);
    let (aside, errands) = aside();
    std::thread::scope(|scope| {
        // Files of this machine are at hand.
        let runners = if run.depot.is_some() { uploads } else { 0 };
        for _ in 0..runners {
            let errands = errands.clone();
            scope.spawn(move || run_errands(&errands));
        }
        // Gone at the end of this, it lets the threads go.
        let aside = aside;
        let publisher = Publisher { run, pins, aside: &aside };
        runtime.block_on(async {
            let stream = futures_util::stream::poll_fn(|context| items.poll_recv(context));
            let publish = |item: Item<'a>| {
                let span = item.span.clone();
                publisher.publish(item).instrument(span)
            };
            stream.for_each_concurrent(uploads, publish).await;
        });
    });
}

#[derive(Clone, Copy)]
struct Publisher<'a, 'b> {
    run: &'a Run<'a>,
    pins: &'b PinOptions,
    /// Asks storage.
    aside: &'b Aside<'a>,
}

impl<'a> Publisher<'a, '_> {
    async fn publish(self, item: Item<'a>) {
        if self.run.stopping() {
            return;
        }
        let (index, span) = (item.index, item.span.clone());
        let _used = self.run.use_files(&item.output);
        let plan = self.run.book.plan(index);
        if let Some(of) = &item.twin_of
            && plan
                .as_ref()
                .is_none_or(|plan| self.run.book.plan(of.index).is_some_and(|other| other.board == plan.board))
        {
            let end = End::Duplicate { of: of.source.clone() };
            self.run.finish(index, &span, VideoOutcome::of(&item.source, end));
            return;
        }
        let Some(plan) = plan else {
            self.run.finish(index, &span, item.outcome(End::Unlisted));
            return;
        };
        if let Some((end, pin)) = self.settle(&item, &plan).await {
            let mut outcome = item.outcome(end);
            outcome.pin = pin;
            self.run.finish(index, &span, outcome);
        }
    }

    /// How the Pin stands at the end; `None` when the ledger failed.
    async fn settle(self, item: &Item<'a>, plan: &PinPlan) -> Option<(End, Option<PinOutcome>)> {
        let run = self.run;
        let mut plan = Cow::Borrowed(plan);
        let key = PinKey {
            destination: self.pins.destination.clone(),
            fingerprint: item.job.key.fingerprint.clone(),
            board: plan.board.as_str().to_owned(),
        };
        let known = run.recorded(run.ledger.pin(&key))?;
        let mut record = match known {
            Some(record) => record,
            None => run.recorded(run.ledger.open_pin(&key, item.job.id))?,
        };
        let state = match record.state.as_deref().map(serde_json::from_str::<PublishState>).transpose() {
            Ok(state) => state.unwrap_or_default(),
            // Guessing here could create a Pin twice.
            Err(error) => {
                let reason = format!("its state in the ledger cannot be read, so it is left alone: {error}");
                return Some((End::Unknown { reason }, None));
            }
        };
        if let PublishState::Pinned { pin_id, url, .. } = &state {
            let pin = PinOutcome { id: pin_id.as_str().to_owned(), url: url.clone() };
            self.write_receipt(item, &state, &record, true).await;
            return Some((item.settled(), Some(pin)));
        }
        if let Some(restored) = self.restored(item, &record).await {
            return restored;
        }
        let in_doubt = matches!(state, PublishState::Intended { .. } | PublishState::Unknown { .. });
        if record.status == PinStatus::SetAside && !in_doubt {
            return Some((End::SetAside { reason: record.reason.unwrap_or_default() }, None));
        }
        if let Some(reason) = run.refused.get() {
            return Some((End::Later { reason: reason.clone() }, None));
        }
        let kept = self.kept(item, &plan, &record);
        if !in_doubt
            && kept.is_as_in(&record)
            && let Some(at) = self.waits(&record)
        {
            return Some((End::Scheduled { at }, None));
        }
        if let Err(reason) = self.bring(item).await
            && !in_doubt
        {
            return Some((End::Later { reason }, None));
        }
        // Looking whether a Pin exists is no attempt at creating one, and may be done as often as one likes.
        let step = if in_doubt { PinStep::Look } else { PinStep::Create };
        let attempt = match claims::attempt(run.recorded(run.ledger.begin_pin(record.id, step, run.leases.lease()))?) {
            Ok(attempt) => attempt,
            Err(end) => return Some((end, None)),
        };
        let hold = run.leases.hold(attempt.claim());
        if in_doubt {
            // The Pin that is looked for says what was sent, whatever the manifest says by now.
            if let Some(content) = record.content.clone() {
                plan = Cow::Owned(plan.into_owned().with(content));
            }
        } else if let Err(end) = self.wait_for_turn(attempt, kept, &mut record)? {
            return Some((end, None));
        }
        let draft = match settled_draft(item, &plan, self.pins) {
            Ok(draft) => draft,
            Err(error) => return self.failed(attempt, &error, in_doubt).map(|end| (end, None)),
        };
        let mut working = Working::begin(run, &item.source, RunStage::Publish);
        let watch = Watch::new(run, &item.source, (&record, attempt), state.clone());
        let work = pinpress_publish::publish(&self.pins.client, &draft, state, &watch, &watch)
            .instrument(working.span().clone());
        let mut work = std::pin::pin!(work);
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                () = tokio::time::sleep(LOOK) => {
                    // Between the intent and the answer nothing may be cut off: the answer would be lost.
                    let goes_on = run.stopping() && !hold.is_lost() && watch.goes_on();
                    if (run.stopping() || hold.is_lost()) && !watch.is_intended() && !goes_on {
                        let status = if watch.is_in_doubt() { PinStatus::Unknown } else { PinStatus::Waiting };
                        let entered = run.entered(run.ledger.finish_pin(attempt, status, Some("stopped")))?;
                        let end = if hold.is_lost() { claims::taken_over() } else { End::Interrupted };
                        return Some((entered.err().unwrap_or(end), None));
                    }
                }
            }
        };
        if let Some(error) = watch.take_ledger_error() {
            return run.entered::<()>(Err(error))?.err().map(|end| (end, None));
        }
        if result.is_ok() {
            working.succeeded(item.duration());
        }
        drop(working);
        match result {
            Ok(receipt) => {
                let entered = run.entered(run.ledger.finish_pin(attempt, PinStatus::Published, None))?;
                if let Err(end) = entered {
                    return Some((end, None));
                }
                let pin = PinOutcome { id: receipt.pin_id.as_str().to_owned(), url: receipt.url.clone() };
                let state = PublishState::Pinned {
                    media_id: receipt.media_id,
                    pin_id: receipt.pin_id,
                    url: receipt.url,
                    adopted: receipt.adopted,
                };
                let record = PinRecord { published: Some(Timestamp::now()), ..record };
                self.write_receipt(item, &state, &record, false).await;
                Some((End::Done, Some(pin)))
            }
            Err(error) => self.failed(attempt, &error, watch.is_in_doubt()).map(|end| (end, None)),
        }
    }

    /// A Pin that this ledger does not know to be there and that has a receipt: the ledger is new, or an earlier copy.
    /// It is entered, and not made again. The inner `None` is for a ledger that failed.
    async fn restored(self, item: &Item<'a>, record: &PinRecord) -> Option<Option<(End, Option<PinOutcome>)>> {
        // Each rehearsal has a stand-in of its own, which knows no Pin of an earlier one.
        if record.key.destination == REHEARSAL {
            return None;
        }
        let (run, path) = (self.run, item.receipt.clone());
        let receipt = match self.blocking(move || run.read_receipt(&path)).await? {
            Ok(receipt) => receipt?,
            // Without knowing it, a second Pin could be made.
            Err(error) => return Some(Some((End::Later { reason: error.to_string() }, None))),
        };
        let state = receipt.state_of(&record.key)?;
        let PublishState::Pinned { pin_id, url, .. } = &state else { return None };
        let text = serde_json::to_string(&state).ok()?;
        let pin = PinOutcome { id: pin_id.as_str().to_owned(), url: url.clone() };
        let enter = || {
            // The same video by another content: as it came, or as it was published.
            if run.recorded(run.ledger.pin_row(&record.key.destination, &pin.id))?.is_some_and(|row| row != record.id) {
                return Some(Ok(()));
            }
            let begun = run.recorded(run.ledger.begin_pin(record.id, PinStep::Look, run.leases.lease()))?;
            let attempt = match claims::attempt(begun) {
                Ok(attempt) => attempt,
                Err(end) => return Some(Err(end)),
            };
            if let Err(end) = run.entered(run.ledger.save_pin_state(attempt, &text, Some(&pin.id)))? {
                return Some(Err(end));
            }
            run.entered(run.ledger.finish_pin(attempt, PinStatus::Published, None))
        };
        Some(enter().map(|entered| match entered {
            Ok(()) => (item.settled(), Some(pin)),
            Err(end) => (end, None),
        }))
    }

    /// What the Pin is to say and when, so that it can go out without the manifest.
    fn kept(self, item: &Item<'a>, plan: &PinPlan, record: &PinRecord) -> Kept {
        // What an earlier run asked for holds until the Pin is out, or another one says otherwise.
        let every = self.pins.every.or(record.timing.every).filter(|every| every.is_positive());
        // A row that was found by another content stays with the job whose output that is.
        let job = if record.key.fingerprint == item.job.key.fingerprint { item.job.id } else { record.job };
        Kept { content: plan.content(), timing: PinTiming { publish_at: plan.publish_at, every }, job }
    }

    /// The time to come of a Pin that is entered as waiting for it; of one that failed, too, as waiting would forget
    /// its attempts.
    fn waits(self, record: &PinRecord) -> Option<Timestamp> {
        let entered = record.status == PinStatus::Waiting && record.reason.is_none();
        let now = self.pins.clock.now();
        let slot = record.slot.filter(|_| record.timing.every.is_some());
        let at = record.timing.publish_at.filter(|at| *at > now).or(slot.filter(|slot| *slot > now));
        at.filter(|_| entered || record.status == PinStatus::Failed)
    }

    /// Keeps what is to be kept, and goes on when the Pin may go out now; else how it ends for this time. `None` is for
    /// a ledger that failed.
    fn wait_for_turn(self, attempt: PinAttempt, kept: Kept, record: &mut PinRecord) -> Option<Result<(), End>> {
        let run = self.run;
        if !kept.is_as_in(record) {
            let Kept { content, timing, job } = kept;
            if let Err(end) = run.entered(run.ledger.plan_pin(attempt, job, &content, timing))? {
                return Some(Err(end));
            }
            (record.content, record.timing, record.job) = (Some(content), timing, job);
        }
        let now = self.pins.clock.now();
        let mut at = record.timing.publish_at.filter(|at| *at > now);
        if let (None, Some(every)) = (at, record.timing.every) {
            at = Some(run.recorded(run.ledger.take_slot(record.id, every, now))?).filter(|slot| *slot > now);
        }
        let Some(at) = at else { return Some(Ok(())) };
        let released = run.entered(run.ledger.release_pin(attempt))?;
        Some(released.and(Err(End::Scheduled { at })))
    }

    /// Keeps the latest time at which a limit is said to be over.
    fn hold(self, wait: Duration) {
        let until = SignedDuration::try_from(wait).ok().and_then(|wait| self.pins.clock.now().checked_add(wait).ok());
        let mut hold = self.run.hold.lock().unwrap_or_else(PoisonError::into_inner);
        *hold = (*hold).max(until);
    }

    /// Enters why it did not work, and what that means for the next run. `in_doubt` is for a Pin that may exist.
    fn failed(self, attempt: PinAttempt, error: &PublishError, in_doubt: bool) -> Option<End> {
        let reason = error.to_string();
        if let PublishError::RateLimited { wait, .. } | PublishError::BudgetSpent { resets_in: wait, .. } = error {
            self.hold(*wait);
        }
        let (status, end) = match error {
            PublishError::OutcomeUnknown { .. } => (PinStatus::Unknown, End::Unknown { reason: reason.clone() }),
            PublishError::StillProcessing { .. }
            | PublishError::RateLimited { .. }
            | PublishError::BudgetSpent { .. } => (PinStatus::Waiting, End::Later { reason: reason.clone() }),
            error if error.is_unauthorized() => {
                self.run.refused.get_or_init(|| reason.clone());
                (PinStatus::Waiting, End::Later { reason: reason.clone() })
            }
            _ => (PinStatus::Failed, End::Failed { stage: RunStage::Publish, reason: reason.clone() }),
        };
        // It stays in doubt, whatever kept us from looking.
        let (status, end) =
            if in_doubt { (PinStatus::Unknown, End::Unknown { reason: reason.clone() }) } else { (status, end) };
        let entered = self.run.entered(self.run.ledger.finish_pin(attempt, status, Some(&reason)))?;
        Some(entered.err().unwrap_or(end))
    }

    /// What `work` answers, which asks storage where results are there; `None` when nobody can ask it any more.
    async fn blocking<T: Send + 'a>(self, work: impl FnOnce() -> T + Send + 'a) -> Option<T> {
        if self.run.depot.is_none() { Some(work()) } else { self.aside.run(work).await }
    }

    /// Sees to it that output and cover are files of this machine.
    async fn bring(self, item: &Item<'a>) -> Result<(), String> {
        let (run, output) = (self.run, item.output.clone());
        let expected = item.job.rendition.as_ref().map(|rendition| rendition.stamp);
        let cover =
            item.cover.as_ref().filter(|_| self.pins.cover_as == CoverAs::Image).map(|cover| cover.file.clone());
        let brought = self.blocking(move || {
            let watch = Stopping(run);
            run.bring(&output, expected, &watch)?;
            cover.map_or(Ok(()), |cover| run.bring(&cover, None, &watch))
        });
        brought.await.unwrap_or(Ok(())).map_err(|error| error.to_string())
    }

    /// Writes the receipt where it is due; `kept` is for a Pin of an earlier run.
    async fn write_receipt(self, item: &Item<'a>, state: &PublishState, record: &PinRecord, kept: bool) {
        let (run, path) = (self.run, item.receipt.clone());
        let destination = record.key.destination.clone();
        let receipt = ReceiptPin::of(record, state)
            .and_then(|pin| Receipt::of(&item.job, &item.source, &item.output, item.cover.as_ref(), &destination, pin));
        let Some(receipt) = receipt else { return };
        let write = {
            let path = path.clone();
            move || run.keep_receipt(&receipt, &path, &destination, kept)
        };
        if let Some(Err(error)) = self.blocking(write).await {
            // The ledger has all of it; the next run writes the receipt again.
            let path = run.shown(&path);
            let message = format!("the Pin is there, its receipt could not be written: {error}: {}", path.display());
            run.observer.event(&RunEvent::Warning { video: Some(&item.source), message });
        }
    }
}

/// Ends transfers with the run.
struct Stopping<'a>(&'a Run<'a>);

impl Observer for Stopping<'_> {
    fn cancelled(&self) -> bool {
        self.0.stopping()
    }
}

impl Run<'_> {
    /// The receipt at `path`, here or in storage; `None` when there is none that can be read.
    ///
    /// # Errors
    /// When storage does not say whether there is one.
    fn read_receipt(&self, path: &Path) -> Result<Option<Receipt>, StoreError> {
        match self.bring(path, None, &Stopping(self)) {
            Ok(()) | Err(StoreError { reason: Reason::NotFound, .. }) => Ok(Receipt::read(path)),
            Err(error) => Err(error),
        }
    }

    /// Writes a receipt where it is due.
    fn keep_receipt(&self, receipt: &Receipt, path: &Path, destination: &str, kept: bool) -> Result<(), String> {
        // Of one in storage that was written once, nothing but that it is there is asked each time.
        let known = self.depot.is_some() && kept && self.has_result(path);
        if known {
            return Ok(());
        }
        self.read_receipt(path).map_err(|error| error.to_string())?;
        if !Receipt::is_due(path, destination, kept) {
            return Ok(());
        }
        receipt.write(path).map_err(|error| error.to_string())?;
        self.deliver(path, true, &Stopping(self)).map(drop).map_err(|failure| failure.message)
    }
}

/// What the ledger keeps of a Pin until it is out.
struct Kept {
    content: PinContent,
    timing: PinTiming,
    job: JobId,
}

impl Kept {
    fn is_as_in(&self, record: &PinRecord) -> bool {
        record.content.as_ref() == Some(&self.content) && record.timing == self.timing && record.job == self.job
    }
}

fn settled_draft(item: &Item<'_>, plan: &PinPlan, pins: &PinOptions) -> Result<Draft, PublishError> {
    let span = |millis: i64| Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    let mut draft = plan.draft.clone();
    draft.video.clone_from(&item.output);
    draft.duration = item.job.plan.as_ref().and_then(|plan| plan.duration).map(|time| span(time.millis()));
    draft.cover_as = pins.cover_as;
    if let Some(cover) = &item.cover {
        let time = cover.time.map(|time| span(time.millis()));
        draft.cover = CoverSource::Picture { file: cover.file.clone(), time };
    }
    if let Some(covers) = &pins.cover_url {
        draft.cover = CoverSource::Url(covers.of(&item.output));
    }
    draft.settle(plan.board.clone(), plan.section.clone(), None)
}
