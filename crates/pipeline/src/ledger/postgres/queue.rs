//! The queue as rows. Who comes next passes over what others are just taking (`FOR UPDATE SKIP LOCKED`, `PostgreSQL` 15,
//! SELECT, "The Locking Clause"), so that nobody waits for anybody.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::claims;
use super::pool::Work;
use super::rows::{self, count, signed, text, time_if_any};
use super::server::Failed;
use crate::ledger::claims::{Claimed, Lease};
use crate::ledger::columns::{path, path_bytes};
use crate::ledger::queue::{
    NewTask, Order, OrderId, Placed, QueueHost, QueueState, Task, TaskEnd, TaskState, after_end, is_begun_again,
};

/// The channel on which new videos are told.
pub(super) const CHANNEL: &str = "pinpress_queue";

/// Why a video was given up that never came to an end.
const CUT_OFF: &str = "whoever worked on it died each time";

/// An order and its videos as columns.
pub(super) struct Entry<'a> {
    pub(super) order: &'a Order,
    /// As JSON.
    pub(super) terms: String,
    pub(super) tasks: &'a [NewTask],
    /// As JSON, one for each.
    pub(super) task_terms: Vec<String>,
}

pub(super) fn place(work: &mut Work<'_>, entry: &Entry<'_>) -> Result<Placed, Failed> {
    let folder = path_bytes(&entry.order.output);
    // The same terms are one order, however often they are entered.
    work.change("INSERT INTO orders (output, terms) VALUES ($1, $2) ON CONFLICT DO NOTHING", &[&folder, &entry.terms])?;
    let order = work.row(
        "SELECT id FROM orders WHERE output = $1 AND md5(terms) = md5($2) AND terms = $2",
        &[&folder, &entry.terms],
    )?;
    let order: i64 = order.ok_or(Failed::Missing("order"))?.try_get(0)?;
    let sources: Vec<_> = entry.tasks.iter().map(|task| path_bytes(&task.source)).collect();
    let outputs: Vec<_> = entry.tasks.iter().map(|task| path_bytes(&task.output)).collect();
    let waiting = work.change(
        "INSERT INTO queue (order_id, folder, source, output, terms, state, attempts, waits_since, changed_at) \
         SELECT $1, $2, new.source, new.output, new.terms, $3, 0, clock_timestamp(), clock_timestamp() \
         FROM unnest($4::bytea[], $5::bytea[], $6::text[]) AS new (source, output, terms) \
         ON CONFLICT (folder, source) DO UPDATE SET order_id = excluded.order_id, output = excluded.output, \
         terms = excluded.terms, state = excluded.state, attempts = 0, reason = NULL, not_before = NULL, \
         waits_since = excluded.waits_since, changed_at = excluded.changed_at \
         WHERE queue.lease_until IS NULL OR queue.lease_until <= clock_timestamp()",
        &[&order, &folder, &TaskState::Waiting.name(), &sources, &outputs, &entry.task_terms],
    )?;
    tell(work)?;
    let at_work = (entry.tasks.len() as u64).saturating_sub(waiting);
    Ok(Placed { order: OrderId(order), waiting, at_work })
}

/// Wakes who waits for videos, once this is committed.
fn tell(work: &mut Work<'_>) -> Result<(), Failed> {
    work.row("SELECT pg_notify($1, '')", &[&CHANNEL]).map(drop)
}

/// Outputs, relative to that folder, by sources, of all that was entered for it: names are not given out twice.
pub(super) fn outputs(work: &mut Work<'_>, folder: &Path) -> Result<HashMap<PathBuf, PathBuf>, Failed> {
    let rows = work.rows("SELECT source, output FROM queue WHERE folder = $1", &[&path_bytes(folder)])?;
    rows.iter().map(|row| Ok((path(row.try_get(0)?), path(row.try_get(1)?)))).collect()
}

pub(super) fn order(work: &mut Work<'_>, id: OrderId) -> Result<Order, Failed> {
    let row = work.row("SELECT output, terms FROM orders WHERE id = $1", &[&id.0])?;
    let row = row.ok_or(Failed::Missing("order"))?;
    Ok(Order { output: path(row.try_get(0)?), terms: rows::of_json(row.try_get(1)?, "order")? })
}

/// Claims the video that waits longest, of one order or of all.
pub(super) fn claim_next(work: &mut Work<'_>, of: Option<OrderId>, lease: &Lease) -> Result<Option<Task>, Failed> {
    loop {
        let row = work.row(
            "SELECT id, order_id, source, output, terms, attempts, claim FROM queue WHERE state = 'waiting' \
             AND (not_before IS NULL OR not_before <= clock_timestamp()) \
             AND (lease_until IS NULL OR lease_until <= clock_timestamp()) \
             AND ($1::bigint IS NULL OR order_id = $1) ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
            &[&of.map(|of| of.0)],
        )?;
        let Some(row) = row else { return Ok(None) };
        let (id, fence, attempts): (i64, i64, u32) = (row.try_get(0)?, row.try_get(6)?, count(&row, 5)?);
        if !is_begun_again(attempts) {
            work.change(
                "UPDATE queue SET state = $2, reason = coalesce(reason, $3), claimed_by = NULL, lease_until = NULL, \
                 changed_at = clock_timestamp() WHERE id = $1",
                &[&id, &TaskState::Failed.name(), &CUT_OFF],
            )?;
            continue;
        }
        let fence = claims::take(work, Claimed::Task(id), fence, lease)?;
        let number = attempts + 1;
        work.change(
            "UPDATE queue SET attempts = $2, changed_at = clock_timestamp() WHERE id = $1",
            &[&id, &signed(number)],
        )?;
        return Ok(Some(Task {
            id,
            order: OrderId(row.try_get(1)?),
            source: path(row.try_get(2)?),
            output: path(row.try_get(3)?),
            terms: rows::of_json(row.try_get(4)?, "task")?,
            number,
            fence,
        }));
    }
}

