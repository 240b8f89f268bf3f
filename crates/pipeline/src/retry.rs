//! New attempts at what was given up.

use std::path::{Path, PathBuf};

use crate::ledger::{Job, JobState, Ledger as _, LedgerError, LockError, PinStatus, RunLock, SqliteLedger};
use crate::run::{ledger_path, lock_path};

/// Nothing was given a new attempt.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// Nothing to try again.
    #[error("no ledger: nothing was run with this output folder: {path}", path = path.display())]
    NoLedger {
        /// The output folder.
        path: PathBuf,
    },
    /// A run is at work there.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Gives the jobs that `wanted` picks new attempts where they failed or were set aside, their Pins included; the next
/// run makes them. A Pin of unknown outcome stays as it is. The answer is the jobs that had something to try again.
///
/// # Errors
/// When there is no ledger, it cannot be used, or a run is at work.
pub fn retry(folder: &Path, wanted: impl Fn(&Job) -> bool) -> Result<Vec<Job>, RetryError> {
    let path = ledger_path(folder);
    if !path.is_file() {
        return Err(RetryError::NoLedger { path: folder.to_owned() });
    }
    let _lock = RunLock::take(&lock_path(folder))?;
    let ledger = SqliteLedger::open(&path)?;
    let given_up: Vec<_> = ledger
        .pins()?
        .into_iter()
        .filter(|pin| matches!(pin.status, PinStatus::Failed | PinStatus::SetAside))
        .collect();
    let mut again = Vec::new();
    for job in ledger.jobs()?.into_iter().filter(wanted) {
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
    Ok(again)
}
