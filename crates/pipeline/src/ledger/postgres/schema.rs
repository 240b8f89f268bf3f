//! The tables as a list of migrations. A published one is never edited: the next is added.

use super::pool::Work;
use super::server::{Failed, Server};
use crate::ledger::LedgerError;

/// Of the advisory lock that whoever migrates holds: `pinpress` in ASCII.
const LOCK: i64 = 0x7069_6E70_7265_7373;

/// Each takes the ledger from its index to the next version, which the table `ledger` has.
const MIGRATIONS: [&str; 2] = [
    "
CREATE TABLE files (
    path bytea PRIMARY KEY,
    len bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    inode bigint NOT NULL,
    fingerprint text NOT NULL
);

-- `claim` counts claims and is never set back; `lease_until` is NULL when nobody works on it.
CREATE TABLE jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text NOT NULL,
    spec_name text NOT NULL,
    spec_version text NOT NULL,
    spec_hash text NOT NULL,
    options_hash text NOT NULL,
    source bytea NOT NULL,
    output bytea NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    reason text,
    plan text,
    rendition text,
    rendition_fingerprint text,
    cover text,
    claim bigint NOT NULL DEFAULT 0,
    claimed_by text,
    lease_until timestamptz,
    changed_at timestamptz NOT NULL,
    UNIQUE (fingerprint, spec_hash, options_hash)
);
CREATE INDEX jobs_by_rendition ON jobs (rendition_fingerprint);
CREATE INDEX jobs_by_claimant ON jobs (claimed_by) WHERE claimed_by IS NOT NULL;

-- Outputs that were ever begun, whichever job they belong to now.
CREATE TABLE outputs (
    output bytea PRIMARY KEY,
    job bigint NOT NULL REFERENCES jobs (id)
);

CREATE TABLE pins (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination text NOT NULL,
    fingerprint text NOT NULL,
    board text NOT NULL,
    job bigint NOT NULL REFERENCES jobs (id),
    status text NOT NULL,
    attempts integer NOT NULL,
    state text,
    pin_id text,
    reason text,
    content text,
    publish_at timestamptz,
    every_s bigint,
    slot_at timestamptz,
    published_at timestamptz,
    -- How it stood before the latest claim: for a claim whose answer was lost.
    before text,
    claim bigint NOT NULL DEFAULT 0,
    claimed_by text,
    lease_until timestamptz,
    begun_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    UNIQUE (destination, fingerprint, board),
    UNIQUE (destination, pin_id)
);
CREATE INDEX pins_by_job ON pins (job);
CREATE INDEX pins_by_claimant ON pins (claimed_by) WHERE claimed_by IS NOT NULL;

-- Never changed, only added to: each intent and each outcome.
CREATE TABLE history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    job bigint REFERENCES jobs (id),
    pin bigint REFERENCES pins (id),
    event text NOT NULL,
    detail text
);
",
    "
-- What videos have in common that were entered together.
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    output bytea NOT NULL,
    terms text NOT NULL,
    entered_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- The terms are longer than an index may be.
CREATE UNIQUE INDEX orders_by_terms ON orders (output, md5(terms));

-- Videos that wait for whoever comes next. The same source may be wanted in several folders.
CREATE TABLE queue (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders (id),
    folder bytea NOT NULL,
    source bytea NOT NULL,
    output bytea NOT NULL,
    terms text NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    reason text,
    not_before timestamptz,
    waits_since timestamptz NOT NULL,
    ended_by text,
    claim bigint NOT NULL DEFAULT 0,
    claimed_by text,
    lease_until timestamptz,
    changed_at timestamptz NOT NULL,
    UNIQUE (folder, source)
);
CREATE INDEX queue_waiting ON queue (id) WHERE state = 'waiting';
CREATE INDEX queue_by_claimant ON queue (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX queue_by_end ON queue (ended_by, changed_at);
",
];

/// The newest version this program knows.
#[expect(clippy::cast_possible_wrap, clippy::cast_possible_truncation, reason = "a handful of migrations")]
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

/// What was found.
pub(super) enum Found {
    /// It is of this version now.
    Current,
    /// A newer one; it was left as it is.
    Newer(i32),
    /// A schema of that name with tables of somebody else; it was left as it is.
    Foreign,
}

impl Found {
    /// Leave to go on.
    pub(super) fn accepted(self, server: &Server) -> Result<(), LedgerError> {
        let path = || server.to_string().into();
        match self {
            Self::Current => Ok(()),
            Self::Newer(found) => {
                Err(LedgerError::Newer { found: i64::from(found), known: i64::from(VERSION), path: path() })
            }
            Self::Foreign => Err(LedgerError::Foreign { path: path() }),
        }
    }
}

/// Whether the schema is of [`VERSION`]. It is only read: a role that may not make tables can use what is there.
pub(super) fn is_current(work: &mut Work<'_>) -> Result<bool, Failed> {
    Ok(version(work)? == Some(VERSION))
}

/// Brings the schema `pinpress` to [`VERSION`], or refuses it. To be called in a transaction of its own: what others
/// have made is seen by who looks for it first after the lock.
pub(super) fn migrate(work: &mut Work<'_>) -> Result<Found, Failed> {
    // Of many programs that start at once one migrates, and the others find it done.
    work.change("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
    let done = match version(work)? {
        Some(newer) if newer > VERSION => return Ok(Found::Newer(newer)),
        Some(version) => version,
        None if exists(work, "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'pinpress')")? => {
            return Ok(Found::Foreign);
        }
        None => {
            if !exists(work, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'pinpress')")? {
                work.batch("CREATE SCHEMA pinpress")?;
            }
            work.batch("CREATE TABLE ledger (version integer NOT NULL); INSERT INTO ledger VALUES (0)")?;
            0
        }
    };
    for migration in MIGRATIONS.iter().skip(usize::try_from(done).unwrap_or(0)) {
        work.batch(migration)?;
    }
    work.change("UPDATE ledger SET version = $1", &[&VERSION])?;
    Ok(Found::Current)
}

fn version(work: &mut Work<'_>) -> Result<Option<i32>, Failed> {
    let there = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'pinpress' AND tablename = 'ledger')";
    if !exists(work, there)? {
        return Ok(None);
    }
    work.row("SELECT version FROM ledger", &[])?.map(|row| row.try_get(0)).transpose().map_err(Failed::from)
}

fn exists(work: &mut Work<'_>, sql: &str) -> Result<bool, Failed> {
    let row = work.row(sql, &[])?.ok_or(Failed::Missing("row"))?;
    Ok(row.try_get(0)?)
}
