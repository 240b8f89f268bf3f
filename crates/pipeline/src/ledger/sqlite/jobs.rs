//! What changes a job.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::rows::{self, JOB_COLUMNS};
use super::{claims, note, now};
use crate::ledger::claims::{Attempt, Begun, Claimed};
use crate::ledger::columns::path_bytes;
use crate::ledger::model::{Job, JobId, JobKey, JobState, Step, StepOutcome};
use crate::ledger::rules::{self, Leave, Tried};

pub(super) fn by_key(connection: &Connection, key: &JobKey) -> rusqlite::Result<Option<Job>> {
    connection
        .prepare_cached(&format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE fingerprint = ?1 AND spec_hash = ?2 AND options_hash = ?3"
        ))?
        .query_row(params![key.fingerprint.as_str(), key.spec_hash, key.options_hash], rows::job)
        .optional()
}

pub(super) fn enroll(
    transaction: &Transaction<'_>,
    key: &JobKey,
    source: &Path,
    output: &Path,
) -> rusqlite::Result<Job> {
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
    let job = by_key(transaction, key)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    if inserted == 1 {
        note(transaction, (Some(job.id.0), None), "checked", None)?;
    } else if job.output == output {
        transaction.execute(
            "UPDATE jobs SET source = ?2, changed_at = ?3 WHERE id = ?1",
            params![job.id.0, path_bytes(source), now()],
        )?;
    } else {
        claims::revoke(transaction, Claimed::Job(job.id))?;
        transaction.execute(
            "UPDATE jobs SET source = ?2, output = ?3, state = ?4, attempts = 0, reason = NULL, plan = NULL, \
             rendition = NULL, cover = NULL, changed_at = ?5 WHERE id = ?1",
            params![job.id.0, path_bytes(source), path_bytes(output), JobState::Checked.name(), now()],
        )?;
        note(transaction, (Some(job.id.0), None), "output moved", None)?;
    }
    by_key(transaction, key)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

pub(super) fn begin(
    transaction: &Transaction<'_>,
    job: JobId,
    step: Step,
    (by, at, until): (&str, Timestamp, Timestamp),
) -> rusqlite::Result<Begun<Attempt>> {
    let (tried, output) = transaction
        .prepare_cached(
            "SELECT state, attempts, reason, claim, claimed_by, lease_until, output FROM jobs WHERE id = ?1",
        )?
        .query_row([job.0], |row| {
            let (attempts, reason, claim) = (row.get(1)?, row.get(2)?, claims::standing(row, 3)?);
            Ok((Tried { state: rows::state(row, 0)?, attempts, reason, claim }, row.get::<_, Vec<u8>>(6)?))
        })?;
    let leave = tried.leave(step, at);
    if let Leave::SetAside { reason } = &leave {
        transaction.execute(
            "UPDATE jobs SET state = ?2, reason = ?3, changed_at = ?4 WHERE id = ?1",
            params![job.0, JobState::SetAside.name(), reason, now()],
        )?;
        note(transaction, (Some(job.0), None), JobState::SetAside.name(), None)?;
    }
    let number = match rules::refused(leave) {
        Ok(number) => number,
        Err(refused) => return Ok(refused),
    };
    let fence = claims::take(transaction, Claimed::Job(job), tried.claim.fence, (by, until))?;
    transaction.execute(
        "UPDATE jobs SET state = ?2, attempts = ?3, changed_at = ?4 WHERE id = ?1",
        params![job.0, step.running().name(), number, now()],
    )?;
    if step == Step::Fix {
        transaction.execute("INSERT OR REPLACE INTO outputs (output, job) VALUES (?1, ?2)", params![output, job.0])?;
    }
    note(transaction, (Some(job.0), None), step.running().name(), Some(&format!("attempt {number} by {by}")))?;
    Ok(Begun::Attempt(Attempt { job, step, number, fence }))
}

/// What a step has made, as JSON.
#[derive(Default)]
pub(super) struct Made {
    pub(super) plan: Option<String>,
    pub(super) rendition: Option<String>,
    pub(super) cover: Option<String>,
}

/// False when a later claim was made.
pub(super) fn finish(
    transaction: &Transaction<'_>,
    attempt: Attempt,
    outcome: &StepOutcome,
    made: &Made,
) -> rusqlite::Result<bool> {
    if !claims::end(transaction, attempt.claim())? {
        return Ok(false);
    }
    let (state, attempts, reason) = rules::after_step(attempt, outcome);
    transaction
        .prepare_cached(
            "UPDATE jobs SET state = ?2, attempts = ?3, reason = ?4, plan = coalesce(?5, plan), \
             rendition = coalesce(?6, rendition), cover = coalesce(?7, cover), changed_at = ?8 WHERE id = ?1",
        )?
        .execute(params![
            attempt.job.0,
            state.name(),
            attempts,
            reason,
            made.plan,
            made.rendition,
            made.cover,
            now()
        ])?;
    note(transaction, (Some(attempt.job.0), None), state.name(), reason)?;
    if *outcome == StepOutcome::Blocked && attempt.step == Step::Fix {
        let disown = "DELETE FROM outputs WHERE output = (SELECT output FROM jobs WHERE id = ?1)";
        transaction.execute(disown, [attempt.job.0])?;
    }
    Ok(true)
}

pub(super) fn reopen(transaction: &Transaction<'_>, job: JobId, state: JobState) -> rusqlite::Result<()> {
    claims::revoke(transaction, Claimed::Job(job))?;
    transaction.execute(
        "UPDATE jobs SET state = ?2, attempts = 0, reason = NULL, changed_at = ?3 WHERE id = ?1",
        params![job.0, state.name(), now()],
    )?;
    note(transaction, (Some(job.0), None), "reopened", Some(state.name()))
}

pub(super) fn set_unreadable(transaction: &Transaction<'_>, job: JobId, reason: &str) -> rusqlite::Result<()> {
    claims::revoke(transaction, Claimed::Job(job))?;
    transaction.execute(
        "UPDATE jobs SET state = ?2, reason = ?3, changed_at = ?4 WHERE id = ?1",
        params![job.0, JobState::Unreadable.name(), reason, now()],
    )?;
    note(transaction, (Some(job.0), None), JobState::Unreadable.name(), Some(reason))
}
