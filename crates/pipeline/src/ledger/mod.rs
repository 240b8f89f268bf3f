//! What happened to each video, kept so that a run which was killed at any moment can go on.
//!
//! Every step that writes something is entered before it begins and again when it has ended: a step that is entered
//! and has not ended was under way when the run died, and is done again. A Pin is the exception, since creating one
//! cannot be repeated: its publisher keeps its own state here.

pub mod claims;
mod columns;
pub mod heartbeat;
pub mod held;
pub mod lock;
pub mod model;
pub mod place;
pub mod postgres;
pub mod queue;
mod reach;
mod rules;
mod slots;
pub mod sqlite;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use pinpress_probe::Fingerprint;

pub use claims::{Attempt, Begun, Claim, Claimant, Claimed, Lease, PinAttempt, PinStep};
pub use heartbeat::{Hold, Leases};
pub use held::{HeldLedger, HoldError};
pub use lock::{LockError, OutputLock, RunLock};
pub use model::{
    CoverRecord, FileStamp, Job, JobId, JobKey, JobState, MAX_ATTEMPTS, MAX_CUT_OFF, PinContent, PinKey, PinRecord,
    PinStatus, PinTiming, RenditionRecord, Step, StepOutcome,
};
pub use place::{LedgerAddress, LedgerPlace, OWN_FOLDER, ledger_path, lock_path, own_folder};
pub use postgres::{Bell, PostgresLedger, Server};
pub use queue::{
    NewTask, Order, OrderId, OrderPins, OrderTerms, Placed, QueueHost, QueueState, Task, TaskEnd, TaskPin, TaskState,
    TaskTerms,
};
pub use reach::Reach;
pub use sqlite::SqliteLedger;
pub use sqlite::file::copy_of;

/// The ledger could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Written by a newer pinpress; it is left as it is.
    #[error("the ledger is of version {found}, and this pinpress knows up to {known}: use a newer pinpress: {path}", path = path.display())]
    Newer {
        /// Its version.
        found: i64,
        /// The newest this program knows.
        known: i64,
        /// The file.
        path: PathBuf,
    },
    /// A database, but of another program.
    #[error("not a pinpress ledger: move it away or choose another output folder: {path}", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Parts of it are lost. It is left as it is.
    #[error("the ledger is damaged ({reason}) and was left as it is: {remedy}: {path}", remedy = remedy(copy.as_deref()), path = path.display())]
    Damaged {
        /// What is wrong with it.
        reason: String,
        /// A whole one as of the end of an earlier run, where there is one.
        copy: Option<PathBuf>,
        /// The file.
        path: PathBuf,
    },
    /// It would be on a filesystem of another machine.
    #[error("the ledger cannot be on a network filesystem ({kind}), which may give its lock to two runs, so that they \
             make a Pin twice: keep it on a disk of this machine with --ledger FILE: {path}", path = path.display())]
    Network {
        /// The type of the filesystem.
        kind: String,
        /// The file.
        path: PathBuf,
    },
    /// The disk has no room for it.
    #[error("the ledger cannot be written, the disk is full: make room and run again: {path}", path = path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// SQLite refused.
    #[error("the ledger cannot be used: {source}: {path}", path = path.display())]
    Database {
        /// SQLite's reason.
        source: rusqlite::Error,
        /// The file.
        path: PathBuf,
    },
    /// What was to be its address is none.
    #[error("not the address of a ledger, which is like postgres://USER@HOST/DATABASE: {reason}")]
    Address {
        /// What is wrong with it. The address itself is not told, as a password may be in it.
        reason: String,
    },
    /// Its database did not answer, for as long as it was waited for.
    #[error(
        "the ledger's database cannot be reached ({reason}): see that it runs and takes connections of this machine: {server}"
    )]
    Unreachable {
        /// What the system or the database said last.
        reason: String,
        /// Its address, without the password.
        server: String,
    },
    /// Its database said no.
    #[error("the ledger's database refused: {reason}: {server}")]
    Refused {
        /// The database's words.
        reason: String,
        /// Its address, without the password.
        server: String,
    },
    /// The file or its folder could not be made.
    #[error("the ledger cannot be opened: {source}: {path}", path = path.display())]
    Io {
        /// The system's reason.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
    /// A row says something that this program does not understand.
    #[error("the ledger holds a {what} that cannot be read: {value:?}: {path}", path = path.display())]
    Unreadable {
        /// Which column.
        what: &'static str,
        /// What stands there.
        value: String,
        /// The file.
        path: PathBuf,
    },
    /// Another claim has taken the job or Pin over, or it was set back; what this one did changes nothing.
    #[error("claim {fence} came too late: another has taken it over")]
    Superseded {
        /// The claim that came too late.
        fence: i64,
    },
    /// Somebody works on it.
    #[error("{by} works on it: try again after {until}")]
    Held {
        /// Who.
        by: String,
        /// When the claim ends, unless it is renewed.
        until: Timestamp,
    },
}

