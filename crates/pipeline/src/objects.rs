//! Videos that are objects in storage: their index is read where they are, and what must be whole is fetched first.

mod folder;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use pinpress_media::{Failure, FailureKind, Observer};
use pinpress_probe::{DeepReader, MediaInfo, ProbeError, Spec};
use pinpress_store::{Existing, Listing, Object, ObjectAddress, Reason, StoreError, Stores, Transfer};

use crate::check::{Checked, check_file};
use crate::deep::{Decoder, check_deep};
use crate::discover::Found;
use crate::interrupt::Interrupt;
use crate::places::{Place, Places};
use folder::OwnFolder;

/// Bytes that are downloaded to judge a video whose index does not say everything: twice what Pinterest takes.
pub const MOST_FOR_A_CHECK: u64 = 4_000_000_000;

/// In bytes, with room for what stands around it while it is written.
const LONGEST_NAME: usize = 200;

/// Reads what was found, here or in storage.
#[derive(Debug)]
pub struct Objects {
    stores: Stores,
    /// Where the folder of copies is made; among the system's temp files where there is none.
    within: Option<PathBuf>,
    /// Made when the first copy needs it.
    folder: Mutex<Option<OwnFolder>>,
    copies: AtomicU64,
    interrupt: Interrupt,
    places: Places,
    /// Copies that one stage has left for the next, by their addresses.
    left: Mutex<Vec<(ObjectAddress, PathBuf, CopyFolder)>>,
    /// So many of them at most.
    most_left: usize,
}

/// A video as a file of this machine.
#[derive(Debug)]
pub struct Fetched<'a> {
    path: PathBuf,
    /// A copy of an object goes with it, and makes room for the next one.
    copy: Option<(CopyFolder, Option<Place<'a>>)>,
}

/// The folder of one copy, which goes with it.
#[derive(Debug)]
struct CopyFolder(PathBuf);

