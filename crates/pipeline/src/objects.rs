//! Videos that are objects in storage: their index is read where they are, and what must be whole is fetched first.

use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use pinpress_media::Observer;
use pinpress_probe::{DeepReader, ProbeError, Spec};
use pinpress_store::{Object, Reason, StoreError, Stores, Transfer};
use tempfile::TempDir;

use crate::check::{Checked, check_file};
use crate::deep::{Decoder, check_deep};
use crate::discover::Found;
use crate::interrupt::Interrupt;

/// Bytes that are downloaded to judge a video whose index does not say everything: twice what Pinterest takes.
pub const MOST_FOR_A_CHECK: u64 = 4_000_000_000;

/// Reads what was found, here or in storage.
#[derive(Debug)]
pub struct Objects {
    stores: Stores,
    /// Where objects are put; the system's folder for temp files where there is none.
    folder: Option<PathBuf>,
    interrupt: Interrupt,
    places: Places,
}

/// A video as a file of this machine.
#[derive(Debug)]
pub struct Fetched<'a> {
    path: PathBuf,
    /// A copy of an object goes with it, and makes room for the next one.
    _copy: Option<(TempDir, Place<'a>)>,
}

impl Fetched<'_> {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Objects {
    /// At most `at_once` copies are on the disk at the same time. Downloads end with `interrupt`.
    #[must_use]
    pub fn new(stores: Stores, at_once: usize, interrupt: Interrupt) -> Self {
        Self { stores, folder: None, interrupt, places: Places::new(at_once) }
    }

    /// Copies lie below `folder`, which is made for the first.
    #[must_use]
    pub fn in_folder(self, folder: PathBuf) -> Self {
        Self { folder: Some(folder), ..self }
    }

    /// Checks what was found: of an object `ftyp` and `moov` alone travel, unless the sample table does not decide. Then
    /// all of it does, and the copy goes.
    ///
    /// # Errors
    /// When it cannot be read as a video.
    pub fn check(&self, found: &Found, spec: &Spec, deep: &dyn DeepReader) -> Result<Checked, ProbeError> {
        let Some(object) = &found.object else { return check_file(&found.path, spec, deep) };
        let bucket = self.stores.bucket(&object.address).map_err(unread)?;
        let mut reader = bucket.reader(object);
        let whole = || {
            let copy = self.fetch(found, Some(MOST_FOR_A_CHECK), &Unheard)?;
            deep.read(copy.path()).map_err(|error| error.of(&found.path))
        };
        let info = pinpress_probe::read_from(&mut reader, object.size, &found.path, whole);
        tracing::info!(
            video = %found.path.display(),
            requests = reader.requests(),
            bytes = reader.travelled(),
            "read its index by ranges"
        );
        let info = info?;
        let report = pinpress_probe::check(&info, spec);
        Ok(Checked { info, report, decoded: None })
    }

    /// Checks what was found, and decodes all of it; see [`check_deep`].
    pub fn check_deep(
        &self,
        found: &Found,
        spec: &Spec,
        decoder: &dyn Decoder,
        observer: &dyn Observer,
    ) -> Option<Result<Checked, ProbeError>> {
        match self.fetch(found, None, observer) {
            Ok(file) => check_deep(file.path(), spec, decoder, observer)
                .map(|checked| checked.map_err(|error| error.of(&found.path))),
            Err(_) if observer.cancelled() => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// What was found as a file: itself, or a copy of at most `most` bytes that goes when the answer does.
    ///
    /// # Errors
    /// When storage refuses or cannot be reached, the object is larger or another one by now, or the copy cannot be
    /// written.
    pub fn fetch(&self, found: &Found, most: Option<u64>, observer: &dyn Observer) -> Result<Fetched<'_>, ProbeError> {
        let Some(object) = &found.object else { return Ok(Fetched { path: found.path.clone(), _copy: None }) };
        if let Some(most) = most.filter(|most| object.size > *most) {
            let reason = Reason::TooLarge { size: object.size, most };
            return Err(unread(StoreError { address: object.address.clone(), reason }));
        }
        let place = self.places.take();
        let folder = self.folder().map_err(|source| ProbeError::Io { path: found.path.clone(), source })?;
        // The name tells its format, and is in what the worker logs.
        let path = folder.path().join(object.address.name());
        let bucket = self.stores.bucket(&object.address).map_err(unread)?;
        bucket.download(object, &path, &Watched { observer, interrupt: &self.interrupt }).map_err(unread)?;
        keep_time(&path, object).map_err(|source| ProbeError::Io { path: found.path.clone(), source })?;
        Ok(Fetched { path, _copy: Some((folder, place)) })
    }

    fn folder(&self) -> std::io::Result<TempDir> {
        let mut name = tempfile::Builder::new();
        let name = name.prefix("pinpress-object-");
        match &self.folder {
            None => name.tempdir(),
            Some(folder) => {
                std::fs::create_dir_all(folder)?;
                name.tempdir_in(folder)
            }
        }
    }
}

/// The copy is as old as the object: outputs that are younger are its.
fn keep_time(copy: &Path, object: &Object) -> std::io::Result<()> {
    std::fs::File::options().write(true).open(copy)?.set_modified(object.modified)
}

/// The address is named behind the reason already.
fn unread(error: StoreError) -> ProbeError {
    let path = error.address.to_path();
    ProbeError::Io { path, source: std::io::Error::other(error.reason) }
}

/// Nobody waits for it.
struct Unheard;

impl Observer for Unheard {}

struct Watched<'a> {
    observer: &'a dyn Observer,
    interrupt: &'a Interrupt,
}

impl Transfer for Watched<'_> {
    fn cancelled(&self) -> bool {
        self.interrupt.requested() || self.observer.cancelled()
    }
}

/// Room for so many copies.
#[derive(Debug)]
struct Places {
    free: Mutex<usize>,
    freed: Condvar,
}

#[derive(Debug)]
struct Place<'a>(&'a Places);

impl Places {
    const fn new(free: usize) -> Self {
        Self { free: Mutex::new(if free == 0 { 1 } else { free }), freed: Condvar::new() }
    }

    /// Waits until there is room.
    fn take(&self) -> Place<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Place(self)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
