//! New attempts at what was given up.

use std::path::PathBuf;

use crate::ledger::{HeldLedger, HoldError, Job, JobState, LedgerPlace, PinStatus};

/// Gives the jobs that `wanted` picks, or all, new attempts where they failed or were set aside, their Pins included; the
/// next run makes them, or whoever works off the queue that has their videos. A Pin of unknown outcome stays as it is. The answer is the jobs that had something to try again.
///
/// # Errors
/// When there is no ledger, it cannot be used, or a run is at work.
pub fn retry(place: &LedgerPlace, wanted: Option<&dyn Fn(&Job) -> bool>) -> Result<Vec<Job>, HoldError> {
    let ledger = HeldLedger::open(place)?;
    let given_up: Vec<_> = ledger
        .pins()?
        .into_iter()
        .filter(|pin| matches!(pin.status, PinStatus::Failed | PinStatus::SetAside))
        .collect();
    let mut again = Vec::new();
    let is_wanted = |job: &Job| wanted.is_none_or(|wanted| wanted(job));
    for job in ledger.jobs()?.into_iter().filter(is_wanted) {
        let pins: Vec<_> = given_up.iter().filter(|pin| pin.job == job.id).collect();
        for pin in &pins {
            ledger.set_pin_status(pin.id, PinStatus::Waiting, Some("to be tried again"))?;
        }
        let failed = matches!(job.state, JobState::Unreadable | JobState::Failed | JobState::SetAside);
        // One with a reason failed as well, and has attempts left.
        if failed || job.reason.is_some() {
            let state = if job.rendition.is_some() { JobState::Fixed } else { JobState::Checked };
            ledger.reopen(job.id, state)?;
        } else if pins.is_empty() {
            continue;
        }
        again.push(job);
    }
    let sources: Vec<PathBuf> = again.iter().map(|job| job.source.clone()).collect();
    // Of all, those too that never came so far as to be jobs.
    ledger.requeue(wanted.map(|_| sources.as_slice()))?;
    Ok(again)
}
