//! Claims as columns: who works on a row, and until when. The time is the database's own, whatever the clocks of its
//! clients say.

use postgres::Row;

use super::pool::Work;
use super::rows::time_if_any;
use super::server::Failed;
use crate::ledger::claims::{Claim, Claimed, Lease};
use crate::ledger::rules::Standing;

/// What `claim, claimed_by, lease_until` say, from the column at `first`.
pub(super) fn standing(row: &Row, first: usize) -> Result<Standing, Failed> {
    let (fence, by) = (row.try_get(first)?, row.try_get(first + 1)?);
    Ok(Standing { fence, by, until: time_if_any(row, first + 2)? })
}

fn place(on: Claimed) -> (&'static str, i64) {
    match on {
        Claimed::Job(job) => ("jobs", job.0),
        Claimed::Pin(pin) => ("pins", pin),
        Claimed::Task(task) => ("queue", task),
    }
}

fn milliseconds(lease: &Lease) -> i64 {
    i64::try_from(lease.length.as_millis()).unwrap_or(i64::MAX)
}

/// Enters the claim after the one of `fence`, and answers its number.
pub(super) fn take(work: &mut Work<'_>, on: Claimed, fence: i64, lease: &Lease) -> Result<i64, Failed> {
    let (table, row) = place(on);
    work.change(
        &format!(
            "UPDATE {table} SET claim = $2, claimed_by = $3, \
             lease_until = clock_timestamp() + $4::bigint * interval '1 millisecond' WHERE id = $1"
        ),
        &[&row, &(fence + 1), &lease.claimant.as_str(), &milliseconds(lease)],
    )?;
    Ok(fence + 1)
}

/// Ends a claim. False when it is not the latest, or has ended before.
pub(super) fn end(work: &mut Work<'_>, claim: Claim) -> Result<bool, Failed> {
    let (table, row) = place(claim.on);
    let ended = work.change(
        &format!(
            "UPDATE {table} SET claimed_by = NULL, lease_until = NULL \
             WHERE id = $1 AND claim = $2 AND claimed_by IS NOT NULL"
        ),
        &[&row, &claim.fence],
    )?;
    Ok(ended == 1)
}

/// Whether a claim that cannot be ended was ended by an attempt whose answer was lost: nobody but its holder ends the
/// latest claim and leaves its number.
pub(super) fn was_ended(work: &mut Work<'_>, claim: Claim) -> Result<bool, Failed> {
    let (table, row) = place(claim.on);
    let sql = format!("SELECT 1 FROM {table} WHERE id = $1 AND claim = $2 AND claimed_by IS NULL");
    Ok(work.again && work.row(&sql, &[&row, &claim.fence])?.is_some())
}

/// Whether a claim is the latest and has not ended. It stays so to the end of the transaction.
pub(super) fn lasts(work: &mut Work<'_>, claim: Claim) -> Result<bool, Failed> {
    let (table, row) = place(claim.on);
    let sql = format!("SELECT 1 FROM {table} WHERE id = $1 AND claim = $2 AND claimed_by IS NOT NULL FOR UPDATE");
    Ok(work.row(&sql, &[&row, &claim.fence])?.is_some())
}

/// Takes a job or Pin from whoever works on it.
pub(super) fn revoke(work: &mut Work<'_>, on: Claimed) -> Result<(), Failed> {
    let (table, row) = place(on);
    let sql = format!("UPDATE {table} SET claim = claim + 1, claimed_by = NULL, lease_until = NULL WHERE id = $1");
    work.change(&sql, &[&row]).map(drop)
}

/// Lets the claims of the lease's claimant last for its length from now, and answers which are lost.
pub(super) fn renew(work: &mut Work<'_>, claims: &[Claim], lease: &Lease) -> Result<Vec<Claim>, Failed> {
    let mut lost = Vec::new();
    // In one order in every program, so that no two wait for each other.
    let mut claims = claims.to_vec();
    claims.sort_unstable();
    for claim in claims {
        let (table, row) = place(claim.on);
        let renewed = work.change(
            &format!(
                "UPDATE {table} SET lease_until = clock_timestamp() + $4::bigint * interval '1 millisecond' \
                 WHERE id = $1 AND claim = $2 AND claimed_by = $3"
            ),
            &[&row, &claim.fence, &lease.claimant.as_str(), &milliseconds(lease)],
        )?;
        if renewed == 0 {
            lost.push(claim);
        }
    }
    Ok(lost)
}

/// Ends the leases of a claimant, or all; the claims stay the latest until others are made.
pub(super) fn expire(work: &mut Work<'_>, claimant: Option<&str>) -> Result<(), Failed> {
    for table in ["jobs", "pins", "queue"] {
        let sql = format!(
            "UPDATE {table} SET lease_until = NULL WHERE lease_until IS NOT NULL AND claimed_by = coalesce($1, claimed_by)"
        );
        work.change(&sql, &[&claimant])?;
    }
    Ok(())
}
