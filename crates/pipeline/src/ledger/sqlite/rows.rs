//! Between columns and values.

use jiff::{SignedDuration, Timestamp};
use pinpress_probe::Fingerprint;
use rusqlite::Row;
use rusqlite::types::Type;
use serde::de::DeserializeOwned;

use crate::ledger::columns::{UnknownName, fingerprint, path};
use crate::ledger::model::{Job, JobId, JobKey, JobState, PinKey, PinRecord, PinStatus, PinTiming};
use crate::ledger::slots::Place;

/// The columns that [`job`] reads, in its order.
pub(super) const JOB_COLUMNS: &str = "id, fingerprint, spec_name, spec_version, spec_hash, options_hash, source, \
                                      output, state, attempts, reason, plan, rendition, cover";

/// The columns that [`pin`] reads, in its order.
pub(super) const PIN_COLUMNS: &str = "id, destination, fingerprint, board, job, status, attempts, state, reason, begun_at, changed_at, content, \
     publish_at, every_s, slot_at, published_at";

fn column_fingerprint(row: &Row<'_>, index: usize) -> rusqlite::Result<Fingerprint> {
    fingerprint(row.get(index)?).map_err(|error| unreadable(index, error))
}

fn json<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<T>> {
    row.get::<_, Option<String>>(index)?
        .map(|text| serde_json::from_str(&text).map_err(|error| unreadable(index, error)))
        .transpose()
}

fn unreadable(index: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
}

pub(super) fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: JobId(row.get(0)?),
        key: JobKey {
            fingerprint: column_fingerprint(row, 1)?,
            spec_name: row.get(2)?,
            spec_version: row.get(3)?,
            spec_hash: row.get(4)?,
            options_hash: row.get(5)?,
        },
        source: path(row.get(6)?),
        output: path(row.get(7)?),
        state: state(row, 8)?,
        attempts: row.get(9)?,
        reason: row.get(10)?,
        plan: json(row, 11)?,
        rendition: json(row, 12)?,
        cover: json(row, 13)?,
    })
}

/// A column that a state stands in.
pub(super) fn state(row: &Row<'_>, index: usize) -> rusqlite::Result<JobState> {
    let name: String = row.get(index)?;
    JobState::from_name(&name).ok_or_else(|| unreadable(index, UnknownName(name)))
}

/// A column that a status stands in.
pub(super) fn status(row: &Row<'_>, index: usize) -> rusqlite::Result<PinStatus> {
    let name: String = row.get(index)?;
    PinStatus::from_name(&name).ok_or_else(|| unreadable(index, UnknownName(name)))
}

fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    row.get::<_, String>(index)?.parse().map_err(|error| unreadable(index, error))
}

fn time_if_any(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<String>>(index)?.map(|_| time(row, index)).transpose()
}

/// Of `status, slot_at, published_at`.
pub(super) fn place(row: &Row<'_>) -> rusqlite::Result<Place> {
    Ok(Place { status: status(row, 0)?, slot: time_if_any(row, 1)?, published: time_if_any(row, 2)? })
}

pub(super) fn pin(row: &Row<'_>) -> rusqlite::Result<PinRecord> {
    Ok(PinRecord {
        id: row.get(0)?,
        key: PinKey { destination: row.get(1)?, fingerprint: column_fingerprint(row, 2)?, board: row.get(3)? },
        job: JobId(row.get(4)?),
        status: status(row, 5)?,
        attempts: row.get(6)?,
        state: row.get(7)?,
        reason: row.get(8)?,
        begun: time(row, 9)?,
        changed: time(row, 10)?,
        content: json(row, 11)?,
        timing: PinTiming {
            publish_at: time_if_any(row, 12)?,
            every: row.get::<_, Option<i64>>(13)?.map(SignedDuration::from_secs),
        },
        slot: time_if_any(row, 14)?,
        published: time_if_any(row, 15)?,
    })
}
