//! Where the ledger of an output folder is, and the locks that go with it.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use pinpress_store::ObjectAddress;

use super::postgres::{PostgresLedger, Server};
use super::{Claimant, Lease, Ledger, LedgerError, LockError, OutputLock, RunLock, SqliteLedger};
use crate::durable;
use crate::shard::Shard;

/// Our own folder in an output folder: ledger, lock, logs.
pub const OWN_FOLDER: &str = ".pinpress";
const LEDGER: &str = "ledger.db";
const LOCK: &str = "lock";
const CLAIMANT: &str = "claimant";

/// Where a run over an output folder keeps what is its own: each shard in a folder of its own, so that many may run at
/// once.
#[must_use]
pub fn own_folder(output: &Path, shard: Option<Shard>) -> PathBuf {
    let own = output.join(OWN_FOLDER);
    shard.map_or_else(|| own.clone(), |shard| own.join(shard.folder()))
}

/// Where the ledger of an output folder is.
#[must_use]
pub fn ledger_path(output: &Path) -> PathBuf {
    own_folder(output, None).join(LEDGER)
}

/// The lock of an output folder.
#[must_use]
pub fn lock_path(output: &Path) -> PathBuf {
    own_folder(output, None).join(LOCK)
}

/// A ledger that is named.
#[derive(Debug, Clone)]
pub enum LedgerAddress {
    /// An SQLite file on a disk of this machine.
    File(PathBuf),
    /// A `PostgreSQL` database.
    Server(Server),
}

impl LedgerAddress {
    /// A `postgres://` address, or else the name of a file. `password` is for an address that has none.
    ///
    /// # Errors
    /// When it begins as an address and is none.
    pub fn parse(text: &OsStr, password: Option<&str>) -> Result<Self, LedgerError> {
        match text.to_str().filter(|text| Server::is_address(text)) {
            Some(url) => Server::parse(url, password).map(Self::Server),
            None => Ok(Self::File(text.into())),
        }
    }
}

/// As it may be shown: without a password.
impl fmt::Display for LedgerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(server) => server.fmt(f),
        }
    }
}

/// Where a ledger is, for an output folder.
#[derive(Debug, Clone)]
pub struct LedgerPlace {
    output: PathBuf,
    named: Option<LedgerAddress>,
    shard: Option<Shard>,
    /// Where the results are, if they are not in the output folder.
    depot: Option<ObjectAddress>,
}

impl LedgerPlace {
    /// The one that is named, or one in the output folder itself.
    #[must_use]
    pub fn new(output: &Path, named: Option<&LedgerAddress>) -> Self {
        Self { output: output.to_owned(), named: named.cloned(), shard: None, depot: None }
    }

    /// That of a shard of the work.
    #[must_use]
    pub fn of_shard(self, shard: Option<Shard>) -> Self {
        Self { shard, ..self }
    }

    /// That of results which are in storage.
    #[must_use]
    pub fn of_depot(self, depot: Option<&ObjectAddress>) -> Self {
        Self { depot: depot.cloned(), ..self }
    }

    /// Whether the results are in storage.
    #[must_use]
    pub const fn is_of_depot(&self) -> bool {
        self.depot.is_some()
    }

    /// Where the results are, as a person names it.
    #[must_use]
    pub fn results(&self) -> PathBuf {
        self.depot.as_ref().map_or_else(|| self.output.clone(), ObjectAddress::to_path)
    }

    /// All ledgers in an output folder: that of the whole, and those of shards in their order.
    #[must_use]
    pub fn all_in(output: &Path) -> Vec<Self> {
        let whole = Self::new(output, None);
        let of_shards = shards_in(output).into_iter().map(|shard| whole.clone().of_shard(Some(shard)));
        std::iter::once(whole.clone()).chain(of_shards).filter(Self::is_there).collect()
    }

    /// The output folder.
    #[must_use]
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// The shard whose it is.
    #[must_use]
    pub const fn shard(&self) -> Option<Shard> {
        self.shard
    }

