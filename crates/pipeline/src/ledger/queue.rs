//! Videos that wait for whoever comes next: what is entered by one machine and worked off by many.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use pinpress_media::FixOptions;
use pinpress_probe::{Seconds, Spec};
use pinpress_publish::CoverAs;
use serde::{Deserialize, Serialize};

use super::claims::{Claim, Claimed};
use super::model::{MAX_ATTEMPTS, MAX_CUT_OFF, PinContent};

/// How long a video that failed waits for its next attempt, for each attempt that it had.
const BEFORE_ANOTHER: SignedDuration = SignedDuration::from_secs(10);

/// The row of an [`Order`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderId(pub i64);

/// What all videos have in common that were entered together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Where outputs go, absolute, and the same on every machine.
    pub output: PathBuf,
    /// What is asked for.
    pub terms: OrderTerms,
}

/// What is asked for; kept as JSON. No secret is in it: who works publishes with a token of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderTerms {
    /// The rule set of videos that name no other.
    pub spec: Spec,
    /// Choices of the fix. How many threads it takes is for who works to say.
    pub fix: FixOptions,
    /// Where Pins are made; `None` stops after the covers.
    pub pins: Option<OrderPins>,
}

/// How Pins are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPins {
    /// As [`PinOptions::destination`](crate::PinOptions::destination).
    pub destination: String,
    /// How covers go over the wire.
    pub cover_as: CoverAs,
    /// Their address, with [`CoverAs::Url`].
    pub cover_url: Option<String>,
    /// Whole seconds from one Pin to the next, at least; zero takes back what was asked for before.
    pub every_s: Option<i64>,
}

/// A video to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// Absolute, and the same on every machine.
    pub source: PathBuf,
    /// Relative to the output folder.
    pub output: PathBuf,
    /// What is asked for it alone.
    pub terms: TaskTerms,
}

/// What is asked for one video; kept as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTerms {
    /// Another rule set than that of the order.
    pub spec: Option<Spec>,
    /// The frame to take as the cover.
    pub cover_at: Option<Seconds>,
    /// The Pin; `None` when it is not to be published.
    pub pin: Option<TaskPin>,
}

/// The Pin of one video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskPin {
    /// The board's id.
    pub board: String,
    /// What it says.
    pub content: PinContent,
    /// Not before this.
    pub publish_at: Option<Timestamp>,
}

/// A video that was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its row.
    pub id: i64,
    /// What it was entered with.
    pub order: OrderId,
    /// Absolute.
    pub source: PathBuf,
    /// Relative to the order's output folder.
    pub output: PathBuf,
    /// What is asked for it alone.
    pub terms: TaskTerms,
    /// Which attempt this is, from 1.
    pub number: u32,
    /// The number of its claim.
    pub fence: i64,
}

impl Task {
    /// What its holder holds.
    #[must_use]
    pub const fn claim(&self) -> Claim {
        Claim { on: Claimed::Task(self.id), fence: self.fence }
    }
}

/// How an attempt at a video ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskEnd {
    /// Nothing is left to do.
    Done,
    /// It did not work, for that reason: it is tried again in a while, three times in all.
    Failed(String),
    /// It was given up for good, for that reason.
    GivenUp(String),
    /// All is done but the Pin, whose time has not come. No attempt.
    Scheduled(Timestamp),
    /// It may work later, for that reason: at that time, or else in a while. No attempt.
    Later {
        /// Why not now.
        reason: String,
        /// Not before this.
        at: Option<Timestamp>,
    },
    /// It was not come to: whoever is next takes it. No attempt.
    Released,
}

/// Where a video of the queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaskState {
    /// It waits, or somebody is at work on it.
    Waiting,
    /// Nothing is left to do.
    Done,
    /// It was given up.
    Failed,
}

impl TaskState {
    /// The word for it, in the ledger and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// Whether a video that was begun so often, and never came to an end the last time, is begun once more.
pub(super) const fn is_begun_again(attempts: u32) -> bool {
    attempts < MAX_CUT_OFF
}

/// Where an end leaves a video: its state, its attempts, the reason, and how long it waits at least.
pub(super) fn after_end(number: u32, end: &TaskEnd) -> (TaskState, u32, Option<&str>, SignedDuration) {
    let none = SignedDuration::ZERO;
    match end {
        TaskEnd::Done => (TaskState::Done, 0, None, none),
        TaskEnd::GivenUp(reason) => (TaskState::Failed, number, Some(reason), none),
        TaskEnd::Failed(reason) if number >= MAX_ATTEMPTS => (TaskState::Failed, number, Some(reason), none),
        TaskEnd::Failed(reason) => {
            let wait = BEFORE_ANOTHER * i32::try_from(number).unwrap_or(i32::MAX);
            (TaskState::Waiting, number, Some(reason), wait)
        }
        TaskEnd::Later { reason, at: None } => (TaskState::Waiting, number - 1, Some(reason), BEFORE_ANOTHER),
        TaskEnd::Later { reason, at: Some(_) } => (TaskState::Waiting, number - 1, Some(reason), none),
        TaskEnd::Scheduled(_) | TaskEnd::Released => (TaskState::Waiting, number - 1, None, none),
    }
}

/// What entering an order has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its row.
    pub order: OrderId,
    /// Videos that wait now.
    pub waiting: u64,
    /// Videos that somebody is at work on by what was entered before; they stay as they are.
    pub at_work: u64,
}

/// How a queue stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueState {
    /// Videos that may be begun now.
    pub ready: u64,
    /// Videos of which only the Pin is left, whose time has not come.
    pub scheduled: u64,
    /// Videos that are tried again in a while.
    pub again: u64,
    /// Videos that somebody is at work on.
    pub at_work: u64,
    /// Videos of which nothing is left to do.
    pub done: u64,
    /// Videos that were given up.
    pub failed: u64,
    /// Since when the first of those waits that may be begun now.
    pub oldest: Option<Timestamp>,
    /// When the first of the others may be begun, or is no longer held by who began it.
    pub next: Option<Timestamp>,
    /// Who is at work, in the order of their names.
    pub hosts: Vec<QueueHost>,
}

impl QueueState {
    /// How many videos are not at their end.
    #[must_use]
    pub const fn open(&self) -> u64 {
        self.ready + self.scheduled + self.again + self.at_work
    }
}

/// A program at work on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueHost {
    /// Host, process and a random number.
    pub claimant: String,
    /// Videos that it is at work on.
    pub at_work: u64,
    /// When the first of its leases ends, unless it is renewed.
    pub until: Timestamp,
    /// Videos that it has brought to their end in the last ten minutes.
    pub lately: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_three_times_and_ever_later() {
        let failed = |number| after_end(number, &TaskEnd::Failed("why".to_owned())).0;
        assert_eq!([1, 2, 3].map(failed), [TaskState::Waiting, TaskState::Waiting, TaskState::Failed]);
        let wait = |number| after_end(number, &TaskEnd::Failed(String::new())).3.as_secs();
        assert_eq!([1, 2].map(wait), [10, 20]);
    }

    #[test]
    fn what_was_not_tried_uses_up_no_attempt() {
        let later = |at| TaskEnd::Later { reason: "a limit".to_owned(), at };
        let at = Timestamp::UNIX_EPOCH;
        for end in [TaskEnd::Released, TaskEnd::Scheduled(at), later(None), later(Some(at))] {
            assert_eq!(after_end(3, &end).1, 2, "{end:?}");
        }
    }
}