/// False when a later claim was made.
pub(super) fn end(work: &mut Work<'_>, task: &Task, end: &TaskEnd, lease: &Lease) -> Result<bool, Failed> {
    if !claims::end(work, task.claim())? {
        return claims::was_ended(work, task.claim());
    }
    let (state, attempts, reason, wait) = after_end(task.number, end);
    let at = match end {
        TaskEnd::Scheduled(at) | TaskEnd::Later { at: Some(at), .. } => Some(rows::system_time(*at)),
        _ => None,
    };
    let reason = reason.map(text);
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    work.change(
        "UPDATE queue SET state = $2, attempts = $3, reason = $4, ended_by = $7, \
         not_before = coalesce($5, clock_timestamp() + nullif($6::bigint, 0) * interval '1 millisecond'), \
         changed_at = clock_timestamp() WHERE id = $1",
        &[&task.id, &state.name(), &signed(attempts), &reason, &at, &wait, &lease.claimant.as_str()],
    )?;
    if *end == TaskEnd::Released {
        tell(work)?;
    } else {
        // Who waits for the end of all hears of it.
        let sql = "SELECT pg_notify($1, '') WHERE NOT EXISTS (SELECT FROM queue WHERE claimed_by IS NOT NULL)";
        work.row(sql, &[&CHANNEL])?;
    }
    Ok(true)
}

/// Lets what was given up wait again: of these sources, or all.
pub(super) fn requeue(work: &mut Work<'_>, sources: Option<&[&[u8]]>) -> Result<u64, Failed> {
    let requeued = work.change(
        "UPDATE queue SET state = $1, attempts = 0, reason = NULL, not_before = NULL, \
         waits_since = clock_timestamp(), changed_at = clock_timestamp() \
         WHERE state = $2 AND ($3::bytea[] IS NULL OR source = ANY ($3))",
        &[&TaskState::Waiting.name(), &TaskState::Failed.name(), &sources],
    )?;
    tell(work)?;
    Ok(requeued)
}

pub(super) fn state(work: &mut Work<'_>) -> Result<QueueState, Failed> {
    let row = work.row(
        "SELECT count(*) FILTER (WHERE state = 'waiting' AND NOT held AND NOT early), \
         count(*) FILTER (WHERE state = 'waiting' AND NOT held AND early AND reason IS NULL), \
         count(*) FILTER (WHERE state = 'waiting' AND NOT held AND early AND reason IS NOT NULL), \
         count(*) FILTER (WHERE state = 'waiting' AND held), \
         count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state = 'failed'), \
         min(waits_since) FILTER (WHERE state = 'waiting' AND NOT held AND NOT early), \
         min(greatest(not_before, lease_until)) FILTER (WHERE state = 'waiting' AND (held OR early)) \
         FROM (SELECT state, reason, waits_since, not_before, lease_until, \
         coalesce(lease_until > clock_timestamp(), false) AS held, \
         coalesce(not_before > clock_timestamp(), false) AS early FROM queue) AS standing",
        &[],
    )?;
    let row = row.ok_or(Failed::Missing("row"))?;
    let number = |at: usize| -> Result<u64, Failed> { Ok(u64::try_from(row.try_get::<_, i64>(at)?).unwrap_or(0)) };
    Ok(QueueState {
        ready: number(0)?,
        scheduled: number(1)?,
        again: number(2)?,
        at_work: number(3)?,
        done: number(4)?,
        failed: number(5)?,
        oldest: time_if_any(&row, 6)?,
        next: time_if_any(&row, 7)?,
        hosts: hosts(work)?,
    })
}

fn hosts(work: &mut Work<'_>) -> Result<Vec<QueueHost>, Failed> {
    let rows = work.rows(
        "SELECT claimed_by, count(*), min(lease_until), (SELECT count(*) FROM queue AS ended \
         WHERE ended.ended_by = queue.claimed_by AND ended.state = 'done' \
         AND ended.changed_at > clock_timestamp() - interval '10 minutes') \
         FROM queue WHERE lease_until > clock_timestamp() GROUP BY claimed_by ORDER BY claimed_by",
        &[],
    )?;
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    rows.iter()
        .map(|row| {
            Ok(QueueHost {
                claimant: row.try_get(0)?,
                at_work: number(row.try_get(1)?),
                until: rows::time(row, 2)?,
                lately: number(row.try_get(3)?),
            })
        })
        .collect()
}