    /// Whether other runs may be at work with it at the same time, for other output folders.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self.named, Some(LedgerAddress::Server(_)))
    }

    /// What a person knows it by: what was named, or else the output folder.
    #[must_use]
    pub fn known_as(&self) -> String {
        self.named.as_ref().map_or_else(|| self.results().display().to_string(), ToString::to_string)
    }

    /// The file; `None` for a database.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        match &self.named {
            None => Some(own_folder(&self.output, self.shard).join(LEDGER)),
            Some(LedgerAddress::File(file)) => Some(file.clone()),
            Some(LedgerAddress::Server(_)) => None,
        }
    }

    /// Whether there is one. A database counts as being there.
    fn is_there(&self) -> bool {
        self.file().is_none_or(|file| file.is_file())
    }

    /// Opens it, making it where it is missing.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open(&self) -> Result<Box<dyn Ledger>, LedgerError> {
        Ok(match &self.named {
            Some(LedgerAddress::Server(server)) => Box::new(PostgresLedger::open(server.clone())?),
            Some(LedgerAddress::File(file)) => Box::new(SqliteLedger::open(file)?),
            None => Box::new(SqliteLedger::open(&own_folder(&self.output, self.shard).join(LEDGER))?),
        })
    }

    /// Opens it if it is there. A database counts as being there.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn open_known(&self) -> Result<Option<Box<dyn Ledger>>, LedgerError> {
        self.is_there().then(|| self.open()).transpose()
    }

    /// Its lock, where it has one. The ledger of an output folder has one lock, whether it was named or not.
    fn lock_path(&self) -> Option<PathBuf> {
        Some(match &self.named {
            None => own_folder(&self.output, self.shard).join(LOCK),
            Some(LedgerAddress::File(file)) if is_in_own_folder(file) => file.with_file_name(LOCK),
            Some(LedgerAddress::File(file)) => {
                let mut name = file.as_os_str().to_owned();
                name.push(".lock");
                name.into()
            }
            Some(LedgerAddress::Server(_)) => return None,
        })
    }

    /// Takes its lock: no other run changes the ledger while the answer lives. `None` for a database, where claims
    /// keep runs apart.
    ///
    /// # Errors
    /// When a run is at work with it, or the system refuses.
    pub fn lock(&self) -> Result<Option<RunLock>, LockError> {
        self.lock_path().map(|path| RunLock::take(&path)).transpose()
    }

    /// Takes the lock of the output folder, with [`Self::lock`] taken: for a run that does all of the work to itself,
    /// for a shard together with the other shards of that number.
    ///
    /// # Errors
    /// When another run is at work in that folder that cannot be beside this one.
    pub fn lock_output(&self) -> Result<OutputLock, LockError> {
        let path = lock_path(&self.output);
        if Some(&path) == self.lock_path().as_ref() {
            return Ok(OutputLock::held_already());
        }
        let lock = self.shard.map_or_else(|| OutputLock::take(&path), |shard| self.share_output(&path, shard));
        match lock {
            Err(LockError::Io { path, source }) => {
                // Some network filesystems have no locks, and that is why the ledger is elsewhere.
                tracing::warn!(error = %source, path = %path.display(), "the output folder is not locked");
                Ok(if self.shard.is_some() { OutputLock::none_among_others() } else { OutputLock::held_already() })
            }
            lock => lock,
        }
    }

    /// What a run claims with that holds [`Self::lock`] and, as `output`, [`Self::lock_output`]. It ends the leases of the
    /// run before it in this output folder: the system drops its locks only when it is dead. Where `output` locks
    /// nothing, that run may be alive, and keeps its leases in a ledger that others share.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn succeed(&self, ledger: &dyn Ledger, output: &OutputLock) -> Result<Lease, LedgerError> {
        if !self.is_shared() {
            ledger.expire(None)?;
            return Ok(Lease::new());
        }
        let lease = Lease::shared();
        let note = own_folder(&self.output, self.shard).join(CLAIMANT);
        if let (true, Ok(before)) = (output.is_held(), std::fs::read_to_string(&note)) {
            ledger.expire(Some(&Claimant::named(before.trim())))?;
        }
        // Without the note the next run waits until the leases of this one end, should it die.
        if let Err(error) = durable::write(&note, lease.claimant.as_str().as_bytes()) {
            tracing::warn!(%error, path = %note.display(), "who claims could not be noted");
        }
        Ok(lease)
    }

    /// Takes the lock of the output folder together with others who work off the same queue.
    ///
    /// # Errors
    /// When a run is at work in that folder, or the system refuses.
    pub fn share_output_among_workers(&self) -> Result<OutputLock, LockError> {
        match OutputLock::share(&lock_path(&self.output), None) {
            Err(LockError::Io { path, source }) => {
                tracing::warn!(error = %source, path = %path.display(), "the output folder is not locked");
                Ok(OutputLock::none_among_others())
            }
            lock => lock,
        }
    }

    fn share_output(&self, path: &Path, shard: Shard) -> Result<OutputLock, LockError> {
        let own = own_folder(&self.output, Some(shard)).join(LOCK);
        // The same part with a ledger elsewhere is the same work.
        let of_shard = if Some(&own) == self.lock_path().as_ref() { None } else { Some(RunLock::take(&own)?) };
        let lock = OutputLock::share(path, of_shard)?;
        self.is_alone_in_number(shard)?;
        Ok(lock)
    }

    /// Refuses where shards of another number are at work: they would do the same videos.
    fn is_alone_in_number(&self, shard: Shard) -> Result<(), LockError> {
        let others = shards_in(&self.output).into_iter().filter(|other| other.of() != shard.of());
        for other in others {
            let path = own_folder(&self.output, Some(other)).join(LOCK);
            if let (true, Err(LockError::Held { .. })) = (path.is_file(), RunLock::take(&path)) {
                return Err(LockError::OtherNumber { shard, other, path });
            }
        }
        Ok(())
    }
}

