//! What changes a Pin.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::rows::{self, PIN_COLUMNS};
use super::{claims, note, now};
use crate::ledger::claims::{Begun, Claimed, PinAttempt, PinStep};
use crate::ledger::model::{JobId, PinKey, PinRecord, PinStatus, PinTiming};
use crate::ledger::rules::{self, Leave, Tried};
use crate::ledger::slots;

fn by_key(connection: &Connection, key: &PinKey) -> rusqlite::Result<Option<PinRecord>> {
    connection
        .prepare_cached(&format!(
            "SELECT {PIN_COLUMNS} FROM pins WHERE destination = ?1 AND fingerprint = ?2 AND board = ?3"
        ))?
        .query_row(params![key.destination, key.fingerprint.as_str(), key.board], rows::pin)
        .optional()
}

pub(super) fn find(connection: &Connection, key: &PinKey) -> rusqlite::Result<Option<PinRecord>> {
    if let Some(pin) = by_key(connection, key)? {
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
}

pub(super) fn open(transaction: &Transaction<'_>, key: &PinKey, job: JobId) -> rusqlite::Result<PinRecord> {
    transaction.execute(
        "INSERT INTO pins (destination, fingerprint, board, job, status, attempts, begun_at, changed_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?6) ON CONFLICT DO NOTHING",
        params![key.destination, key.fingerprint.as_str(), key.board, job.0, PinStatus::Waiting.name(), now()],
    )?;
    by_key(transaction, key)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// False when a later claim was made.
pub(super) fn plan(
    transaction: &Transaction<'_>,
    attempt: PinAttempt,
    job: JobId,
    content: &str,
    timing: PinTiming,
) -> rusqlite::Result<bool> {
    if !claims::lasts(transaction, attempt.claim())? {
        return Ok(false);
    }
    let publish_at = timing.publish_at.map(|at| at.to_string());
    let every = timing.every.map(|every| every.as_secs());
    // Without a distance to keep there is no place among others.
    transaction.execute(
        "UPDATE pins SET job = ?2, content = ?3, publish_at = ?4, every_s = ?5, \
         slot_at = CASE WHEN ?5 IS NULL THEN NULL ELSE slot_at END WHERE id = ?1",
        params![attempt.pin, job.0, content, publish_at, every],
    )?;
    note(transaction, (Some(job.0), Some(attempt.pin)), "planned", Some(content))?;
    Ok(true)
}

pub(super) fn take_slot(
    transaction: &Transaction<'_>,
    pin: i64,
    every: SignedDuration,
    now: Timestamp,
) -> rusqlite::Result<Timestamp> {
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
}

pub(super) fn begin(
    transaction: &Transaction<'_>,
    pin: i64,
    step: PinStep,
    (by, at, until): (&str, Timestamp, Timestamp),
) -> rusqlite::Result<Begun<PinAttempt>> {
    let tried = transaction
        .prepare_cached("SELECT status, attempts, reason, claim, claimed_by, lease_until FROM pins WHERE id = ?1")?
        .query_row([pin], |row| {
            let (attempts, reason, claim) = (row.get(1)?, row.get(2)?, claims::standing(row, 3)?);
            Ok(Tried { state: rows::status(row, 0)?, attempts, reason, claim })
        })?;
    let leave = tried.leave(step, at);
    if let Leave::SetAside { reason } = &leave {
        transaction.execute(
            "UPDATE pins SET status = ?2, reason = ?3, changed_at = ?4 WHERE id = ?1",
            params![pin, PinStatus::SetAside.name(), reason, now()],
        )?;
        note(transaction, (None, Some(pin)), PinStatus::SetAside.name(), None)?;
    }
    let number = match rules::refused(leave) {
        Ok(number) => number,
        Err(refused) => return Ok(refused),
    };
    if step == PinStep::Create {
        transaction.execute(
            "UPDATE pins SET status = ?2, attempts = ?3, changed_at = ?4 WHERE id = ?1",
            params![pin, PinStatus::Publishing.name(), number, now()],
        )?;
    }
    let fence = claims::take(transaction, Claimed::Pin(pin), tried.claim.fence, (by, until))?;
    let (event, detail) = match step {
        PinStep::Create => (PinStatus::Publishing.name(), format!("attempt {number} by {by}")),
        PinStep::Look => ("looked at", format!("by {by}")),
    };
    note(transaction, (None, Some(pin)), event, Some(&detail))?;
    Ok(Begun::Attempt(PinAttempt { pin, step, number, before: tried.state, fence }))
}

/// False when a later claim was made.
pub(super) fn save_state(
    transaction: &Transaction<'_>,
    attempt: PinAttempt,
    state: &str,
    pin_id: Option<&str>,
) -> rusqlite::Result<bool> {
    if !claims::lasts(transaction, attempt.claim())? {
        return Ok(false);
    }
    transaction.execute(
        "UPDATE pins SET state = ?2, pin_id = ?3, changed_at = ?4, \
         published_at = CASE WHEN ?3 IS NULL THEN NULL ELSE coalesce(published_at, ?4) END, \
         status = CASE WHEN ?3 IS NULL THEN status ELSE ?5 END WHERE id = ?1",
        params![attempt.pin, state, pin_id, now(), PinStatus::Published.name()],
    )?;
    note(transaction, (None, Some(attempt.pin)), "state", Some(state))?;
    Ok(true)
}

/// False when a later claim was made.
pub(super) fn finish(
    transaction: &Transaction<'_>,
    attempt: PinAttempt,
    status: PinStatus,
    reason: Option<&str>,
) -> rusqlite::Result<bool> {
    stand(transaction, attempt, (status, rules::attempts_after(attempt, status), reason))
}

/// False when a later claim was made.
pub(super) fn release(transaction: &Transaction<'_>, attempt: PinAttempt) -> rusqlite::Result<bool> {
    if attempt.step == PinStep::Look {
        return claims::end(transaction, attempt.claim());
    }
    let (status, attempts) = rules::put_off(attempt);
    let reason: Option<String> =
        transaction.query_row("SELECT reason FROM pins WHERE id = ?1", [attempt.pin], |row| row.get(0))?;
    let reason = reason.filter(|_| status == PinStatus::Failed);
    stand(transaction, attempt, (status, attempts, reason.as_deref()))
}

fn stand(
    transaction: &Transaction<'_>,
    attempt: PinAttempt,
    (status, attempts, reason): (PinStatus, u32, Option<&str>),
) -> rusqlite::Result<bool> {
    if !claims::end(transaction, attempt.claim())? {
        return Ok(false);
    }
    transaction.execute(
        "UPDATE pins SET status = ?2, reason = ?3, changed_at = ?4, attempts = ?5 WHERE id = ?1",
        params![attempt.pin, status.name(), reason, now(), attempts],
    )?;
    note(transaction, (None, Some(attempt.pin)), status.name(), reason)?;
    Ok(true)
}
