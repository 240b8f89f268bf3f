//! What changes a Pin.

use jiff::{SignedDuration, Timestamp};

use super::pool::Work;
use super::rows::{self, PIN_COLUMNS, count, signed, status, text};
use super::server::Failed;
use super::{claims, note};
use crate::ledger::claims::{Begun, Claimed, Lease, PinAttempt, PinStep};
use crate::ledger::model::{JobId, PinKey, PinRecord, PinStatus, PinTiming};
use crate::ledger::rules::{self, Leave, Tried};
use crate::ledger::slots;

fn by_key(work: &mut Work<'_>, key: &PinKey) -> Result<Option<PinRecord>, Failed> {
    let sql = format!("SELECT {PIN_COLUMNS} FROM pins WHERE destination = $1 AND fingerprint = $2 AND board = $3");
    let row = work.row(&sql, &[&key.destination, &key.fingerprint.as_str(), &key.board])?;
    row.map(|row| rows::pin(&row)).transpose()
}

pub(super) fn find(work: &mut Work<'_>, key: &PinKey) -> Result<Option<PinRecord>, Failed> {
    if let Some(pin) = by_key(work, key)? {
        return Ok(Some(pin));
    }
    let sql = format!(
        "SELECT {PIN_COLUMNS} FROM pins JOIN jobs ON jobs.id = pins.job WHERE pins.destination = $1 AND \
         pins.board = $2 AND jobs.rendition_fingerprint = $3 ORDER BY pins.id LIMIT 1"
    );
    let row = work.row(&sql, &[&key.destination, &key.board, &key.fingerprint.as_str()])?;
    row.map(|row| rows::pin(&row)).transpose()
}

pub(super) fn open(work: &mut Work<'_>, key: &PinKey, job: JobId) -> Result<PinRecord, Failed> {
    work.change(
        "INSERT INTO pins (destination, fingerprint, board, job, status, attempts, begun_at, changed_at) \
         VALUES ($1, $2, $3, $4, $5, 0, clock_timestamp(), clock_timestamp()) ON CONFLICT DO NOTHING",
        &[&key.destination, &key.fingerprint.as_str(), &key.board, &job.0, &PinStatus::Waiting.name()],
    )?;
    by_key(work, key)?.ok_or(Failed::Missing("Pin"))
}

/// False when a later claim was made.
pub(super) fn plan(
    work: &mut Work<'_>,
    attempt: PinAttempt,
    job: JobId,
    content: &str,
    timing: PinTiming,
) -> Result<bool, Failed> {
    if !claims::lasts(work, attempt.claim())? {
        return Ok(false);
    }
    let publish_at = timing.publish_at.map(rows::system_time);
    let every = timing.every.map(|every| every.as_secs());
    // Without a distance to keep there is no place among others.
    work.change(
        "UPDATE pins SET job = $2, content = $3, publish_at = $4, every_s = $5, \
         slot_at = CASE WHEN $5::bigint IS NULL THEN NULL ELSE slot_at END WHERE id = $1",
        &[&attempt.pin, &job.0, &content, &publish_at, &every],
    )?;
    note(work, (Some(job.0), Some(attempt.pin)), "planned", Some(content))?;
    Ok(true)
}

pub(super) fn take_slot(
    work: &mut Work<'_>,
    pin: i64,
    every: SignedDuration,
    now: Timestamp,
) -> Result<Timestamp, Failed> {
    let sql = format!("SELECT {PIN_COLUMNS} FROM pins WHERE id = $1");
    let own = work.row(&sql, &[&pin])?.ok_or(Failed::Missing("Pin"))?;
    let destination = rows::pin(&own)?.key.destination;
    // Places are given one after the other, whoever asks.
    work.change("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", &[&destination])?;
    let own = rows::pin(&work.row(&sql, &[&pin])?.ok_or(Failed::Missing("Pin"))?)?;
    let slot = match own.slot.filter(|slot| *slot > now) {
        Some(slot) => slot,
        None => {
            let others = work.rows(
                "SELECT status, slot_at, published_at FROM pins WHERE destination = $1 AND id <> $2 \
                 AND (slot_at IS NOT NULL OR published_at IS NOT NULL)",
                &[&destination, &pin],
            )?;
            let others = others.iter().map(rows::place).collect::<Result<Vec<_>, _>>()?;
            whole_microseconds(slots::next(own.slot, &others, every, now))
        }
    };
    if own.slot != Some(slot) {
        work.change("UPDATE pins SET slot_at = $2 WHERE id = $1", &[&pin, &rows::system_time(slot)])?;
        note(work, (None, Some(pin)), "slot", Some(&slot.to_string()))?;
    }
    Ok(slot)
}

/// The same time, not before it, as the database can keep it.
fn whole_microseconds(time: Timestamp) -> Timestamp {
    let kept = time.as_microsecond() + i64::from(time.as_nanosecond() % 1_000 != 0);
    Timestamp::from_microsecond(kept).unwrap_or(time)
}

