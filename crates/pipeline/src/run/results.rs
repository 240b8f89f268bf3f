//! Where results are: in the output folder, or in storage. Then they are made here, delivered one by one, and fetched back
//! when a later stage needs one that another run has made.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use pinpress_media::{Failure, FailureKind, Observer};
use pinpress_store::{Object, ObjectAddress, Reason, StoreError};

use super::stored::object_stamp;
use super::{Run, RunError, RunOptions};
use crate::ledger::FileStamp;
use crate::naming::{absolute, cover_of, receipt_of};
use crate::objects::{Objects, undelivered};
use crate::outcome::VideoOutcome;

/// A folder in storage where results go.
#[derive(Debug)]
pub(super) struct Depot {
    address: ObjectAddress,
    /// What is there, by path below it; `None` asks storage each time, as others write there too.
    listed: Option<Mutex<HashMap<PathBuf, FileStamp>>>,
}

impl Depot {
    /// With one listing of what is there now, which costs less than a request for each result.
    ///
    /// # Errors
    /// When storage refuses or cannot be reached.
    pub(super) fn listed(address: &ObjectAddress, objects: &Objects) -> Result<Self, StoreError> {
        let mut there = HashMap::new();
        let folder = address.to_path();
        for object in objects.list(address)? {
            let object = object?;
            if let Ok(below) = object.address.to_path().strip_prefix(&folder) {
                there.insert(below.to_owned(), stamp(&object));
            }
        }
        Ok(Self { address: address.clone(), listed: Some(Mutex::new(there)) })
    }

    /// Without one.
    pub(super) fn asked(address: &ObjectAddress) -> Self {
        Self { address: address.clone(), listed: None }
    }

    fn place(&self, below: &Path) -> Result<ObjectAddress, StoreError> {
        let cannot = |said: String| StoreError { address: self.address.clone(), reason: Reason::Other { said } };
        let below = below.to_str().ok_or_else(|| cannot("a name is not UTF-8".to_owned()))?;
        self.address.join(below).map_err(|error| cannot(error.to_string()))
    }
}

impl RunOptions {
    /// Where results go, as it was given.
    #[must_use]
    pub fn output_as_named(&self) -> PathBuf {
        self.depot.as_ref().map_or_else(|| self.output.clone(), ObjectAddress::to_path)
    }

    /// The same as the ledger names it: an absolute path, or an address in storage.
    #[must_use]
    pub fn results(&self) -> PathBuf {
        self.depot.as_ref().map_or_else(|| absolute(&self.output), ObjectAddress::to_path)
    }

    /// The folder of this machine in which results are made.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn made_in(&self, objects: &Objects) -> Result<PathBuf, RunError> {
        if self.depot.is_none() {
            return Ok(self.output.clone());
        }
        let own = self.own_folder();
        objects.staging().map_err(|source| RunError::Output { path: own, source })
    }
}

/// What stands for a result in storage as a file's stamp does for a file. Storages tell the time to the second or better
/// as they are asked, so it is left out where the etag says enough.
fn stamp(object: &Object) -> FileStamp {
    if let Some(stamp) = object_stamp(object) {
        return FileStamp { mtime_ns: 0, ..stamp };
    }
    let since = object.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    FileStamp { len: object.size, mtime_ns: i64::try_from(since).unwrap_or(0), inode: 0 }
}

