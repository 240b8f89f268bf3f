//! Between columns and values.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use pinpress_probe::Fingerprint;
use postgres::Row;
use serde::de::DeserializeOwned;

use super::server::Failed;
use crate::ledger::columns::{self, UnknownName, path};
use crate::ledger::model::{Job, JobId, JobKey, JobState, PinKey, PinRecord, PinStatus, PinTiming};
use crate::ledger::slots::Place;

/// The columns that [`job`] reads, in its order.
pub(super) const JOB_COLUMNS: &str = "id, fingerprint, spec_name, spec_version, spec_hash, options_hash, source, \
                                      output, state, attempts, reason, plan, rendition, cover";

/// The columns that [`pin`] reads, in its order.
pub(super) const PIN_COLUMNS: &str = "pins.id, pins.destination, pins.fingerprint, pins.board, pins.job, pins.status, \
                                      pins.attempts, pins.state, pins.reason, pins.begun_at, pins.changed_at, \
                                      pins.content, pins.publish_at, pins.every_s, pins.slot_at, pins.published_at";

fn unreadable(what: &'static str, error: &impl std::fmt::Display) -> Failed {
    Failed::Unreadable { what, value: error.to_string() }
}

fn fingerprint(row: &Row, index: usize) -> Result<Fingerprint, Failed> {
    columns::fingerprint(row.try_get(index)?).map_err(|error| unreadable("fingerprint", &error))
}

fn json<T: DeserializeOwned>(row: &Row, index: usize, what: &'static str) -> Result<Option<T>, Failed> {
    let text: Option<&str> = row.try_get(index)?;
    text.map(|text| serde_json::from_str(text).map_err(|error| unreadable(what, &error))).transpose()
}

/// What a text holds.
pub(super) fn of_json<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, Failed> {
    serde_json::from_str(text).map_err(|error| unreadable(what, &error))
}

/// A count, which the database keeps with a sign.
pub(super) fn count(row: &Row, index: usize) -> Result<u32, Failed> {
    let value: i32 = row.try_get(index)?;
    u32::try_from(value).map_err(|error| unreadable("count", &error))
}

/// A count as the database keeps it.
pub(super) fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub(super) fn state(row: &Row, index: usize) -> Result<JobState, Failed> {
    let name: String = row.try_get(index)?;
    JobState::from_name(&name).ok_or_else(|| unreadable("state", &UnknownName(name)))
}

pub(super) fn status(row: &Row, index: usize) -> Result<PinStatus, Failed> {
    let name: String = row.try_get(index)?;
    PinStatus::from_name(&name).ok_or_else(|| unreadable("status", &UnknownName(name)))
}

pub(super) fn time(row: &Row, index: usize) -> Result<Timestamp, Failed> {
    let time: SystemTime = row.try_get(index)?;
    Timestamp::try_from(time).map_err(|error| unreadable("time", &error))
}

/// A time as the database takes it, in whole microseconds.
pub(super) fn system_time(time: Timestamp) -> SystemTime {
    let micros = time.as_microsecond();
    let distance = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance }
}

pub(super) fn time_if_any(row: &Row, index: usize) -> Result<Option<Timestamp>, Failed> {
    let time: Option<SystemTime> = row.try_get(index)?;
    time.map(Timestamp::try_from).transpose().map_err(|error| unreadable("time", &error))
}

/// A text as `PostgreSQL` takes it: no text of its has a NUL.
pub(super) fn text(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// Of `status, slot_at, published_at`.
pub(super) fn place(row: &Row) -> Result<Place, Failed> {
    Ok(Place { status: status(row, 0)?, slot: time_if_any(row, 1)?, published: time_if_any(row, 2)? })
}

pub(super) fn job(row: &Row) -> Result<Job, Failed> {
    Ok(Job {
        id: JobId(row.try_get(0)?),
        key: JobKey {
            fingerprint: fingerprint(row, 1)?,
            spec_name: row.try_get(2)?,
            spec_version: row.try_get(3)?,
            spec_hash: row.try_get(4)?,
            options_hash: row.try_get(5)?,
        },
        source: path(row.try_get(6)?),
        output: path(row.try_get(7)?),
        state: state(row, 8)?,
        attempts: count(row, 9)?,
        reason: row.try_get(10)?,
        plan: json(row, 11, "plan")?,
        rendition: json(row, 12, "rendition")?,
        cover: json(row, 13, "cover")?,
    })
}

pub(super) fn pin(row: &Row) -> Result<PinRecord, Failed> {
    Ok(PinRecord {
        id: row.try_get(0)?,
        key: PinKey { destination: row.try_get(1)?, fingerprint: fingerprint(row, 2)?, board: row.try_get(3)? },
        job: JobId(row.try_get(4)?),
        status: status(row, 5)?,
        attempts: count(row, 6)?,
        state: row.try_get(7)?,
        reason: row.try_get(8)?,
        begun: time(row, 9)?,
        changed: time(row, 10)?,
        content: json(row, 11, "content")?,
        timing: PinTiming {
            publish_at: time_if_any(row, 12)?,
            every: row.try_get::<_, Option<i64>>(13)?.map(SignedDuration::from_secs),
        },
        slot: time_if_any(row, 14)?,
        published: time_if_any(row, 15)?,
    })
}
