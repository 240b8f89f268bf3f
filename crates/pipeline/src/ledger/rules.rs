//! What may begin, and where a step leaves its job or its Pin: the same in every ledger, whatever holds its rows.

use jiff::Timestamp;

use super::claims::{Attempt, Begun, PinAttempt, PinStep};
use super::model::{JobState, MAX_ATTEMPTS, MAX_CUT_OFF, PinStatus, Step, StepOutcome};

/// Why a job or Pin was set aside that never failed.
const NEVER_ENDED: &str = "it never came to an end";

/// What a row says of its claim.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    /// The number of the latest claim.
    pub(super) fence: i64,
    /// Whose it is, while it has not ended.
    pub(super) by: Option<String>,
    /// When its lease ends.
    pub(super) until: Option<Timestamp>,
}

impl Standing {
    fn held(&self, now: Timestamp) -> Option<Leave> {
        let until = self.until.filter(|until| *until > now)?;
        Some(Leave::Held { by: self.by.clone().unwrap_or_default(), until })
    }
}

/// The answer to somebody who wants to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leave {
    /// Go on: this is the attempt of that number.
    Attempt(u32),
    /// Another claim lasts.
    Held { by: String, until: Timestamp },
    /// It was given up before, for that reason.
    GivenUp { reason: String },
    /// It is given up now, for that reason, and is to be entered so.
    SetAside { reason: String },
}

/// What a row says of how often a job or Pin was tried.
#[derive(Debug)]
pub(super) struct Tried<S> {
    pub(super) state: S,
    pub(super) attempts: u32,
    pub(super) reason: Option<String>,
    pub(super) claim: Standing,
}

impl<S> Tried<S> {
    fn reason(&self) -> String {
        self.reason.clone().unwrap_or_else(|| NEVER_ENDED.to_owned())
    }

    /// Leave to try once more, unless that was done as often as is allowed.
    fn once_more(&self, attempts: u32, cut_off: bool) -> Leave {
        if attempts >= if cut_off { MAX_CUT_OFF } else { MAX_ATTEMPTS } {
            return Leave::SetAside { reason: self.reason() };
        }
        Leave::Attempt(attempts + 1)
    }
}

impl Tried<JobState> {
    /// Whether `step` may begin at this time.
    pub(super) fn leave(&self, step: Step, now: Timestamp) -> Leave {
        if let Some(held) = self.claim.held(now) {
            return held;
        }
        // Given up by somebody else since it was read.
        if matches!(self.state, JobState::Unreadable | JobState::Failed | JobState::SetAside) {
            return Leave::GivenUp { reason: self.reason() };
        }
        // A step that is entered as running was cut off: its attempt counts, or a video that kills the machine would
        // kill it again at every start.
        let cut_off = self.state == step.running();
        let attempts = if cut_off || self.state == step.before() { self.attempts } else { 0 };
        self.once_more(attempts, cut_off)
    }
}

impl Tried<PinStatus> {
    /// Whether `step` may begin at this time. Looking is no attempt.
    pub(super) fn leave(&self, step: PinStep, now: Timestamp) -> Leave {
        if let Some(held) = self.claim.held(now) {
            return held;
        }
        match step {
            PinStep::Look => Leave::Attempt(self.attempts),
            // As with jobs: what was cut off with the whole run is seldom its own fault.
            PinStep::Create => self.once_more(self.attempts, self.state == PinStatus::Publishing),
        }
    }
}

/// What a claimant is told who may not begin.
pub(super) fn refused<A>(leave: Leave) -> Result<u32, Begun<A>> {
    match leave {
        Leave::Attempt(number) => Ok(number),
        Leave::Held { by, until } => Err(Begun::Held { by, until }),
        Leave::GivenUp { reason } | Leave::SetAside { reason } => Err(Begun::Spent { reason }),
    }
}

/// Where the end of a step leaves its job: state, attempts, reason.
pub(super) fn after_step(attempt: Attempt, outcome: &StepOutcome) -> (JobState, u32, Option<&str>) {
    let Attempt { step, number, .. } = attempt;
    match outcome {
        StepOutcome::Fixed { .. } => (JobState::Fixed, 0, None),
        StepOutcome::Covered(_) => (JobState::Covered, 0, None),
        StepOutcome::Impossible(reason) => (JobState::Failed, number, Some(reason)),
        StepOutcome::Failed(reason) if number >= MAX_ATTEMPTS => (JobState::SetAside, number, Some(reason)),
        StepOutcome::Failed(reason) => (step.before(), number, Some(reason)),
        StepOutcome::Released | StepOutcome::Blocked => (step.before(), number - 1, None),
    }
}

/// The attempts of a Pin that stands at `status` after one. What succeeded has used up none, and neither has what was
/// stopped before its end.
pub(super) const fn attempts_after(attempt: PinAttempt, status: PinStatus) -> u32 {
    match status {
        PinStatus::Published | PinStatus::Waiting => 0,
        _ => attempt.number,
    }
}

/// Where a Pin stands whose creation is put off, and after how many attempts. One that had failed has failed still:
/// waiting is no reason to forget that.
pub(super) fn put_off(attempt: PinAttempt) -> (PinStatus, u32) {
    if attempt.before == PinStatus::Failed { (PinStatus::Failed, attempt.number - 1) } else { (PinStatus::Waiting, 0) }
}
