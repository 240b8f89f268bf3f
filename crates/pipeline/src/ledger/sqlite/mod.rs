//! The ledger in one SQLite file beside the outputs.

mod claims;
pub(super) mod file;
mod filesystem;
mod jobs;
mod pins;
mod rows;
mod schema;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pinpress_probe::Fingerprint;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use self::jobs::Made;
use self::rows::{JOB_COLUMNS, PIN_COLUMNS};
use super::claims::{Attempt, Begun, Claim, Claimant, Lease, PinAttempt, PinStep};
use super::columns::{self, path_bytes};
use super::model::{
    FileStamp, Job, JobId, JobKey, JobState, PinContent, PinKey, PinRecord, PinStatus, PinTiming, Step, StepOutcome,
};
use super::{Ledger, LedgerError};
use crate::clock::{Clock, SystemClock};

/// How long a statement waits for another process, `pinpress status` for one.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A ledger in an SQLite file.
#[derive(Debug)]
pub struct SqliteLedger {
    connection: Mutex<Connection>,
    path: PathBuf,
    /// Says which leases are over.
    clock: Arc<dyn Clock>,
}

impl SqliteLedger {
    /// Opens the ledger at `path`, making it and its folder where they are missing, and brings it up to date.
    ///
    /// # Errors
    /// When it belongs to a newer pinpress or to another program, is damaged, would be on a network filesystem, or
    /// cannot be opened.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let error = |source| file::database(source, path);
        let connection = file::open(path)?;
        // With WAL only `FULL` makes a commit survive a power cut, and a Pin's intent must.
        connection.pragma_update(None, "journal_mode", "WAL").map_err(error)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(error)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(error)?;
        Ok(Self { connection: Mutex::new(connection), path: path.to_owned(), clock: Arc::new(SystemClock) })
    }

    /// The same ledger, whose leases end by another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // Every change is a transaction: a thread that died has left nothing half done.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        query(&self.connection()).map_err(|source| self.error(source))
    }

    fn write<T>(&self, change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, LedgerError> {
        let mut connection = self.connection();
        let run = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = change(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run().map_err(|source| self.error(source))
    }

    /// A change that only the latest claim may make: it answers whether it was that.
    fn fenced(
        &self,
        fence: i64,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<bool>,
    ) -> Result<(), LedgerError> {
        if self.write(change)? { Ok(()) } else { Err(LedgerError::Superseded { fence }) }
    }

    /// Who claims, when, and until when.
    fn term<'a>(&self, lease: &'a Lease) -> (&'a str, Timestamp, Timestamp) {
        let now = self.clock.now();
        let until = now.checked_add(lease.length).unwrap_or(Timestamp::MAX);
        (lease.claimant.as_str(), now, until)
    }

    fn error(&self, source: rusqlite::Error) -> LedgerError {
        file::database(source, &self.path)
    }

    fn to_json(&self, what: &'static str, value: &impl serde::Serialize) -> Result<String, LedgerError> {
        serde_json::to_string(value).map_err(|error| LedgerError::Unreadable {
            what,
            value: error.to_string(),
            path: self.path.clone(),
        })
    }
}

fn now() -> String {
    Timestamp::now().to_string()
}

fn note(
    transaction: &Transaction<'_>,
    (job, pin): (Option<i64>, Option<i64>),
    event: &str,
    detail: Option<&str>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT INTO history (at, job, pin, event, detail) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![now(), job, pin, event, detail])
        .map(drop)
}