impl Run<'_> {
    /// The file of this machine for a result that the ledger names.
    pub(super) fn local(&self, kept: &Path) -> PathBuf {
        let below = self.depot.as_ref().and_then(|depot| kept.strip_prefix(depot.address.to_path()).ok());
        // An absolute path stays itself.
        self.made_in.join(below.unwrap_or(kept))
    }

    /// The storage where a file of this machine is to be, and its path there. What was published as it is stays where it
    /// is.
    fn depot_of<'p>(&self, local: &'p Path) -> Option<(&Depot, &'p Path)> {
        self.depot.as_ref().zip(local.strip_prefix(&self.made_in).ok())
    }

    /// A result as people are told of it.
    pub(super) fn shown(&self, local: &Path) -> PathBuf {
        match self.depot_of(local) {
            Some((depot, below)) => depot.address.to_path().join(below),
            None => local.to_owned(),
        }
    }

    /// What stands for a result; `None` where there is none.
    ///
    /// # Errors
    /// When storage cannot be asked.
    pub(super) fn result_stamp(&self, local: &Path) -> Result<Option<FileStamp>, StoreError> {
        let Some((depot, below)) = self.depot_of(local) else { return Ok(FileStamp::of(local).ok()) };
        if let Some(listed) = &depot.listed {
            return Ok(listed.lock().unwrap_or_else(PoisonError::into_inner).get(below).copied());
        }
        Ok(self.objects.look(&depot.place(below)?)?.as_ref().map(stamp))
    }

    /// Whether there is a result; what cannot be asked is none.
    pub(super) fn has_result(&self, local: &Path) -> bool {
        self.result_stamp(local).is_ok_and(|stamp| stamp.is_some())
    }

    /// Takes a result to where it is kept, and answers what stands for it there.
    ///
    /// # Errors
    /// `OutputExists` when one is there that may not be replaced, `Cancelled`, `Io`.
    pub(super) fn deliver(&self, local: &Path, replace: bool, observer: &dyn Observer) -> Result<FileStamp, Failure> {
        let Some((depot, below)) = self.depot_of(local) else {
            return FileStamp::of(local).map_err(|error| {
                Failure::new(FailureKind::Io, format!("{} was not written: {error}", local.display()))
            });
        };
        let delivered = depot.place(below).and_then(|to| self.objects.put(local, &to, replace, observer));
        let now = stamp(&delivered.map_err(|error| undelivered(&error, observer))?);
        if let Some(listed) = &depot.listed {
            listed.lock().unwrap_or_else(PoisonError::into_inner).insert(below.to_owned(), now);
        }
        Ok(now)
    }

    /// Sees to it that a result is here as a file. `expected` is what it was when it was delivered, if that matters.
    ///
    /// # Errors
    /// When it is gone or another one, or storage cannot be reached.
    pub(super) fn bring(
        &self,
        local: &Path,
        expected: Option<FileStamp>,
        observer: &dyn Observer,
    ) -> Result<(), StoreError> {
        let Some((depot, below)) = self.depot_of(local) else { return Ok(()) };
        if local.is_file() {
            return Ok(());
        }
        let from = depot.place(below)?;
        let at = |reason| StoreError { address: from.clone(), reason };
        let object = self.objects.look(&from)?.ok_or_else(|| at(Reason::NotFound))?;
        if expected.is_some_and(|expected| expected != stamp(&object)) {
            return Err(at(Reason::Changed));
        }
        self.folders.make_for(local).map_err(|source| at(Reason::Local { path: local.to_owned(), source }))?;
        self.objects.get(&object, local, observer)
    }

    /// Removes this machine's file of a result that is kept in storage.
    fn drop_local(&self, local: &Path) {
        if self.depot_of(local).is_some() {
            drop(std::fs::remove_file(local));
        }
    }

    /// Looks at once at all that is in storage, for a run that asks of nearly everything there.
    ///
    /// # Errors
    /// When storage refuses or cannot be reached.
    pub(super) fn list_results(&mut self) -> Result<(), RunError> {
        if let Some(address) = &self.options.depot {
            self.depot = Some(Depot::listed(address, &self.objects)?);
        }
        Ok(())
    }

    /// Names the results of a video as people know them.
    pub(super) fn name_results(&self, outcome: &mut VideoOutcome) {
        if let Some(output) = &mut outcome.output {
            *output = self.shown(output);
        }
        if let Some(cover) = &mut outcome.cover {
            cover.file = self.shown(&cover.file);
        }
    }

    /// Keeps the files of an output here while they are used, by videos with the same content at the same time.
    pub(super) fn use_files(&self, output: &Path) -> InUse<'_> {
        *self.in_use().entry(output.to_owned()).or_default() += 1;
        InUse { run: self, output: output.to_owned() }
    }

    fn in_use(&self) -> MutexGuard<'_, HashMap<PathBuf, usize>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes what this machine has of an output that is kept in storage, unless it is used.
    pub(super) fn clear(&self, output: &Path) {
        let in_use = self.in_use();
        if in_use.contains_key(output) {
            return;
        }
        for file in [output.to_owned(), cover_of(output), receipt_of(output)] {
            self.drop_local(&file);
        }
    }
}

/// Somebody uses the files of an output.
pub(super) struct InUse<'a> {
    run: &'a Run<'a>,
    output: PathBuf,
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        let mut in_use = self.run.in_use();
        if let Some(users) = in_use.get_mut(&self.output) {
            *users -= 1;
            if *users == 0 {
                in_use.remove(&self.output);
            }
        }
        drop(in_use);
        self.run.clear(&self.output);
    }
}
