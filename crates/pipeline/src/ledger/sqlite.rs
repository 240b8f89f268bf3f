//! The ledger in one SQLite file beside the outputs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pinpress_probe::Fingerprint;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::model::{
    Attempt, FileStamp, Job, JobId, JobKey, JobState, MAX_ATTEMPTS, MAX_CUT_OFF, PinContent, PinKey, PinRecord,
    PinStatus, PinTiming, Step, StepOutcome,
};
use super::rows::{self, JOB_COLUMNS, PIN_COLUMNS, path_bytes};
use super::{Ledger, LedgerError, schema, slots};

/// How long a statement waits for another process, `pinpress status` for one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A ledger in an SQLite file.
#[derive(Debug)]
pub struct SqliteLedger {
    connection: Mutex<Connection>,
    path: PathBuf,
}

impl SqliteLedger {
    /// Opens the ledger at `path`, making it and its folder where they are missing, and brings it up to date.
    ///
    /// # Errors
    /// When it belongs to a newer pinpress or to another program, is damaged, or cannot be opened.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| LedgerError::Io { source, path: path.to_owned() })?;
        }
        let error = |source| LedgerError::Database { source, path: path.to_owned() };
        let mut connection = Connection::open(path).map_err(error)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(error)?;
        // A newer or foreign file is refused before anything is written to it, the journal mode included.
        schema::migrate(&mut connection, path)?;
        // With WAL only `FULL` makes a commit survive a power cut, and a Pin's intent must.
        connection.pragma_update(None, "journal_mode", "WAL").map_err(error)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(error)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(error)?;
        Ok(Self { connection: Mutex::new(connection), path: path.to_owned() })
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

    fn error(&self, source: rusqlite::Error) -> LedgerError {
        LedgerError::Database { source, path: self.path.clone() }
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

fn job_by_key(connection: &Connection, key: &JobKey) -> rusqlite::Result<Option<Job>> {
    connection
        .prepare_cached(&format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE fingerprint = ?1 AND spec_hash = ?2 AND options_hash = ?3"
        ))?
        .query_row(params![key.fingerprint.as_str(), key.spec_hash, key.options_hash], rows::job)
        .optional()
}