/// What to do about a damaged ledger so that no Pin is made twice.
fn remedy(copy: Option<&Path>) -> String {
    let away = "move it away, and what has its name with -wal and -shm";
    let known = "What has a receipt (NAME.pin.json beside its output) is not published again; before you go on, look on \
                 the board for Pins of the last run that have none";
    match copy {
        Some(copy) => format!("{away}, and put the copy of an earlier run in its place, {}. {known}", copy.display()),
        None => format!("{away}, and run again with --overwrite. {known}"),
    }
}

/// What a ledger does. One is in an SQLite file, for one run at a time; another in a `PostgreSQL` database, for many.
pub trait Ledger: Send + Sync {
    /// The content of the file at `path` (absolute), if it was read before and has not been written since.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn fingerprint(&self, path: &Path, stamp: FileStamp) -> Result<Option<Fingerprint>, LedgerError>;

    /// Keeps the content of the file at `path` for the next time.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn remember(&self, path: &Path, stamp: FileStamp, fingerprint: &Fingerprint) -> Result<(), LedgerError>;

    /// Outputs by source (absolute), of all jobs.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn outputs(&self) -> Result<HashMap<PathBuf, PathBuf>, LedgerError>;

    /// Whether a job of this ledger has ever begun to write this output (relative): then it may be replaced.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn owns(&self, output: &Path) -> Result<bool, LedgerError>;

    /// The job of that key.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn find(&self, key: &JobKey) -> Result<Option<Job>, LedgerError>;

    /// The job of that key, made when there is none. Source and output become those given; a job whose output moves
    /// starts again.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn enroll(&self, key: &JobKey, source: &Path, output: &Path) -> Result<Job, LedgerError>;

    /// Sets a job back to `state`, with no attempts: its output is gone, or its cover is not the one wanted. Whoever
    /// works on it has lost its claim.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn reopen(&self, job: JobId, state: JobState) -> Result<(), LedgerError>;

    /// Enters that a step begins, and claims the job for as long as the lease says.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn begin(&self, job: JobId, step: Step, lease: &Lease) -> Result<Begun<Attempt>, LedgerError>;

    /// Enters how a step ended, and ends its claim. A lease that is over is no obstacle while nobody else has begun.
    ///
    /// # Errors
    /// When the ledger cannot be written; [`LedgerError::Superseded`] when a later claim was made.
    fn finish(&self, attempt: Attempt, outcome: &StepOutcome) -> Result<(), LedgerError>;

    /// Lets these claims last for another length of the lease from now, those that are over and were not taken
    /// included, and answers which are lost: another claim was made, or the job was set back.
    ///
    /// # Errors
    /// When the ledger cannot be written; then none is renewed.
    fn renew(&self, claims: &[Claim], lease: &Lease) -> Result<Vec<Claim>, LedgerError>;

