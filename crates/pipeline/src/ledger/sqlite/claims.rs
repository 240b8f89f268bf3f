//! Claims as columns: who works on a row, and until when.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};

use crate::ledger::claims::{Claim, Claimed};
use crate::ledger::rules::Standing;

/// What `claim, claimed_by, lease_until` say, from the column at `first`. The last is in milliseconds since 1970.
pub(super) fn standing(row: &Row<'_>, first: usize) -> rusqlite::Result<Standing> {
    let until: Option<i64> = row.get(first + 2)?;
    Ok(Standing {
        fence: row.get(first)?,
        by: row.get(first + 1)?,
        until: until.and_then(|until| Timestamp::from_millisecond(until).ok()),
    })
}

fn place(on: Claimed) -> (&'static str, i64) {
    match on {
        Claimed::Job(job) => ("jobs", job.0),
        Claimed::Pin(pin) => ("pins", pin),
        // Only a ledger that is shared has a queue.
        Claimed::Task(task) => ("queue", task),
    }
}

/// Enters the claim after the one of `fence`, and answers its number.
pub(super) fn take(
    transaction: &Transaction<'_>,
    on: Claimed,
    fence: i64,
    (by, until): (&str, Timestamp),
) -> rusqlite::Result<i64> {
    let (table, row) = place(on);
    transaction
        .prepare_cached(&format!("UPDATE {table} SET claim = ?2, claimed_by = ?3, lease_until = ?4 WHERE id = ?1"))?
        .execute(params![row, fence + 1, by, until.as_millisecond()])?;
    Ok(fence + 1)
}

/// Ends a claim. False when it is not the latest, or has ended before.
pub(super) fn end(transaction: &Transaction<'_>, claim: Claim) -> rusqlite::Result<bool> {
    let (table, row) = place(claim.on);
    let ended = transaction
        .prepare_cached(&format!(
            "UPDATE {table} SET claimed_by = NULL, lease_until = NULL \
             WHERE id = ?1 AND claim = ?2 AND claimed_by IS NOT NULL"
        ))?
        .execute(params![row, claim.fence])?;
    Ok(ended == 1)
}

/// Whether a claim is the latest and has not ended.
pub(super) fn lasts(transaction: &Transaction<'_>, claim: Claim) -> rusqlite::Result<bool> {
    let (table, row) = place(claim.on);
    transaction
        .prepare_cached(&format!("SELECT 1 FROM {table} WHERE id = ?1 AND claim = ?2 AND claimed_by IS NOT NULL"))?
        .exists(params![row, claim.fence])
}

/// Takes a job or Pin from whoever works on it.
pub(super) fn revoke(transaction: &Transaction<'_>, on: Claimed) -> rusqlite::Result<()> {
    let (table, row) = place(on);
    transaction
        .prepare_cached(&format!(
            "UPDATE {table} SET claim = claim + 1, claimed_by = NULL, lease_until = NULL WHERE id = ?1"
        ))?
        .execute([row])
        .map(drop)
}

/// Lets the claims of `by` last until `until`, and answers which are lost.
pub(super) fn renew(
    transaction: &Transaction<'_>,
    claims: &[Claim],
    (by, until): (&str, Timestamp),
) -> rusqlite::Result<Vec<Claim>> {
    let mut lost = Vec::new();
    for claim in claims {
        let (table, row) = place(claim.on);
        let renewed = transaction
            .prepare_cached(&format!(
                "UPDATE {table} SET lease_until = ?4 WHERE id = ?1 AND claim = ?2 AND claimed_by = ?3"
            ))?
            .execute(params![row, claim.fence, by, until.as_millisecond()])?;
        if renewed == 0 {
            lost.push(*claim);
        }
    }
    Ok(lost)
}

/// Ends the leases of a claimant, or all; the claims stay the latest until others are made.
pub(super) fn expire(transaction: &Transaction<'_>, claimant: Option<&str>) -> rusqlite::Result<()> {
    for table in ["jobs", "pins"] {
        transaction.execute(
            &format!(
                "UPDATE {table} SET lease_until = NULL WHERE lease_until IS NOT NULL AND claimed_by = coalesce(?1, claimed_by)"
            ),
            [claimant],
        )?;
    }
    Ok(())
}