fn pin_by_key(connection: &Connection, key: &PinKey) -> rusqlite::Result<Option<PinRecord>> {
    connection
        .prepare_cached(&format!(
            "SELECT {PIN_COLUMNS} FROM pins WHERE destination = ?1 AND fingerprint = ?2 AND board = ?3"
        ))?
        .query_row(params![key.destination, key.fingerprint.as_str(), key.board], rows::pin)
        .optional()
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
        Ok(text.and_then(|text| rows::fingerprint(text).ok()))
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
            let pairs = statement.query_map([], |row| Ok((rows::path(row.get(0)?), rows::path(row.get(1)?))))?;
            pairs.collect()
        })
    }

    fn owns(&self, output: &Path) -> Result<bool, LedgerError> {
        self.read(|connection| {
            connection.prepare_cached("SELECT 1 FROM outputs WHERE output = ?1")?.exists([path_bytes(output)])
        })
    }

    fn find(&self, key: &JobKey) -> Result<Option<Job>, LedgerError> {
        self.read(|connection| job_by_key(connection, key))
    }

    fn enroll(&self, key: &JobKey, source: &Path, output: &Path) -> Result<Job, LedgerError> {
        if let Some(job) = self.find(key)?
            && job.source == source
            && job.output == output
        {
            return Ok(job);
        }
        self.write(|transaction| {
            let inserted = transaction
                .prepare_cached(
                    "INSERT INTO jobs (fingerprint, spec_name, spec_version, spec_hash, options_hash, source, output, \
                     state, attempts, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9) \
                     ON CONFLICT DO NOTHING",
                )?
                .execute(params![
                    key.fingerprint.as_str(),
                    key.spec_name,
                    key.spec_version,
                    key.spec_hash,
                    key.options_hash,
                    path_bytes(source),
                    path_bytes(output),
                    JobState::Checked.name(),
                    now()
                ])?;
            let job = job_by_key(transaction, key)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            if inserted == 1 {
                note(transaction, (Some(job.id.0), None), "checked", None)?;
            } else if job.output == output {
                transaction.execute(
                    "UPDATE jobs SET source = ?2, changed_at = ?3 WHERE id = ?1",
                    params![job.id.0, path_bytes(source), now()],
                )?;
            } else {
                transaction.execute(
                    "UPDATE jobs SET source = ?2, output = ?3, state = ?4, attempts = 0, reason = NULL, plan = NULL, \
                     rendition = NULL, cover = NULL, changed_at = ?5 WHERE id = ?1",
                    params![job.id.0, path_bytes(source), path_bytes(output), JobState::Checked.name(), now()],
                )?;
                note(transaction, (Some(job.id.0), None), "output moved", None)?;
            }
            job_by_key(transaction, key)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
        })
    }

    fn reopen(&self, job: JobId, state: JobState) -> Result<(), LedgerError> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE jobs SET state = ?2, attempts = 0, reason = NULL, changed_at = ?3 WHERE id = ?1",
                params![job.0, state.name(), now()],
            )?;
            note(transaction, (Some(job.0), None), "reopened", Some(state.name()))
        })
    }

    fn begin(&self, job: JobId, step: Step) -> Result<Option<Attempt>, LedgerError> {
        self.write(|transaction| {
            let (state, attempts, output): (String, u32, Vec<u8>) =
                transaction.query_row("SELECT state, attempts, output FROM jobs WHERE id = ?1", [job.0], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?;
            // A step that is entered as running was cut off: its attempt counts, or a video that kills the machine
            // would kill it again at every start.
            let attempts = if state == step.running().name() || state == step.before().name() { attempts } else { 0 };
            let most = if state == step.running().name() { MAX_CUT_OFF } else { MAX_ATTEMPTS };
            if attempts >= most {
                transaction.execute(
                    "UPDATE jobs SET state = ?2, reason = coalesce(reason, ?3), changed_at = ?4 WHERE id = ?1",
                    params![job.0, JobState::SetAside.name(), "it never came to an end", now()],
                )?;
                note(transaction, (Some(job.0), None), JobState::SetAside.name(), None)?;
                return Ok(None);
            }
            let number = attempts + 1;
            transaction.execute(
                "UPDATE jobs SET state = ?2, attempts = ?3, changed_at = ?4 WHERE id = ?1",
                params![job.0, step.running().name(), number, now()],
            )?;
            if step == Step::Fix {
                transaction
                    .execute("INSERT OR REPLACE INTO outputs (output, job) VALUES (?1, ?2)", params![output, job.0])?;
            }
            note(transaction, (Some(job.0), None), step.running().name(), Some(&format!("attempt {number}")))?;
            Ok(Some(Attempt { job, step, number }))
        })
    }

    fn finish(&self, attempt: Attempt, outcome: &StepOutcome) -> Result<(), LedgerError> {
        let (plan, rendition, cover) = match outcome {
            StepOutcome::Fixed { plan, rendition } => {
                (Some(self.to_json("plan", plan)?), Some(self.to_json("rendition", rendition)?), None)
            }
            StepOutcome::Covered(cover) => (None, None, Some(self.to_json("cover", cover)?)),
            _ => (None, None, None),
        };
        let number = attempt.number;
        let (state, attempts, reason) = match outcome {
            StepOutcome::Fixed { .. } => (JobState::Fixed, 0, None),
            StepOutcome::Covered(_) => (JobState::Covered, 0, None),
            StepOutcome::Impossible(reason) => (JobState::Failed, number, Some(reason.as_str())),
            StepOutcome::Failed(reason) if number >= MAX_ATTEMPTS => {
                (JobState::SetAside, number, Some(reason.as_str()))
            }
            StepOutcome::Failed(reason) => (attempt.step.before(), number, Some(reason.as_str())),
            StepOutcome::Released | StepOutcome::Blocked => (attempt.step.before(), number - 1, None),
        };
        let changed = self.write(|transaction| {
            let changed = transaction
                .prepare_cached(
                    "UPDATE jobs SET state = ?4, attempts = ?5, reason = ?6, plan = coalesce(?7, plan), \
                     rendition = coalesce(?8, rendition), cover = coalesce(?9, cover), changed_at = ?10 \
                     WHERE id = ?1 AND state = ?2 AND attempts = ?3",
                )?
                .execute(params![
                    attempt.job.0,
                    attempt.step.running().name(),
                    number,
                    state.name(),
                    attempts,
                    reason,
                    plan,
                    rendition,
                    cover,
                    now()
                ])?;
            if changed == 1 {
                note(transaction, (Some(attempt.job.0), None), state.name(), reason)?;
                if *outcome == StepOutcome::Blocked && attempt.step == Step::Fix {
                    let output = "SELECT output FROM jobs WHERE id = ?1";
                    let disown = format!("DELETE FROM outputs WHERE output = ({output})");
                    transaction.execute(&disown, [attempt.job.0])?;
                }
            }
            Ok(changed)
        })?;
        if changed == 1 { Ok(()) } else { Err(LedgerError::Superseded { number }) }
    }

    fn set_unreadable(&self, job: JobId, reason: &str) -> Result<(), LedgerError> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE jobs SET state = ?2, reason = ?3, changed_at = ?4 WHERE id = ?1",
                params![job.0, JobState::Unreadable.name(), reason, now()],
            )?;
            note(transaction, (Some(job.0), None), JobState::Unreadable.name(), Some(reason))
        })
    }

    fn pin(&self, key: &PinKey) -> Result<Option<PinRecord>, LedgerError> {
        self.read(|connection| {
            if let Some(pin) = pin_by_key(connection, key)? {
                return Ok(Some(pin));
            }
            connection
                .prepare_cached(&format!(
                    "SELECT {} FROM pins JOIN jobs ON jobs.id = pins.job WHERE pins.destination = ?1 AND \
                     pins.board = ?2 AND json_extract(jobs.rendition, '$.fingerprint') = ?3 LIMIT 1",
                    PIN_COLUMNS.split(", ").map(|column| format!("pins.{column}")).collect::<Vec<_>>().join(", ")
                ))?
                .query_row(params![key.destination, key.board, key.fingerprint.as_str()], rows::pin)
                .optional()
        })
    }

    fn open_pin(&self, key: &PinKey, job: JobId) -> Result<PinRecord, LedgerError> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO pins (destination, fingerprint, board, job, status, attempts, begun_at, changed_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?6) ON CONFLICT DO NOTHING",
                params![key.destination, key.fingerprint.as_str(), key.board, job.0, PinStatus::Waiting.name(), now()],
            )?;
            pin_by_key(transaction, key)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
        })
    }

    fn plan_pin(&self, pin: i64, job: JobId, content: &PinContent, timing: PinTiming) -> Result<(), LedgerError> {
        let content = self.to_json("content", content)?;
        let publish_at = timing.publish_at.map(|at| at.to_string());
        let every = timing.every.map(|every| every.as_secs());
        self.write(|transaction| {
            // Without a distance to keep there is no place among others.
            transaction.execute(
                "UPDATE pins SET job = ?2, content = ?3, publish_at = ?4, every_s = ?5, \
                 slot_at = CASE WHEN ?5 IS NULL THEN NULL ELSE slot_at END WHERE id = ?1",
                params![pin, job.0, content, publish_at, every],
            )?;
            note(transaction, (Some(job.0), Some(pin)), "planned", Some(&content))
        })
    }

    fn take_slot(&self, pin: i64, every: SignedDuration, now: Timestamp) -> Result<Timestamp, LedgerError> {
        self.write(|transaction| {
            let own = transaction
                .prepare_cached(&format!("SELECT {PIN_COLUMNS} FROM pins WHERE id = ?1"))?
                .query_row([pin], rows::pin)?;
            let slot = match own.slot.filter(|slot| *slot > now) {
                Some(slot) => slot,
                None => {
                    let mut others = transaction.prepare_cached(
                        "SELECT status, slot_at, published_at FROM pins WHERE destination = ?1 AND id <> ?2 \
                         AND (slot_at IS NOT NULL OR published_at IS NOT NULL)",
                    )?;
                    let others = others.query_map(params![own.key.destination, pin], rows::place)?;
                    slots::next(own.slot, &others.collect::<Result<Vec<_>, _>>()?, every, now)
                }
            };
            if own.slot != Some(slot) {
                transaction.execute("UPDATE pins SET slot_at = ?2 WHERE id = ?1", params![pin, slot.to_string()])?;
                note(transaction, (None, Some(pin)), "slot", Some(&slot.to_string()))?;
            }
            Ok(slot)
        })
    }

    fn begin_pin(&self, pin: i64) -> Result<bool, LedgerError> {
        self.write(|transaction| {
            let attempts: u32 =
                transaction.query_row("SELECT attempts FROM pins WHERE id = ?1", [pin], |row| row.get(0))?;
            let (status, next) = if attempts >= MAX_ATTEMPTS {
                (PinStatus::SetAside, attempts)
            } else {
                (PinStatus::Publishing, attempts + 1)
            };
            transaction.execute(
                "UPDATE pins SET status = ?2, attempts = ?3, changed_at = ?4 WHERE id = ?1",
                params![pin, status.name(), next, now()],
            )?;
            note(transaction, (None, Some(pin)), status.name(), Some(&format!("attempt {next}")))?;
            Ok(status == PinStatus::Publishing)
        })
    }

    fn save_pin_state(&self, pin: i64, state: &str, pin_id: Option<&str>) -> Result<(), LedgerError> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE pins SET state = ?2, pin_id = ?3, changed_at = ?4, \
                 published_at = CASE WHEN ?3 IS NULL THEN NULL ELSE coalesce(published_at, ?4) END, \
                 status = CASE WHEN ?3 IS NULL THEN status ELSE ?5 END WHERE id = ?1",
                params![pin, state, pin_id, now(), PinStatus::Published.name()],
            )?;
            note(transaction, (None, Some(pin)), "state", Some(state))
        })
    }

    fn pin_row(&self, destination: &str, pin_id: &str) -> Result<Option<i64>, LedgerError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT id FROM pins WHERE destination = ?1 AND pin_id = ?2")?
                .query_row([destination, pin_id], |row| row.get(0))
                .optional()
        })
    }

    fn set_pin_status(&self, pin: i64, status: PinStatus, reason: Option<&str>) -> Result<(), LedgerError> {
        self.write(|transaction| {
            // What succeeded has used up no attempts, and neither has what was stopped before its end.
            let attempts = match status {
                PinStatus::Published | PinStatus::Waiting => "0",
                _ => "attempts",
            };
            transaction.execute(
                &format!(
                    "UPDATE pins SET status = ?2, reason = ?3, changed_at = ?4, attempts = {attempts} WHERE id = ?1"
                ),
                params![pin, status.name(), reason, now()],
            )?;
            note(transaction, (None, Some(pin)), status.name(), reason)
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