impl Ledger for SqliteLedger {
    fn fingerprint(&self, path: &Path, stamp: FileStamp) -> Result<Option<Fingerprint>, LedgerError> {
        let text: Option<String> = self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT fingerprint FROM files WHERE path = ?1 AND len = ?2 AND mtime_ns = ?3 AND inode = ?4",
                )?
                .query_row(
                    params![path_bytes(path), stamp.len.cast_signed(), stamp.mtime_ns, stamp.inode.cast_signed()],
                    |row| row.get(0),
                )
                .optional()
        })?;
        Ok(text.and_then(|text| columns::fingerprint(text).ok()))
    }

    fn remember(&self, path: &Path, stamp: FileStamp, fingerprint: &Fingerprint) -> Result<(), LedgerError> {
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO files (path, len, mtime_ns, inode, fingerprint) \
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    path_bytes(path),
                    stamp.len.cast_signed(),
                    stamp.mtime_ns,
                    stamp.inode.cast_signed(),
                    fingerprint.as_str()
                ])
                .map(drop)
        })
    }

    fn outputs(&self) -> Result<HashMap<PathBuf, PathBuf>, LedgerError> {
        self.read(|connection| {
            // Of several jobs for one source the latest row wins.
            let mut statement = connection.prepare("SELECT source, output FROM jobs ORDER BY id")?;
            let pairs = statement.query_map([], |row| Ok((columns::path(row.get(0)?), columns::path(row.get(1)?))))?;
            pairs.collect()
        })
    }

    fn owns(&self, output: &Path) -> Result<bool, LedgerError> {
        self.read(|connection| {
            connection.prepare_cached("SELECT 1 FROM outputs WHERE output = ?1")?.exists([path_bytes(output)])
        })
    }

    fn find(&self, key: &JobKey) -> Result<Option<Job>, LedgerError> {
        self.read(|connection| jobs::by_key(connection, key))
    }

    fn enroll(&self, key: &JobKey, source: &Path, output: &Path) -> Result<Job, LedgerError> {
        if let Some(job) = self.find(key)?
            && job.source == source
            && job.output == output
        {
            return Ok(job);
        }
        self.write(|transaction| jobs::enroll(transaction, key, source, output))
    }

    fn reopen(&self, job: JobId, state: JobState) -> Result<(), LedgerError> {
        self.write(|transaction| jobs::reopen(transaction, job, state))
    }

    fn begin(&self, job: JobId, step: Step, lease: &Lease) -> Result<Begun<Attempt>, LedgerError> {
        self.write(|transaction| jobs::begin(transaction, job, step, self.term(lease)))
    }

    fn finish(&self, attempt: Attempt, outcome: &StepOutcome) -> Result<(), LedgerError> {
        let made = match outcome {
            StepOutcome::Fixed { plan, rendition } => Made {
                plan: Some(self.to_json("plan", plan)?),
                rendition: Some(self.to_json("rendition", rendition)?),
                cover: None,
            },
            StepOutcome::Covered(cover) => Made { cover: Some(self.to_json("cover", cover)?), ..Made::default() },
            _ => Made::default(),
        };
        self.fenced(attempt.fence, |transaction| jobs::finish(transaction, attempt, outcome, &made))
    }

    fn renew(&self, claims: &[Claim], lease: &Lease) -> Result<Vec<Claim>, LedgerError> {
        let (by, _, until) = self.term(lease);
        self.write(|transaction| claims::renew(transaction, claims, (by, until)))
    }

    fn expire(&self, claimant: Option<&Claimant>) -> Result<(), LedgerError> {
        self.write(|transaction| claims::expire(transaction, claimant.map(Claimant::as_str)))
    }

    fn keep_copy(&self) -> Result<(), LedgerError> {
        let connection = self.connection();
        if connection.total_changes() == 0 { Ok(()) } else { file::keep_copy(&connection, &self.path) }
    }

    fn set_unreadable(&self, job: JobId, reason: &str) -> Result<(), LedgerError> {
        self.write(|transaction| jobs::set_unreadable(transaction, job, reason))
    }

    fn pin(&self, key: &PinKey) -> Result<Option<PinRecord>, LedgerError> {
        self.read(|connection| pins::find(connection, key))
    }

    fn open_pin(&self, key: &PinKey, job: JobId) -> Result<PinRecord, LedgerError> {
        self.write(|transaction| pins::open(transaction, key, job))
    }

    fn plan_pin(
        &self,
        attempt: PinAttempt,
        job: JobId,
        content: &PinContent,
        timing: PinTiming,
    ) -> Result<(), LedgerError> {
        let content = self.to_json("content", content)?;
        self.fenced(attempt.fence, |transaction| pins::plan(transaction, attempt, job, &content, timing))
    }

    fn take_slot(&self, pin: i64, every: SignedDuration, now: Timestamp) -> Result<Timestamp, LedgerError> {
        self.write(|transaction| pins::take_slot(transaction, pin, every, now))
    }

    fn begin_pin(&self, pin: i64, step: PinStep, lease: &Lease) -> Result<Begun<PinAttempt>, LedgerError> {
        self.write(|transaction| pins::begin(transaction, pin, step, self.term(lease)))
    }

    fn save_pin_state(&self, attempt: PinAttempt, state: &str, pin_id: Option<&str>) -> Result<(), LedgerError> {
        self.fenced(attempt.fence, |transaction| pins::save_state(transaction, attempt, state, pin_id))
    }

    fn finish_pin(&self, attempt: PinAttempt, status: PinStatus, reason: Option<&str>) -> Result<(), LedgerError> {
        self.fenced(attempt.fence, |transaction| pins::finish(transaction, attempt, status, reason))
    }

    fn release_pin(&self, attempt: PinAttempt) -> Result<(), LedgerError> {
        self.fenced(attempt.fence, |transaction| pins::release(transaction, attempt))
    }

    fn pin_row(&self, destination: &str, pin_id: &str) -> Result<Option<i64>, LedgerError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT id FROM pins WHERE destination = ?1 AND pin_id = ?2")?
                .query_row([destination, pin_id], |row| row.get(0))
                .optional()
        })
    }

    fn jobs(&self) -> Result<Vec<Job>, LedgerError> {
        self.read(|connection| {
            let mut statement = connection.prepare(&format!("SELECT {JOB_COLUMNS} FROM jobs ORDER BY output, id"))?;
            statement.query_map([], rows::job)?.collect()
        })
    }

    fn pins(&self) -> Result<Vec<PinRecord>, LedgerError> {
        self.read(|connection| {
            let mut statement = connection.prepare(&format!("SELECT {PIN_COLUMNS} FROM pins ORDER BY id"))?;
            statement.query_map([], rows::pin)?.collect()
        })
    }
}