    /// Ends the leases of a claimant that is known to be dead, or of everybody: nobody need wait for them to end. The
    /// claims stay the latest until others are made.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn expire(&self, claimant: Option<&Claimant>) -> Result<(), LedgerError>;

    /// Keeps a copy of what it holds, where it is a file and was changed since it was opened: see [`copy_of`].
    ///
    /// # Errors
    /// When the copy cannot be written; then an earlier one is as it was.
    fn keep_copy(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    /// Lets videos of the queue wait again that were given up, where it has one: those of these sources (absolute), or
    /// all. Answers how many.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn requeue(&self, _sources: Option<&[PathBuf]>) -> Result<u64, LedgerError> {
        Ok(0)
    }

    /// How its queue stands; `None` where it has none.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn queue_state(&self) -> Result<Option<QueueState>, LedgerError> {
        Ok(None)
    }

    /// Whether it could be reached lately; a file always can.
    fn reach(&self) -> Reach {
        Reach::default()
    }

    /// Enters that a source cannot be read as a video.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn set_unreadable(&self, job: JobId, reason: &str) -> Result<(), LedgerError>;

    /// The Pin of that key; failing that, one of the same destination and board that shows the same content: a
    /// published output that is itself published again.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn pin(&self, key: &PinKey) -> Result<Option<PinRecord>, LedgerError>;

    /// The Pin of that key, made when there is none.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn open_pin(&self, key: &PinKey, job: JobId) -> Result<PinRecord, LedgerError>;

    /// Keeps what a Pin is to say, when, and which job's output it shows, in place of what was kept before.
    ///
    /// # Errors
    /// When the ledger cannot be written; [`LedgerError::Superseded`] when a later claim was made.
    fn plan_pin(
        &self,
        attempt: PinAttempt,
        job: JobId,
        content: &PinContent,
        timing: PinTiming,
    ) -> Result<(), LedgerError>;

    /// The place of a Pin among those of its destination, at least `every` after the last of them, and keeps it. One
    /// that is to come stays; one that is past moves on when another Pin took its time meanwhile.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn take_slot(&self, pin: i64, every: SignedDuration, now: Timestamp) -> Result<Timestamp, LedgerError>;

    /// Claims a Pin for as long as the lease says. To create it is an attempt that counts.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    fn begin_pin(&self, pin: i64, step: PinStep, lease: &Lease) -> Result<Begun<PinAttempt>, LedgerError>;

    /// Keeps the publisher's state, and with it the Pin's id once there is one. When this answers, it is on the disk.
    ///
    /// # Errors
    /// When the ledger cannot be written, or that id belongs to another video; [`LedgerError::Superseded`] when a
    /// later claim was made.
    fn save_pin_state(&self, attempt: PinAttempt, state: &str, pin_id: Option<&str>) -> Result<(), LedgerError>;

    /// Enters where a Pin stands after an attempt, and ends its claim.
    ///
    /// # Errors
    /// When the ledger cannot be written; [`LedgerError::Superseded`] when a later claim was made.
    fn finish_pin(&self, attempt: PinAttempt, status: PinStatus, reason: Option<&str>) -> Result<(), LedgerError>;

    /// Ends a claim as if it had not been made: its time has not come. What had failed stays so.
    ///
    /// # Errors
    /// When the ledger cannot be written; [`LedgerError::Superseded`] when a later claim was made.
    fn release_pin(&self, attempt: PinAttempt) -> Result<(), LedgerError>;

    /// The row that holds the Pin of that id at that destination.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn pin_row(&self, destination: &str, pin_id: &str) -> Result<Option<i64>, LedgerError>;

    /// All jobs, in the order of their outputs.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn jobs(&self) -> Result<Vec<Job>, LedgerError>;

    /// All Pins, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    fn pins(&self) -> Result<Vec<PinRecord>, LedgerError>;
}
