//! The last stage: each output a Pin, once.

use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use pinpress_publish::{CoverSource, Draft, PublishError, PublishState};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::Receiver;

use super::Run;
use super::item::Item;
use super::publish_watch::Watch;
use crate::ledger::{PinKey, PinRecord, PinStatus};
use crate::naming::receipt_of;
use crate::observe::{RunEvent, RunStage};
use crate::outcome::{End, PinOutcome};
use crate::pins::{PinOptions, PinPlan, REHEARSAL};
use crate::receipt::{self, Receipt, ReceiptCover, ReceiptFile, ReceiptPin, ReceiptSpec};

/// How often a running upload looks whether to stop.
const LOOK: Duration = Duration::from_millis(100);

pub(super) fn publishing<'a>(
    run: &'a Run<'a>,
    mut items: Receiver<Item<'a>>,
    network: Option<(&PinOptions, &Runtime)>,
) {
    let Some((pins, runtime)) = network else {
        while let Some(item) = items.blocking_recv() {
            let end = item.settled();
            run.finish(item.index, item.outcome(end));
        }
        return;
    };
    let refused = std::sync::OnceLock::new();
    let publisher = Publisher { run, pins, refused: &refused };
    runtime.block_on(async {
        let stream = futures_util::stream::poll_fn(|context| items.poll_recv(context));
        stream.for_each_concurrent(pins.uploads.max(1), |item| publisher.publish(item)).await;
    });
}

#[derive(Clone, Copy)]
struct Publisher<'a, 'b> {
    run: &'a Run<'a>,
    pins: &'b PinOptions,
    /// Why no other video will fare better: the token is not accepted.
    refused: &'b std::sync::OnceLock<String>,
}