pub(super) fn begin(work: &mut Work<'_>, pin: i64, step: PinStep, lease: &Lease) -> Result<Begun<PinAttempt>, Failed> {
    let row = work.row(
        "SELECT status, attempts, reason, claim, claimed_by, lease_until, before, clock_timestamp() FROM pins \
         WHERE id = $1 FOR UPDATE",
        &[&pin],
    )?;
    let row = row.ok_or(Failed::Missing("Pin"))?;
    let (attempts, reason, claim) = (count(&row, 1)?, row.try_get(2)?, claims::standing(&row, 3)?);
    let tried = Tried { state: status(&row, 0)?, attempts, reason, claim };
    let by = lease.claimant.as_str();
    // Its answer was lost, and it was carried out.
    if work.again && tried.claim.by.as_deref() == Some(by) {
        let before = if row.try_get::<_, Option<&str>>(6)?.is_some() { status(&row, 6)? } else { tried.state };
        return Ok(Begun::Attempt(PinAttempt { pin, step, number: tried.attempts, before, fence: tried.claim.fence }));
    }
    let leave = tried.leave(step, rows::time(&row, 7)?);
    if let Leave::SetAside { reason } = &leave {
        let name = PinStatus::SetAside.name();
        work.change(
            "UPDATE pins SET status = $2, reason = $3, changed_at = clock_timestamp() WHERE id = $1",
            &[&pin, &name, reason],
        )?;
        note(work, (None, Some(pin)), name, None)?;
    }
    let number = match rules::refused(leave) {
        Ok(number) => number,
        Err(refused) => return Ok(refused),
    };
    let now = if step == PinStep::Create { PinStatus::Publishing } else { tried.state };
    work.change(
        "UPDATE pins SET status = $2, attempts = $3, before = $4, \
         changed_at = CASE WHEN $5 THEN clock_timestamp() ELSE changed_at END WHERE id = $1",
        &[&pin, &now.name(), &signed(number), &tried.state.name(), &(step == PinStep::Create)],
    )?;
    let fence = claims::take(work, Claimed::Pin(pin), tried.claim.fence, lease)?;
    let (event, detail) = match step {
        PinStep::Create => (PinStatus::Publishing.name(), format!("attempt {number} by {by}")),
        PinStep::Look => ("looked at", format!("by {by}")),
    };
    note(work, (None, Some(pin)), event, Some(&detail))?;
    Ok(Begun::Attempt(PinAttempt { pin, step, number, before: tried.state, fence }))
}

/// False when a later claim was made.
pub(super) fn save_state(
    work: &mut Work<'_>,
    attempt: PinAttempt,
    state: &str,
    pin_id: Option<&str>,
) -> Result<bool, Failed> {
    if !claims::lasts(work, attempt.claim())? {
        return Ok(false);
    }
    work.change(
        "UPDATE pins SET state = $2, pin_id = $3::text, changed_at = clock_timestamp(), \
         published_at = CASE WHEN $3::text IS NULL THEN NULL ELSE coalesce(published_at, clock_timestamp()) END, \
         status = CASE WHEN $3::text IS NULL THEN status ELSE $4 END WHERE id = $1",
        &[&attempt.pin, &state, &pin_id, &PinStatus::Published.name()],
    )?;
    note(work, (None, Some(attempt.pin)), "state", Some(state))?;
    Ok(true)
}

/// False when a later claim was made.
pub(super) fn finish(
    work: &mut Work<'_>,
    attempt: PinAttempt,
    status: PinStatus,
    reason: Option<&str>,
) -> Result<bool, Failed> {
    stand(work, attempt, (status, rules::attempts_after(attempt, status), reason))
}

/// False when a later claim was made.
pub(super) fn release(work: &mut Work<'_>, attempt: PinAttempt) -> Result<bool, Failed> {
    if attempt.step == PinStep::Look {
        return Ok(claims::end(work, attempt.claim())? || claims::was_ended(work, attempt.claim())?);
    }
    let (status, attempts) = rules::put_off(attempt);
    let row = work.row("SELECT reason FROM pins WHERE id = $1", &[&attempt.pin])?.ok_or(Failed::Missing("Pin"))?;
    let reason: Option<String> = row.try_get(0)?;
    let reason = reason.filter(|_| status == PinStatus::Failed);
    stand(work, attempt, (status, attempts, reason.as_deref()))
}

fn stand(
    work: &mut Work<'_>,
    attempt: PinAttempt,
    (status, attempts, reason): (PinStatus, u32, Option<&str>),
) -> Result<bool, Failed> {
    if !claims::end(work, attempt.claim())? {
        return claims::was_ended(work, attempt.claim());
    }
    let reason = reason.map(text);
    work.change(
        "UPDATE pins SET status = $2, reason = $3, changed_at = clock_timestamp(), attempts = $4 WHERE id = $1",
        &[&attempt.pin, &status.name(), &reason, &signed(attempts)],
    )?;
    note(work, (None, Some(attempt.pin)), status.name(), reason.as_deref())?;
    Ok(true)
}