impl From<&Path> for LedgerPlace {
    fn from(output: &Path) -> Self {
        Self::new(output, None)
    }
}

/// Whether the file is the ledger of an output folder, or of a shard in one.
fn is_in_own_folder(file: &Path) -> bool {
    let Some(folder) = file.parent().filter(|_| file.ends_with(LEDGER)) else { return false };
    let of_shard = |name: &OsStr| name.to_str().and_then(Shard::from_folder).is_some();
    let own = if folder.file_name().is_some_and(of_shard) { folder.parent() } else { Some(folder) };
    own.is_some_and(|own| own.ends_with(OWN_FOLDER))
}

/// The shards that have a folder of their own there.
fn shards_in(output: &Path) -> Vec<Shard> {
    let entries = std::fs::read_dir(output.join(OWN_FOLDER)).into_iter().flatten().flatten();
    let mut shards: Vec<Shard> = entries.filter_map(|entry| Shard::from_folder(entry.file_name().to_str()?)).collect();
    shards.sort_by_key(|shard| (shard.of(), shard.index()));
    shards
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(text: &str) -> Option<Shard> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn one_ledger_has_one_lock_however_it_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (out, other) = (dir.path().join("out"), dir.path().join("other"));
        let plain = LedgerPlace::from(out.as_path());
        let held = plain.lock().unwrap();
        assert!(plain.lock_output().unwrap().is_alone(), "it is the same");
        let named = LedgerPlace::new(&other, plain.file().map(LedgerAddress::File).as_ref());
        assert!(matches!(named.lock(), Err(LockError::Held { .. })));
        drop(held);
        let of_shard = LedgerPlace::from(out.as_path()).of_shard(shard("1/2"));
        let held = of_shard.lock().unwrap();
        let named = LedgerPlace::new(&out, of_shard.file().map(LedgerAddress::File).as_ref());
        assert!(matches!(named.lock(), Err(LockError::Held { .. })), "a shard's too");
        drop(held);
        let elsewhere = LedgerPlace::new(&out, Some(&LedgerAddress::File(dir.path().join("mine.db"))));
        let (_ledger, _output) = (elsewhere.lock().unwrap(), elsewhere.lock_output().unwrap());
        assert!(matches!(plain.lock(), Err(LockError::Held { .. })), "no two runs in one output folder");
        assert!(dir.path().join("mine.db.lock").is_file());
    }

    #[test]
    fn shards_of_one_number_are_there_together_and_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let place = |text: &str| LedgerPlace::from(dir.path()).of_shard(shard(text));
        let begin = |text: &str| {
            let place = place(text);
            let ledger = place.lock()?;
            let mut output = place.lock_output()?;
            let alone = output.is_alone();
            output.let_others_in()?;
            Ok::<_, LockError>((ledger, output, alone))
        };
        let (first, first_output, alone) = begin("1/3").unwrap();
        assert!(alone);
        let (second, second_output, alone) = begin("2/3").unwrap();
        assert!(!alone, "what the first is writing is not swept");
        assert!(matches!(begin("2/3"), Err(LockError::Held { .. })), "the same part twice");
        assert!(matches!(begin("1/4"), Err(LockError::OtherNumber { .. })));
        assert!(matches!(LedgerPlace::from(dir.path()).lock(), Err(LockError::Held { .. })), "and no whole run");
        assert!(!first_output.is_last());
        drop((first, first_output));
        assert!(second_output.is_last());
        drop((second, second_output));
        let whole = LedgerPlace::from(dir.path()).lock().unwrap();
        assert!(matches!(begin("3/3"), Err(LockError::Held { .. })));
        drop(whole);
        begin("4/4").unwrap();
        let elsewhere = place("1/4");
        let elsewhere = LedgerPlace { named: Some(LedgerAddress::File(dir.path().join("mine.db"))), ..elsewhere };
        let held = place("1/4").lock().unwrap();
        assert!(elsewhere.lock().is_ok() && matches!(elsewhere.lock_output(), Err(LockError::Held { .. })));
        drop(held);
    }

    #[test]
    fn all_ledgers_of_a_folder_are_found() {
        let dir = tempfile::tempdir().unwrap();
        assert!(LedgerPlace::all_in(dir.path()).is_empty());
        let places = [None, shard("2/10"), shard("10/10"), shard("1/2")];
        for of in places {
            let path = LedgerPlace::from(dir.path()).of_shard(of).file().unwrap();
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
        std::fs::create_dir(dir.path().join(".pinpress/shard-3-of-10")).unwrap();
        let found: Vec<_> = LedgerPlace::all_in(dir.path()).iter().map(LedgerPlace::shard).collect();
        assert_eq!(found, [None, shard("1/2"), shard("2/10"), shard("10/10")]);
    }
}
