//! The ledger's file: made whole, looked over before it is used, and copied.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{filesystem, schema};
use crate::durable;
use crate::ledger::LedgerError;

/// Of a WAL, `0x377f0682` or `0x377f0683` for the byte order of its checksums (<https://www.sqlite.org/walformat.html>).
const WAL_MAGIC: [u32; 2] = [0x377F_0682, 0x377F_0683];
const WAL_HEADER: usize = 32;

/// What SQLite keeps beside `path`, `-wal` or `-shm`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Where the copy of the ledger at `path` is.
#[must_use]
pub fn copy_of(path: &Path) -> PathBuf {
    beside(path, ".bak")
}

/// The error of something that is wrong with the ledger at `path`.
pub(super) fn damaged(reason: impl Into<String>, path: &Path) -> LedgerError {
    let copy = Some(copy_of(path)).filter(|copy| copy.is_file());
    LedgerError::Damaged { reason: reason.into(), copy, path: path.to_owned() }
}

/// What an error of SQLite means for the ledger at `path`.
pub(super) fn database(source: rusqlite::Error, path: &Path) -> LedgerError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(source.to_string(), path),
        Some(ErrorCode::DiskFull) => LedgerError::Full { path: path.to_owned() },
        _ => LedgerError::Database { source, path: path.to_owned() },
    }
}

/// What an error of the system means for the ledger at `path`.
fn io(source: std::io::Error, path: &Path) -> LedgerError {
    match source.kind() {
        std::io::ErrorKind::StorageFull => LedgerError::Full { path: path.to_owned() },
        _ => LedgerError::Io { source, path: path.to_owned() },
    }
}

/// Opens the database at `path`, which is made when it is missing. One that is damaged, foreign or newer is not changed.
pub(super) fn open(path: &Path) -> Result<Connection, LedgerError> {
    let io = |source| io(source, path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder).map_err(io)?;
    if let Some(kind) = filesystem::network(folder) {
        return Err(LedgerError::Network { kind, path: path.to_owned() });
    }
    if !path.try_exists().map_err(io)? {
        make(path, folder)?;
    }
    look_at_files(path)?;
    let error = |source| database(source, path);
    // Not made by opening it: an empty file is one that lost what it held.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(error)?;
    connection.busy_timeout(super::BUSY_TIMEOUT).map_err(error)?;
    // Who closes a database brings its log into it: not into one that is refused.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(error)?;
    look_over(&connection, path)?;
    schema::migrate(&mut connection, path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(error)?;
    Ok(connection)
}

/// Makes an empty ledger under another name first: whoever is killed meanwhile leaves none that is half made.
fn make(path: &Path, folder: &Path) -> Result<(), LedgerError> {
    let io = |source| io(source, path);
    let wal = beside(path, "-wal");
    if std::fs::metadata(&wal).is_ok_and(|log| log.len() > 0) {
        return Err(damaged("it is gone, and its log is still there", path));
    }
    let temp = durable::temp_beside(path).map_err(io)?;
    {
        let mut connection = unjournaled(temp.path()).map_err(|source| database(source, path))?;
        schema::migrate(&mut connection, path)?;
    }
    temp.as_file().sync_all().map_err(io)?;
    match temp.persist_noclobber(path) {
        Ok(_) => durable::sync_folder(folder).map_err(io),
        // Another program was quicker.
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io(error.error)),
    }
}

/// Opens a temp file. It is synced and renamed when it is whole, or it is nothing: a journal would only be left behind
/// by whoever is killed.
fn unjournaled(temp: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(temp)?;
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection)
}

/// What SQLite would take for a fresh start: a file or a log that lost its content.
fn look_at_files(path: &Path) -> Result<(), LedgerError> {
    let io = |source| io(source, path);
    if std::fs::metadata(path).map_err(io)?.len() == 0 {
        return Err(damaged("it is empty", path));
    }
    // Another program may be beginning its log anew just now.
    for _ in 0..3 {
        match log_header(&beside(path, "-wal")).map_err(io)? {
            Some(header) if !is_wal_header(&header) => std::thread::sleep(Duration::from_millis(20)),
            _ => return Ok(()),
        }
    }
    Err(damaged("its log, FILE-wal, is not one", path))
}

/// How a log begins. One that has no frame behind its header, or is not there, holds nothing that could be lost.
fn log_header(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let log = match std::fs::File::open(path) {
        Ok(log) => log,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if log.metadata()?.len() <= WAL_HEADER as u64 {
        return Ok(None);
    }
    let mut header = Vec::with_capacity(WAL_HEADER);
    log.take(WAL_HEADER as u64).read_to_end(&mut header)?;
    Ok(Some(header))
}

/// Whether magic and checksum are right. SQLite passes over a log for which they are not, and all that is in it.
fn is_wal_header(header: &[u8]) -> bool {
    let word = |at: usize, big: bool| {
        let bytes = header.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).unwrap_or_default();
        if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    let magic = word(0, true);
    let big = magic == WAL_MAGIC[1];
    let (mut s0, mut s1) = (0_u32, 0_u32);
    for at in (0..24).step_by(8) {
        s0 = s0.wrapping_add(word(at, big)).wrapping_add(s1);
        s1 = s1.wrapping_add(word(at + 4, big)).wrapping_add(s0);
    }
    WAL_MAGIC.contains(&magic) && (word(24, true), word(28, true)) == (s0, s1)
}

/// SQLite's own look at all pages, but for what indexes say: 70 ms for the 48 MB of 10,000 published videos.
fn look_over(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let found: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(|source| database(source, path))?;
    if found == "ok" { Ok(()) } else { Err(damaged(found.lines().collect::<Vec<_>>().join(" "), path)) }
}

/// Copies all that is committed to [`copy_of`], whole or not at all.
pub(super) fn keep_copy(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let copy = copy_of(path);
    let io = |source| io(source, &copy);
    let temp = durable::temp_beside(&copy).map_err(io)?;
    let copied = unjournaled(temp.path()).and_then(|mut to| Backup::new(connection, &mut to)?.step(-1));
    copied.map_err(|source| database(source, path))?;
    durable::commit(temp, &copy).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger as _;

    #[test]
    fn the_header_of_a_log_is_known_and_none_other_passes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let ledger = crate::ledger::SqliteLedger::open(&path).unwrap();
        ledger.expire(None).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("CREATE TABLE x (y)").unwrap();
        let log = std::fs::read(beside(&path, "-wal")).unwrap();
        let header = &log[..WAL_HEADER];
        assert!(is_wal_header(header));
        for at in 0..WAL_HEADER {
            let mut changed = header.to_vec();
            changed[at] ^= 1;
            assert!(!is_wal_header(&changed), "byte {at}");
        }
        assert!(!is_wal_header(&header[..31]) && !is_wal_header(&[]) && !is_wal_header(&[0; WAL_HEADER]));
    }
}
