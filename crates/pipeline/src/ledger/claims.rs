//! Claims: who works on what, and until when nobody else may begin.
//!
//! A claim is a lease. While it lasts nobody else can begin on the same job or Pin; who holds it renews it (see
//! [`super::Leases`]), and when its holder dies it ends by itself. Each claim has a number that only ever grows, its
//! fence: an outcome is entered only by the latest claim, so that whoever was thought dead and comes back, from sleep
//! or from a stalled disk, changes nothing.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::model::{JobId, PinStatus, Step};

/// Who claims: one run of the program.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claimant(String);

impl Claimant {
    /// This program, now: host, process and a random number, since processes and hosts get the same numbers again.
    #[must_use]
    pub fn new() -> Self {
        #[cfg(unix)]
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        #[cfg(not(unix))]
        let host = std::env::var("COMPUTERNAME").unwrap_or_else(|_| "host".to_owned());
        Self(format!("{host}/{}/{:016x}", std::process::id(), rand::random::<u64>()))
    }

    /// The one that a ledger knows by that name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// As it stands in the ledger.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Claimant {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Claimant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a claimant asks for: its claims last so long unless they are renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who asks.
    pub claimant: Claimant,
    /// How long, from when the ledger enters it.
    pub length: SignedDuration,
}

impl Lease {
    /// A lease of this run: long enough for a machine that is busy, short enough for somebody who waits for the work
    /// of a dead one.
    #[must_use]
    pub fn new() -> Self {
        Self { claimant: Claimant::new(), length: SignedDuration::from_secs(60) }
    }

    /// A lease with a ledger that may be away for a minute and loses none by it: it is renewed each quarter of its
    /// length, so that seven twelfths are left whenever it goes away, before it is given up for lost.
    #[must_use]
    pub fn shared() -> Self {
        Self::of(Self::SHARED)
    }

    /// The length of [`Lease::shared`].
    pub const SHARED: SignedDuration = SignedDuration::from_secs(120);

    /// The least that a shared one may be: a link that was cut is noticed within 15 seconds.
    pub const SHORTEST_SHARED: SignedDuration = SignedDuration::from_secs(30);

    /// A lease of that length.
    #[must_use]
    pub fn of(length: SignedDuration) -> Self {
        Self { length, ..Self::new() }
    }
}

impl Default for Lease {
    fn default() -> Self {
        Self::new()
    }
}

/// What is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Claimed {
    /// A step of this job.
    Job(JobId),
    /// The Pin of this row.
    Pin(i64),
    /// The video of this row of the queue.
    Task(i64),
}

/// A claim, as who holds it knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Claim {
    /// On what.
    pub on: Claimed,
    /// Its number among all claims on that, from 1; never reset.
    pub fence: i64,
}

/// What asking to begin brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun<A> {
    /// Leave to go on.
    Attempt(A),
    /// Its attempts are used up: it is set aside.
    Spent {
        /// Why the last one failed, for a person.
        reason: String,
    },
    /// Another claim lasts.
    Held {
        /// Whose.
        by: String,
        /// Until then, unless it is renewed.
        until: Timestamp,
    },
}

/// Leave to carry out one step of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The job.
    pub job: JobId,
    /// The step.
    pub step: Step,
    /// Which attempt at it, from 1. A job that is set back starts again at 1.
    pub number: u32,
    /// The number of its claim.
    pub fence: i64,
}

impl Attempt {
    /// What it holds.
    #[must_use]
    pub const fn claim(&self) -> Claim {
        Claim { on: Claimed::Job(self.job), fence: self.fence }
    }
}

/// What somebody wants to do with a Pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinStep {
    /// Create it: an attempt that counts.
    Create,
    /// Look whether it exists, or enter what a person says of it: as often as one likes.
    Look,
}

/// Leave to work on one Pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinAttempt {
    /// The row.
    pub pin: i64,
    /// What for.
    pub step: PinStep,
    /// Attempts at creating it so far, this one included.
    pub number: u32,
    /// How it stood before.
    pub before: PinStatus,
    /// The number of its claim.
    pub fence: i64,
}

impl PinAttempt {
    /// What it holds.
    #[must_use]
    pub const fn claim(&self) -> Claim {
        Claim { on: Claimed::Pin(self.pin), fence: self.fence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_runs_are_the_same_claimant() {
        let (one, other) = (Claimant::new(), Claimant::new());
        assert_ne!(one, other, "of one process even");
        assert_eq!(one.as_str().split('/').nth(1), Some(std::process::id().to_string().as_str()));
    }
}
