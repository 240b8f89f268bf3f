//! The ledger in a `PostgreSQL` database, for many machines at once.
//!
//! The same rules as in SQLite; what differs is who may be at work at the same time. A row is locked while its claim is
//! looked at and changed (`SELECT … FOR UPDATE`, `PostgreSQL` 15 §13.3.2), leases go by the database's clock, and a
//! database that is away for a while is waited for. One database holds one ledger, in the schema `pinpress`.

mod bell;
mod claims;
mod jobs;
mod passfile;
mod pins;
mod pool;
mod queue;
mod rows;
mod schema;
mod server;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use pinpress_probe::Fingerprint;

pub use self::bell::Bell;
use self::jobs::Made;
use self::pool::{FIRST_PATIENCE, PATIENCE, Pool, Work};
use self::rows::{JOB_COLUMNS, PIN_COLUMNS};
use self::server::Failed;
pub use self::server::Server;
use super::claims::{Attempt, Begun, Claim, Claimant, Lease, PinAttempt, PinStep};
use super::columns::{self, path_bytes};
use super::model::{
    FileStamp, Job, JobId, JobKey, JobState, PinContent, PinKey, PinRecord, PinStatus, PinTiming, Step, StepOutcome,
};
use super::queue::{NewTask, Order, OrderId, Placed, QueueState, Task, TaskEnd};
use super::{Ledger, LedgerError, Reach};

/// A ledger in a `PostgreSQL` database.
pub struct PostgresLedger {
    pool: Pool,
}

impl std::fmt::Debug for PostgresLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PostgresLedger").field(self.pool.server()).finish()
    }
}

impl PostgresLedger {
    /// Opens the ledger on that server, making its tables where they are missing, and brings it up to date. Of many
    /// programs that do so at once one makes them.
    ///
    /// # Errors
    /// When the server cannot be reached within some seconds, refuses, or has a ledger of a newer pinpress.
    pub fn open(server: Server) -> Result<Self, LedgerError> {
        let pool = Pool::new(server);
        if !pool.transact(FIRST_PATIENCE, schema::is_current)? {
            pool.transact(FIRST_PATIENCE, schema::migrate)?.accepted(pool.server())?;
        }
        Ok(Self { pool })
    }

    /// Enters videos that are to be worked on. One that waits already waits by these terms from now on; one that was
    /// done or given up waits again. Who waits for videos hears of it.
    ///
    /// # Errors
    /// When the ledger cannot be written; then none is entered.
    pub fn place_order(&self, order: &Order, tasks: &[NewTask]) -> Result<Placed, LedgerError> {
        let terms = self.to_json("order", &order.terms)?;
        let task_terms = tasks.iter().map(|task| self.to_json("task", &task.terms)).collect::<Result<_, _>>()?;
        let entry = queue::Entry { order, terms, tasks, task_terms };
        self.with(|work| queue::place(work, &entry))
    }

