//! How the ledger has a video, as a run would tell it at its end.

use std::path::Path;

use jiff::Timestamp;
use pinpress_pipeline::ledger::{Job, JobState, PinRecord, PinStatus};
use pinpress_pipeline::naming::cover_of;
use pinpress_pipeline::pins::REHEARSAL;
use pinpress_pipeline::{CoverOutcome, End, PinOutcome, RunStage, VideoOutcome};
use pinpress_publish::PublishState;

/// Of a job whose results are in `folder`, with its Pins.
pub(crate) fn outcome(job: &Job, pins: &[PinRecord], folder: &Path) -> VideoOutcome {
    let output = pinpress_pipeline::naming::result_in(folder, &job.output);
    let picture = cover_of(&output);
    // A rehearsal's Pin counts where there is no other; of several the one that is worst off.
    let real = pins.iter().filter(|pin| pin.key.destination != REHEARSAL);
    let pin = real.max_by_key(|pin| urgency(pin.status)).or_else(|| pins.iter().max_by_key(|pin| urgency(pin.status)));
    VideoOutcome {
        source: job.source.clone(),
        info: None,
        report: None,
        plan: job.plan.clone(),
        cover: picture
            .is_file()
            .then(|| CoverOutcome { file: picture.clone(), time: job.cover.as_ref().map(|cover| cover.time) }),
        pin: pin.and_then(pinned),
        end: end(job, pin),
        output: job.rendition.is_some().then_some(output),
    }
}

const fn urgency(status: PinStatus) -> u8 {
    match status {
        PinStatus::Published => 0,
        PinStatus::Waiting | PinStatus::Publishing => 1,
        PinStatus::Failed => 2,
        PinStatus::SetAside => 3,
        PinStatus::Unknown => 4,
    }
}

/// The Pin, when it is there.
fn pinned(pin: &PinRecord) -> Option<PinOutcome> {
    match serde_json::from_str(pin.state.as_deref()?).ok()? {
        PublishState::Pinned { pin_id, url, .. } => Some(PinOutcome { id: pin_id.as_str().to_owned(), url }),
        _ => None,
    }
}

fn end(job: &Job, pin: Option<&PinRecord>) -> End {
    let reason = |reason: &Option<String>| reason.clone().unwrap_or_else(|| "no reason was kept".to_owned());
    match job.state {
        JobState::Unreadable => return End::Failed { stage: RunStage::Check, reason: reason(&job.reason) },
        JobState::Failed => return End::Failed { stage: RunStage::Fix, reason: reason(&job.reason) },
        JobState::SetAside => return End::SetAside { reason: reason(&job.reason) },
        JobState::Checked | JobState::Fixing | JobState::Fixed | JobState::Covering if pin.is_none() => {
            return match &job.reason {
                Some(why) => End::Later { reason: why.clone() },
                None => End::Interrupted,
            };
        }
        JobState::Checked | JobState::Fixing | JobState::Fixed | JobState::Covering | JobState::Covered => {}
    }
    let Some(pin) = pin else { return End::UpToDate };
    match pin.status {
        PinStatus::Published => End::UpToDate,
        PinStatus::Unknown => End::Unknown { reason: reason(&pin.reason) },
        PinStatus::SetAside => End::SetAside { reason: reason(&pin.reason) },
        PinStatus::Failed => End::Failed { stage: RunStage::Publish, reason: reason(&pin.reason) },
        PinStatus::Waiting | PinStatus::Publishing => match (pin.due(), &pin.reason) {
            (Some(at), _) if at > Timestamp::now() => End::Scheduled { at },
            (_, Some(why)) => End::Later { reason: why.clone() },
            (_, None) => End::Later { reason: "its time has come, and no run came by".to_owned() },
        },
    }
}