impl<'a> Publisher<'a, '_> {
    async fn publish(self, item: Item<'a>) {
        if self.run.stopping() {
            return;
        }
        let Some(plan) = &self.run.orders[item.index].pin else {
            self.run.finish(item.index, item.outcome(End::Unlisted));
            return;
        };
        let index = item.index;
        if let Some((end, pin)) = self.settle(&item, plan).await {
            let mut outcome = item.outcome(end);
            outcome.pin = pin;
            self.run.finish(index, outcome);
        }
    }

    /// How the Pin stands at the end; `None` when the ledger failed.
    async fn settle(self, item: &Item<'a>, plan: &PinPlan) -> Option<(End, Option<PinOutcome>)> {
        let run = self.run;
        let key = PinKey {
            destination: self.pins.destination.clone(),
            fingerprint: item.job.key.fingerprint.clone(),
            board: plan.board.as_str().to_owned(),
        };
        let known = run.recorded(run.ledger.pin(&key))?;
        let record = match known {
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
            if self.receipt_is_due(item, true) {
                self.write_receipt(item, plan, &state, &record);
            }
            return Some((item.settled(), Some(pin)));
        }
        let in_doubt = matches!(state, PublishState::Intended { .. } | PublishState::Unknown { .. });
        if record.status == PinStatus::SetAside && !in_doubt {
            return Some((End::SetAside { reason: record.reason.unwrap_or_default() }, None));
        }
        if let Some(at) = plan.publish_at.filter(|at| *at > Timestamp::now() && !in_doubt) {
            let reason = format!("to be published at {at}");
            run.recorded(run.ledger.set_pin_status(record.id, PinStatus::Waiting, Some(&reason)))?;
            return Some((End::Scheduled { at }, None));
        }
        if let Some(reason) = self.refused.get() {
            return Some((End::Later { reason: reason.clone() }, None));
        }
        // Looking whether a Pin exists is no attempt at creating one, and may be done as often as one likes.
        if !in_doubt && !run.recorded(run.ledger.begin_pin(record.id))? {
            return Some((End::SetAside { reason: record.reason.unwrap_or_default() }, None));
        }
        let draft = match settled_draft(item, plan, self.pins) {
            Ok(draft) => draft,
            Err(error) => return self.failed(&record, &error, in_doubt).map(|end| (end, None)),
        };
        run.started(item.source, RunStage::Publish);
        let watch = Watch::new(run, item.source, &record, state.clone());
        let work = pinpress_publish::publish(&self.pins.client, &draft, state, &watch, &watch);
        let mut work = std::pin::pin!(work);
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                () = tokio::time::sleep(LOOK) => {
                    // Between the intent and the answer nothing may be cut off: the answer would be lost.
                    if run.stopping() && !watch.is_intended() {
                        let status = if watch.is_in_doubt() { PinStatus::Unknown } else { PinStatus::Waiting };
                        run.recorded(run.ledger.set_pin_status(record.id, status, Some("stopped")))?;
                        return Some((End::Interrupted, None));
                    }
                }
            }
        };
        if let Some(error) = watch.take_ledger_error() {
            run.recorded::<()>(Err(error));
            return None;
        }
        match result {
            Ok(receipt) => {
                run.recorded(run.ledger.set_pin_status(record.id, PinStatus::Published, None))?;
                let pin = PinOutcome { id: receipt.pin_id.as_str().to_owned(), url: receipt.url.clone() };
                let state = PublishState::Pinned {
                    media_id: receipt.media_id,
                    pin_id: receipt.pin_id,
                    url: receipt.url,
                    adopted: receipt.adopted,
                };
                if self.receipt_is_due(item, false) {
                    self.write_receipt(item, plan, &state, &PinRecord { changed: Timestamp::now(), ..record });
                }
                Some((End::Done, Some(pin)))
            }
            Err(error) => self.failed(&record, &error, watch.is_in_doubt()).map(|end| (end, None)),
        }
    }

    /// Enters why it did not work, and what that means for the next run. `in_doubt` is for a Pin that may exist.
    fn failed(self, record: &PinRecord, error: &PublishError, in_doubt: bool) -> Option<End> {
        let reason = error.to_string();
        let (status, end) = match error {
            PublishError::OutcomeUnknown { .. } => (PinStatus::Unknown, End::Unknown { reason: reason.clone() }),
            PublishError::StillProcessing { .. }
            | PublishError::RateLimited { .. }
            | PublishError::BudgetSpent { .. } => (PinStatus::Waiting, End::Later { reason: reason.clone() }),
            error if error.is_unauthorized() => {
                self.refused.get_or_init(|| reason.clone());
                (PinStatus::Waiting, End::Later { reason: reason.clone() })
            }
            _ => (PinStatus::Failed, End::Failed { stage: RunStage::Publish, reason: reason.clone() }),
        };
        // It stays in doubt, whatever kept us from looking.
        let (status, end) =
            if in_doubt { (PinStatus::Unknown, End::Unknown { reason: reason.clone() }) } else { (status, end) };
        self.run.recorded(self.run.ledger.set_pin_status(record.id, status, Some(&reason))).map(|()| end)
    }

    /// Whether this Pin's receipt may be written where one may lie already: a rehearsal leaves a real one alone, and
    /// `kept` is for a Pin of an earlier run, whose receipt is written only when it is missing or a rehearsal's.
    fn receipt_is_due(self, item: &Item<'a>, kept: bool) -> bool {
        let there = std::fs::read(receipt_of(&item.output)).ok();
        let there = there.and_then(|text| serde_json::from_slice::<Receipt>(&text).ok());
        let rehearsed = self.pins.destination == REHEARSAL;
        match there.map(|receipt| receipt.destination == REHEARSAL) {
            None => true,
            Some(true) => !kept || !rehearsed,
            Some(false) => !kept && !rehearsed,
        }
    }

    fn write_receipt(self, item: &Item<'a>, plan: &PinPlan, state: &PublishState, record: &PinRecord) {
        let PublishState::Pinned { media_id, pin_id, url, adopted } = state else { return };
        let Some(rendition) = &item.job.rendition else { return };
        let name = |path: &std::path::Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let receipt = Receipt {
            schema: receipt::SCHEMA.to_owned(),
            destination: record.key.destination.clone(),
            source: ReceiptFile {
                path: item.source.to_string_lossy().into_owned(),
                fingerprint: item.job.key.fingerprint.clone(),
            },
            output: ReceiptFile { path: name(&item.output), fingerprint: rendition.fingerprint.clone() },
            spec: ReceiptSpec { name: item.job.key.spec_name.clone(), version: item.job.key.spec_version.clone() },
            plan: item.job.plan.clone(),
            cover: item.cover.as_ref().map(|cover| ReceiptCover {
                file: name(&cover.file),
                time_ms: cover.time.map(pinpress_probe::Seconds::millis),
            }),
            pin: ReceiptPin {
                pin_id: pin_id.as_str().to_owned(),
                url: url.clone(),
                media_id: media_id.as_str().to_owned(),
                board_id: record.key.board.clone(),
                title: plan.draft.title.clone(),
                adopted: *adopted,
                begun_at: record.begun,
                published_at: record.changed,
            },
        };
        let path = receipt_of(&item.output);
        if let Err(error) = receipt.write(&path) {
            // The ledger has all of it; the next run writes the receipt again.
            let message = format!("the Pin is there, its receipt could not be written: {error}: {}", path.display());
            self.run.observer.event(&RunEvent::Warning { video: Some(item.source), message });
        }
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
    draft.settle(plan.board.clone(), plan.section.clone(), None)
}
