//! The tables, as a list of migrations. A published one is never edited: the next is added.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::file;
use crate::ledger::LedgerError;

/// `PINP`, in the header of the file: a database of another program is not touched.
const APPLICATION_ID: i64 = 0x5049_4E50;

/// Each takes the ledger from its index to the next version (`user_version` counts them).
const MIGRATIONS: [&str; 3] = [
    "
CREATE TABLE files (
    path BLOB PRIMARY KEY,
    len INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    fingerprint TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    spec_name TEXT NOT NULL,
    spec_version TEXT NOT NULL,
    spec_hash TEXT NOT NULL,
    options_hash TEXT NOT NULL,
    source BLOB NOT NULL,
    output BLOB NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT,
    plan TEXT,
    rendition TEXT,
    cover TEXT,
    changed_at TEXT NOT NULL,
    UNIQUE (fingerprint, spec_hash, options_hash)
);

-- Outputs that were ever begun, whichever job they belong to now.
CREATE TABLE outputs (
    output BLOB PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES jobs (id)
) WITHOUT ROWID;

CREATE TABLE pins (
    id INTEGER PRIMARY KEY,
    destination TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    board TEXT NOT NULL,
    job INTEGER NOT NULL REFERENCES jobs (id),
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    state TEXT,
    pin_id TEXT,
    reason TEXT,
    begun_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    UNIQUE (destination, fingerprint, board),
    UNIQUE (destination, pin_id)
);

-- Never changed, only added to: each intent and each outcome.
CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    job INTEGER REFERENCES jobs (id),
    pin INTEGER REFERENCES pins (id),
    event TEXT NOT NULL,
    detail TEXT
);
",
    "
-- What the Pin says, and when it may go out: publishing needs neither the manifest nor the options again.
ALTER TABLE pins ADD COLUMN content TEXT;
ALTER TABLE pins ADD COLUMN publish_at TEXT;
ALTER TABLE pins ADD COLUMN every_s INTEGER;
ALTER TABLE pins ADD COLUMN slot_at TEXT;
ALTER TABLE pins ADD COLUMN published_at TEXT;
UPDATE pins SET published_at = changed_at WHERE pin_id IS NOT NULL;
",
    "
-- Who works on it. `claim` counts claims and is never set back; `lease_until` is in milliseconds since 1970, NULL when
-- nobody works on it.
ALTER TABLE jobs ADD COLUMN claim INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN claimed_by TEXT;
ALTER TABLE jobs ADD COLUMN lease_until INTEGER;
ALTER TABLE pins ADD COLUMN claim INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pins ADD COLUMN claimed_by TEXT;
ALTER TABLE pins ADD COLUMN lease_until INTEGER;
",
];

/// The newest version this program knows.
#[allow(clippy::cast_possible_wrap, reason = "a handful of migrations")]
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Brings the database at `path` to [`VERSION`], or refuses it.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    let error = |source| file::database(source, path);
    // Taken before looking, so that of two programs one migrates and the other finds it done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(error)?;
    let pragma = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(error);
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(error)?;
    if application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0) {
        return Err(LedgerError::Foreign { path: path.to_owned() });
    }
    if version > VERSION {
        return Err(LedgerError::Newer { found: version, known: VERSION, path: path.to_owned() });
    }
    if version == VERSION {
        return Ok(());
    }
    let done = usize::try_from(version).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration).map_err(error)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(error)?;
    transaction.pragma_update(None, "user_version", VERSION).map_err(error)?;
    transaction.commit().map_err(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Ledger as _, SqliteLedger};

    #[test]
    fn a_ledger_of_the_first_version_keeps_its_pins() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.execute_batch(
            "INSERT INTO jobs VALUES (1, '00', 's', 'v', 'h', 'o', x'61', x'62', 'covered', 0, NULL, NULL, NULL, NULL, \
             '2026-11-24T08:00:00Z');
             INSERT INTO pins VALUES (1, 'd', '00', '7', 1, 'published', 0, '{}', '99', NULL, '2026-11-24T08:00:00Z', \
             '2026-11-24T09:00:00Z'), (2, 'd', '00', '8', 1, 'waiting', 0, NULL, NULL, NULL, '2026-11-24T08:00:00Z', \
             '2026-11-24T09:00:00Z');",
        )
        .unwrap();
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        drop(old);
        for _ in 0..2 {
            let pins = SqliteLedger::open(&path).unwrap().pins().unwrap();
            let published: Vec<_> = pins.iter().map(|pin| pin.published.map(|at| at.to_string())).collect();
            assert_eq!(published, [Some("2026-11-24T09:00:00Z".to_owned()), None]);
            assert!(pins.iter().all(|pin| pin.content.is_none() && pin.due().is_none()));
        }
    }
}