    /// Outputs, relative to that folder, by sources, of all that was ever entered for it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn queued_outputs(&self, folder: &Path) -> Result<HashMap<PathBuf, PathBuf>, LedgerError> {
        self.with(|work| queue::outputs(work, folder))
    }

    /// The order of that row.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn order(&self, id: OrderId) -> Result<Order, LedgerError> {
        self.with(|work| queue::order(work, id))
    }

    /// Claims the video that waits longest, of one order or of all, for as long as the lease says; `None` when none may
    /// be begun. Nobody waits for others who claim. Should the answer be lost with the connection, the video waits
    /// until the lease is over.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn claim_next(&self, of: Option<OrderId>, lease: &Lease) -> Result<Option<Task>, LedgerError> {
        self.with(|work| queue::claim_next(work, of, lease))
    }

    /// Enters how an attempt ended, and ends its claim, which was made with that lease.
    ///
    /// # Errors
    /// When the ledger cannot be written; [`LedgerError::Superseded`] when a later claim was made.
    pub fn end_task(&self, task: &Task, end: &TaskEnd, lease: &Lease) -> Result<(), LedgerError> {
        self.fenced(task.fence, |work| queue::end(work, task, end, lease))
    }

    /// How the queue stands.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn queue(&self) -> Result<QueueState, LedgerError> {
        self.with(queue::state)
    }

    /// Hears of videos that are entered from now on.
    #[must_use]
    pub fn bell(&self) -> Bell {
        Bell::new(self.pool.server().clone(), self.pool.reach())
    }

    fn with<T>(&self, work: impl FnMut(&mut Work<'_>) -> Result<T, Failed>) -> Result<T, LedgerError> {
        self.pool.transact(PATIENCE, work)
    }

    /// A change that only the latest claim may make: it answers whether it was that.
    fn fenced(&self, fence: i64, change: impl FnMut(&mut Work<'_>) -> Result<bool, Failed>) -> Result<(), LedgerError> {
        if self.with(change)? { Ok(()) } else { Err(LedgerError::Superseded { fence }) }
    }

    fn to_json(&self, what: &'static str, value: &impl serde::Serialize) -> Result<String, LedgerError> {
        serde_json::to_string(value)
            .map_err(|error| Failed::Unreadable { what, value: error.to_string() }.error(self.pool.server()))
    }
}

/// Adds to the history.
fn note(
    work: &mut Work<'_>,
    (job, pin): (Option<i64>, Option<i64>),
    event: &str,
    detail: Option<&str>,
) -> Result<(), Failed> {
    work.change("INSERT INTO history (job, pin, event, detail) VALUES ($1, $2, $3, $4)", &[&job, &pin, &event, &detail])
        .map(drop)
}

impl Ledger for PostgresLedger {
    fn fingerprint(&self, path: &Path, stamp: FileStamp) -> Result<Option<Fingerprint>, LedgerError> {
        let text: Option<String> = self.with(|work| {
            let row = work.row(
                "SELECT fingerprint FROM files WHERE path = $1 AND len = $2 AND mtime_ns = $3 AND inode = $4",
                &[&path_bytes(path), &stamp.len.cast_signed(), &stamp.mtime_ns, &stamp.inode.cast_signed()],
            )?;
            Ok(row.map(|row| row.try_get(0)).transpose()?)
        })?;
        Ok(text.and_then(|text| columns::fingerprint(text).ok()))
    }

    fn remember(&self, path: &Path, stamp: FileStamp, fingerprint: &Fingerprint) -> Result<(), LedgerError> {
        self.with(|work| {
            work.change(
                "INSERT INTO files (path, len, mtime_ns, inode, fingerprint) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (path) DO UPDATE SET len = $2, mtime_ns = $3, inode = $4, fingerprint = $5",
                &[
                    &path_bytes(path),
                    &stamp.len.cast_signed(),
                    &stamp.mtime_ns,
                    &stamp.inode.cast_signed(),
                    &fingerprint.as_str(),
                ],
            )
            .map(drop)
        })
    }

    fn outputs(&self) -> Result<HashMap<PathBuf, PathBuf>, LedgerError> {
        self.with(|work| {
            // Of several jobs for one source the latest row wins.
            let rows = work.rows("SELECT source, output FROM jobs ORDER BY id", &[])?;
            rows.iter()
                .map(|row| Ok((columns::path(row.try_get(0)?), columns::path(row.try_get(1)?))))
                .collect::<Result<_, Failed>>()
        })
    }

    fn owns(&self, output: &Path) -> Result<bool, LedgerError> {
        self.with(|work| Ok(work.row("SELECT 1 FROM outputs WHERE output = $1", &[&path_bytes(output)])?.is_some()))
    }

    fn find(&self, key: &JobKey) -> Result<Option<Job>, LedgerError> {
        self.with(|work| jobs::by_key(work, key))
    }

    fn enroll(&self, key: &JobKey, source: &Path, output: &Path) -> Result<Job, LedgerError> {
        if let Some(job) = self.find(key)?
            && job.source == source
            && job.output == output
        {
            return Ok(job);
        }
        self.with(|work| jobs::enroll(work, key, source, output))
    }

    fn reopen(&self, job: JobId, state: JobState) -> Result<(), LedgerError> {
        self.with(|work| jobs::reopen(work, job, state))
    }

    fn begin(&self, job: JobId, step: Step, lease: &Lease) -> Result<Begun<Attempt>, LedgerError> {
        self.with(|work| jobs::begin(work, job, step, lease))
    }

    fn finish(&self, attempt: Attempt, outcome: &StepOutcome) -> Result<(), LedgerError> {
        let made = match outcome {
            StepOutcome::Fixed { plan, rendition } => Made {
                plan: Some(self.to_json("plan", plan)?),
                rendition: Some(self.to_json("rendition", rendition)?),
                rendition_fingerprint: Some(rendition.fingerprint.as_str().to_owned()),
                cover: None,
            },
            StepOutcome::Covered(cover) => Made { cover: Some(self.to_json("cover", cover)?), ..Made::default() },
            _ => Made::default(),
        };
        self.fenced(attempt.fence, |work| jobs::finish(work, attempt, outcome, &made))
    }

    fn renew(&self, claims: &[Claim], lease: &Lease) -> Result<Vec<Claim>, LedgerError> {
        // Who does not hear soon whether they are renewed has to count them as lost before they are over.
        let patience = (lease.length / 6).unsigned_abs();
        self.pool.transact(patience, |work| claims::renew(work, claims, lease))
    }

    fn expire(&self, claimant: Option<&Claimant>) -> Result<(), LedgerError> {
        self.with(|work| claims::expire(work, claimant.map(Claimant::as_str)))
    }

    fn reach(&self) -> Reach {
        self.pool.reach()
    }

    fn queue_state(&self) -> Result<Option<QueueState>, LedgerError> {
        self.queue().map(Some)
    }

    fn requeue(&self, sources: Option<&[PathBuf]>) -> Result<u64, LedgerError> {
        let sources: Option<Vec<_>> = sources.map(|sources| sources.iter().map(|source| path_bytes(source)).collect());
        self.with(|work| queue::requeue(work, sources.as_deref()))
    }

    fn set_unreadable(&self, job: JobId, reason: &str) -> Result<(), LedgerError> {
        self.with(|work| jobs::set_unreadable(work, job, reason))
    }

    fn pin(&self, key: &PinKey) -> Result<Option<PinRecord>, LedgerError> {
        self.with(|work| pins::find(work, key))
    }

    fn open_pin(&self, key: &PinKey, job: JobId) -> Result<PinRecord, LedgerError> {
        self.with(|work| pins::open(work, key, job))
    }

    fn plan_pin(
        &self,
        attempt: PinAttempt,
        job: JobId,
        content: &PinContent,
        timing: PinTiming,
    ) -> Result<(), LedgerError> {
        let content = self.to_json("content", content)?;
        self.fenced(attempt.fence, |work| pins::plan(work, attempt, job, &content, timing))
    }

    fn take_slot(&self, pin: i64, every: SignedDuration, now: Timestamp) -> Result<Timestamp, LedgerError> {
        self.with(|work| pins::take_slot(work, pin, every, now))
    }

    fn begin_pin(&self, pin: i64, step: PinStep, lease: &Lease) -> Result<Begun<PinAttempt>, LedgerError> {
        self.with(|work| pins::begin(work, pin, step, lease))
    }

    fn save_pin_state(&self, attempt: PinAttempt, state: &str, pin_id: Option<&str>) -> Result<(), LedgerError> {
        self.fenced(attempt.fence, |work| pins::save_state(work, attempt, state, pin_id))
    }

    fn finish_pin(&self, attempt: PinAttempt, status: PinStatus, reason: Option<&str>) -> Result<(), LedgerError> {
        self.fenced(attempt.fence, |work| pins::finish(work, attempt, status, reason))
    }

    fn release_pin(&self, attempt: PinAttempt) -> Result<(), LedgerError> {
        self.fenced(attempt.fence, |work| pins::release(work, attempt))
    }

    fn pin_row(&self, destination: &str, pin_id: &str) -> Result<Option<i64>, LedgerError> {
        self.with(|work| {
            let row =
                work.row("SELECT id FROM pins WHERE destination = $1 AND pin_id = $2", &[&destination, &pin_id])?;
            Ok(row.map(|row| row.try_get(0)).transpose()?)
        })
    }

    fn jobs(&self) -> Result<Vec<Job>, LedgerError> {
        self.with(|work| {
            let rows = work.rows(&format!("SELECT {JOB_COLUMNS} FROM jobs ORDER BY output, id"), &[])?;
            rows.iter().map(rows::job).collect()
        })
    }

    fn pins(&self) -> Result<Vec<PinRecord>, LedgerError> {
        self.with(|work| {
            let rows = work.rows(&format!("SELECT {PIN_COLUMNS} FROM pins ORDER BY id"), &[])?;
            rows.iter().map(rows::pin).collect()
        })
    }
}