impl Drop for CopyFolder {
    fn drop(&mut self) {
        // What cannot be removed now goes with the folder that it is in.
        drop(std::fs::remove_dir_all(&self.0));
    }
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
        Self {
            stores,
            within: None,
            folder: Mutex::new(None),
            copies: AtomicU64::new(0),
            interrupt,
            places: Places::new(at_once),
            left: Mutex::default(),
            most_left: at_once,
        }
    }

    /// Copies lie below `folder`, which is made for the first.
    #[must_use]
    pub fn within(self, folder: PathBuf) -> Self {
        Self { within: Some(folder), ..self }
    }

    /// Checks what was found: of an object `ftyp` and `moov` alone travel, unless the sample table does not decide. Then
    /// all of it does, and the copy goes.
    ///
    /// # Errors
    /// When it cannot be read as a video.
    pub fn check(&self, found: &Found, spec: &Spec, deep: &dyn DeepReader) -> Result<Checked, ProbeError> {
        self.check_by(found, spec, deep, |object| {
            let copy = self.fetch(found, Some(MOST_FOR_A_CHECK), &Unheard)?;
            deep.read(copy.path()).map_err(|error| error.of(&object.address.to_path()))
        })
    }

    /// The same, where `whole` reads the facts of an object of which all is needed.
    ///
    /// # Errors
    /// When it cannot be read as a video.
    pub fn check_by(
        &self,
        found: &Found,
        spec: &Spec,
        deep: &dyn DeepReader,
        whole: impl FnOnce(&Object) -> Result<MediaInfo, ProbeError>,
    ) -> Result<Checked, ProbeError> {
        let Some(object) = &found.object else { return check_file(&found.path, spec, deep) };
        let bucket = self.stores.bucket(&object.address).map_err(unread)?;
        let mut reader = bucket.reader(object);
        let info = pinpress_probe::read_from(&mut reader, object.size, &found.path, || whole(object));
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
        let Some(object) = &found.object else { return Ok(Fetched { path: found.path.clone(), copy: None }) };
        self.fetch_object(object, most, observer)
    }

    /// The same of an object.
    ///
    /// # Errors
    /// As [`Objects::fetch`].
    pub fn fetch_object(
        &self,
        object: &Object,
        most: Option<u64>,
        observer: &dyn Observer,
    ) -> Result<Fetched<'_>, ProbeError> {
        if let Some((path, copy)) = self.take_left(&object.address) {
            return Ok(Fetched { path, copy: Some((copy, None)) });
        }
        let io_error = |source| ProbeError::Io { path: object.address.to_path(), source };
        if let Some(most) = most.filter(|most| object.size > *most) {
            let reason = Reason::TooLarge { size: object.size, most };
            return Err(unread(StoreError { address: object.address.clone(), reason }));
        }
        let place = self.places.take();
        let copy = self.new_folder().map_err(io_error)?;
        // The name tells its format, and is in what the worker logs.
        let path = copy.0.join(local_name(object.address.name()));
        let bucket = self.stores.bucket(&object.address).map_err(unread)?;
        bucket.download(object, &path, &Watched { observer, interrupt: &self.interrupt }).map_err(unread)?;
        keep_time(&path, object).map_err(io_error)?;
        Ok(Fetched { path, copy: Some((copy, Some(place))) })
    }

    /// Leaves a copy for the next stage, which finds it when it fetches the object. Where many are left already it goes,
    /// and is fetched again.
    pub fn leave(&self, object: &Object, fetched: Fetched<'_>) {
        let Some((copy, _place)) = fetched.copy else { return };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.len() < self.most_left {
            left.push((object.address.clone(), fetched.path, copy));
        }
    }

    /// Removes what was left of an object that no stage asks for any more.
    pub fn forget(&self, address: &ObjectAddress) {
        drop(self.take_left(address));
    }

    fn take_left(&self, address: &ObjectAddress) -> Option<(PathBuf, CopyFolder)> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let at = left.iter().position(|(of, ..)| of == address)?;
        let (_, path, copy) = left.remove(at);
        Some((path, copy))
    }

    /// What is at `address`; `None` where nothing is.
    ///
    /// # Errors
    /// When storage refuses or cannot be reached.
    pub fn look(&self, address: &ObjectAddress) -> Result<Option<Object>, StoreError> {
        match self.stores.bucket(address)?.look(address) {
            Ok(object) => Ok(Some(object)),
            Err(StoreError { reason: Reason::NotFound, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What lies below `folder`, as a stream.
    ///
    /// # Errors
    /// When the storage cannot be opened; what fails later is in the stream.
    pub fn list(&self, folder: &ObjectAddress) -> Result<Listing, StoreError> {
        Ok(self.stores.bucket(folder)?.list(folder))
    }

    /// Downloads an object to `to`. Only `observer` ends it early.
    ///
    /// # Errors
    /// When storage refuses or cannot be reached, the object is another one by now, or the file cannot be written.
    pub fn get(&self, object: &Object, to: &Path, observer: &dyn Observer) -> Result<(), StoreError> {
        self.stores.bucket(&object.address)?.download(object, to, &Heard(observer)).map(drop)
    }

    /// Uploads a file to `to`, and answers what is there then. Only `observer` ends it early.
    ///
    /// # Errors
    /// As [`Objects::deliver`].
    pub fn put(
        &self,
        file: &Path,
        to: &ObjectAddress,
        replace: bool,
        observer: &dyn Observer,
    ) -> Result<Object, StoreError> {
        self.stores.bucket(to)?.upload(file, to, existing(replace), &Heard(observer))
    }

    /// Uploads a finished file to `to`, and removes it here.
    ///
    /// # Errors
    /// When there is an object already that may not be replaced, or storage refuses or cannot be reached.
    pub fn deliver(
        &self,
        file: &Path,
        to: &ObjectAddress,
        replace: bool,
        observer: &dyn Observer,
    ) -> Result<(), StoreError> {
        let watched = Watched { observer, interrupt: &self.interrupt };
        self.stores.bucket(to)?.upload(file, to, existing(replace), &watched)?;
        // It goes with its folder otherwise.
        drop(std::fs::remove_file(file));
        Ok(())
    }

    /// Copies an object to another key of its bucket, where it is.
    ///
    /// # Errors
    /// As [`Objects::deliver`], and when the object is another one by now.
    pub fn copy(&self, object: &Object, to: &ObjectAddress, replace: bool) -> Result<Object, StoreError> {
        self.stores.bucket(to)?.copy(object, to, existing(replace))
    }

    /// A folder for files that are to be delivered. It goes with this.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn staging(&self) -> io::Result<PathBuf> {
        let folder = self.own_folder()?.join("outputs");
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    fn new_folder(&self) -> io::Result<CopyFolder> {
        let number = self.copies.fetch_add(1, Ordering::Relaxed);
        let folder = self.own_folder()?.join(number.to_string());
        std::fs::create_dir(&folder)?;
        Ok(CopyFolder(folder))
    }

    fn own_folder(&self) -> io::Result<PathBuf> {
        let mut own = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = &*own {
            return Ok(own.path().to_owned());
        }
        let made = OwnFolder::new(self.within.as_deref())?;
        let path = made.path().to_owned();
        *own = Some(made);
        Ok(path)
    }
}

const fn existing(replace: bool) -> Existing {
    if replace { Existing::Replaced } else { Existing::Refused }
}

/// The end of a key as the name of a file: keys are longer than file systems take, and the ending is what counts.
fn local_name(key: &str) -> String {
    if key.len() <= LONGEST_NAME {
        return key.to_owned();
    }
    let extension = Path::new(key).extension().and_then(|extension| extension.to_str());
    match extension.filter(|extension| extension.len() < 16) {
        Some(extension) => format!("video.{extension}"),
        None => "video".to_owned(),
    }
}

/// The copy is as old as the object: outputs that are younger are its.
fn keep_time(copy: &Path, object: &Object) -> io::Result<()> {
    std::fs::File::options().write(true).open(copy)?.set_modified(object.modified)
}

/// The address is named behind the reason already.
fn unread(error: StoreError) -> ProbeError {
    let path = error.address.to_path();
    ProbeError::Io { path, source: io::Error::other(error.reason) }
}

/// Nobody waits for it.
struct Unheard;

impl Observer for Unheard {}

/// What kept a result from its place in storage, or from coming back.
#[must_use]
pub fn undelivered(error: &StoreError, observer: &dyn Observer) -> Failure {
    if observer.cancelled() {
        return Failure::new(FailureKind::Cancelled, "interrupted");
    }
    let kind = if matches!(error.reason, Reason::Exists) { FailureKind::OutputExists } else { FailureKind::Io };
    Failure::new(kind, error.to_string())
}

/// Goes on as long as its observer does.
struct Heard<'a>(&'a dyn Observer);

impl Transfer for Heard<'_> {
    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

struct Watched<'a> {
    observer: &'a dyn Observer,
    interrupt: &'a Interrupt,
}

impl Transfer for Watched<'_> {
    fn cancelled(&self) -> bool {
        self.interrupt.requested() || self.observer.cancelled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_copies_fit_and_keep_their_endings() {
        assert_eq!(local_name("clip 1.mp4"), "clip 1.mp4");
        assert_eq!(local_name(&format!("{}.mov", "ä".repeat(500))), "video.mov");
        assert_eq!(local_name(&"x".repeat(1000)), "video");
    }
}
