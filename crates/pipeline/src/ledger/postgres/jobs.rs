//! What changes a job.

use std::path::Path;

use super::pool::Work;
use super::rows::{self, JOB_COLUMNS, count, signed, state, text};
use super::server::Failed;
use super::{claims, note};
use crate::ledger::claims::{Attempt, Begun, Claimed, Lease};
use crate::ledger::columns::path_bytes;
use crate::ledger::model::{Job, JobId, JobKey, JobState, Step, StepOutcome};
use crate::ledger::rules::{self, Leave, Tried};

pub(super) fn by_key(work: &mut Work<'_>, key: &JobKey) -> Result<Option<Job>, Failed> {
    let sql = format!("SELECT {JOB_COLUMNS} FROM jobs WHERE fingerprint = $1 AND spec_hash = $2 AND options_hash = $3");
    let row = work.row(&sql, &[&key.fingerprint.as_str(), &key.spec_hash, &key.options_hash])?;
    row.map(|row| rows::job(&row)).transpose()
}

pub(super) fn enroll(work: &mut Work<'_>, key: &JobKey, source: &Path, output: &Path) -> Result<Job, Failed> {
    let (from, to) = (path_bytes(source), path_bytes(output));
    let inserted = work.change(
        "INSERT INTO jobs (fingerprint, spec_name, spec_version, spec_hash, options_hash, source, output, state, \
         attempts, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, clock_timestamp()) ON CONFLICT DO NOTHING",
        &[
            &key.fingerprint.as_str(),
            &key.spec_name,
            &key.spec_version,
            &key.spec_hash,
            &key.options_hash,
            &from,
            &to,
            &JobState::Checked.name(),
        ],
    )?;
    let job = by_key(work, key)?.ok_or(Failed::Missing("job"))?;
    let id = job.id.0;
    if inserted == 1 {
        note(work, (Some(id), None), "checked", None)?;
    } else if job.output == output {
        work.change("UPDATE jobs SET source = $2, changed_at = clock_timestamp() WHERE id = $1", &[&id, &from])?;
    } else {
        claims::revoke(work, Claimed::Job(job.id))?;
        work.change(
            "UPDATE jobs SET source = $2, output = $3, state = $4, attempts = 0, reason = NULL, plan = NULL, \
             rendition = NULL, rendition_fingerprint = NULL, cover = NULL, changed_at = clock_timestamp() \
             WHERE id = $1",
            &[&id, &from, &to, &JobState::Checked.name()],
        )?;
        note(work, (Some(id), None), "output moved", None)?;
    }
    by_key(work, key)?.ok_or(Failed::Missing("job"))
}

pub(super) fn begin(work: &mut Work<'_>, job: JobId, step: Step, lease: &Lease) -> Result<Begun<Attempt>, Failed> {
    let row = work.row(
        "SELECT state, attempts, reason, claim, claimed_by, lease_until, output, clock_timestamp() FROM jobs \
         WHERE id = $1 FOR UPDATE",
        &[&job.0],
    )?;
    let row = row.ok_or(Failed::Missing("job"))?;
    let (attempts, reason, claim) = (count(&row, 1)?, row.try_get(2)?, claims::standing(&row, 3)?);
    let tried = Tried { state: state(&row, 0)?, attempts, reason, claim };
    let by = lease.claimant.as_str();
    // Its answer was lost, and it was carried out.
    if work.again && tried.state == step.running() && tried.claim.by.as_deref() == Some(by) {
        return Ok(Begun::Attempt(Attempt { job, step, number: tried.attempts, fence: tried.claim.fence }));
    }
    let leave = tried.leave(step, rows::time(&row, 7)?);
    if let Leave::SetAside { reason } = &leave {
        let name = JobState::SetAside.name();
        work.change(
            "UPDATE jobs SET state = $2, reason = $3, changed_at = clock_timestamp() WHERE id = $1",
            &[&job.0, &name, reason],
        )?;
        note(work, (Some(job.0), None), name, None)?;
    }
    let number = match rules::refused(leave) {
        Ok(number) => number,
        Err(refused) => return Ok(refused),
    };
    let fence = claims::take(work, Claimed::Job(job), tried.claim.fence, lease)?;
    work.change(
        "UPDATE jobs SET state = $2, attempts = $3, changed_at = clock_timestamp() WHERE id = $1",
        &[&job.0, &step.running().name(), &signed(number)],
    )?;
    if step == Step::Fix {
        let output: &[u8] = row.try_get(6)?;
        work.change(
            "INSERT INTO outputs (output, job) VALUES ($1, $2) ON CONFLICT (output) DO UPDATE SET job = $2",
            &[&output, &job.0],
        )?;
    }
    note(work, (Some(job.0), None), step.running().name(), Some(&format!("attempt {number} by {by}")))?;
    Ok(Begun::Attempt(Attempt { job, step, number, fence }))
}

/// What a step has made, as JSON.
#[derive(Default)]
pub(super) struct Made {
    pub(super) plan: Option<String>,
    pub(super) rendition: Option<String>,
    pub(super) rendition_fingerprint: Option<String>,
    pub(super) cover: Option<String>,
}

/// False when a later claim was made.
pub(super) fn finish(
    work: &mut Work<'_>,
    attempt: Attempt,
    outcome: &StepOutcome,
    made: &Made,
) -> Result<bool, Failed> {
    if !claims::end(work, attempt.claim())? {
        return claims::was_ended(work, attempt.claim());
    }
    let id = attempt.job.0;
    let (state, attempts, reason) = rules::after_step(attempt, outcome);
    let reason = reason.map(text);
    work.change(
        "UPDATE jobs SET state = $2, attempts = $3, reason = $4, plan = coalesce($5, plan), \
         rendition = coalesce($6, rendition), rendition_fingerprint = coalesce($7, rendition_fingerprint), \
         cover = coalesce($8, cover), changed_at = clock_timestamp() WHERE id = $1",
        &[
            &id,
            &state.name(),
            &signed(attempts),
            &reason,
            &made.plan,
            &made.rendition,
            &made.rendition_fingerprint,
            &made.cover,
        ],
    )?;
    note(work, (Some(id), None), state.name(), reason.as_deref())?;
    if *outcome == StepOutcome::Blocked && attempt.step == Step::Fix {
        work.change("DELETE FROM outputs WHERE output = (SELECT output FROM jobs WHERE id = $1)", &[&id])?;
    }
    Ok(true)
}

pub(super) fn reopen(work: &mut Work<'_>, job: JobId, state: JobState) -> Result<(), Failed> {
    claims::revoke(work, Claimed::Job(job))?;
    work.change(
        "UPDATE jobs SET state = $2, attempts = 0, reason = NULL, changed_at = clock_timestamp() WHERE id = $1",
        &[&job.0, &state.name()],
    )?;
    note(work, (Some(job.0), None), "reopened", Some(state.name()))
}

pub(super) fn set_unreadable(work: &mut Work<'_>, job: JobId, reason: &str) -> Result<(), Failed> {
    claims::revoke(work, Claimed::Job(job))?;
    let reason = text(reason);
    work.change(
        "UPDATE jobs SET state = $2, reason = $3, changed_at = clock_timestamp() WHERE id = $1",
        &[&job.0, &JobState::Unreadable.name(), &reason],
    )?;
    note(work, (Some(job.0), None), JobState::Unreadable.name(), Some(&reason))
}
