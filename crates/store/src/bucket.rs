//! An open bucket.

use std::future::Future;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _};

use crate::address::{ObjectAddress, Scheme};
use crate::download;
use crate::error::{Reason, StoreError};
use crate::listing::Listing;
use crate::object::Object;
use crate::range_reader::RangeReader;
use crate::refusal::{Asked, refusal};
use crate::runtime::SharedRuntime;
use crate::transfer::Transfer;
use crate::upload::{self, Existing};

/// An open bucket. Cheap to clone. Addresses that are given to it are of this bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    runtime: SharedRuntime,
    scheme: Scheme,
}

impl Bucket {
    pub(crate) const fn new(store: Arc<dyn ObjectStore>, runtime: SharedRuntime, scheme: Scheme) -> Self {
        Self { store, runtime, scheme }
    }

    /// A look at an object: one request, and none of its bytes.
    ///
    /// # Errors
    /// When there is none, or the storage refuses or cannot be reached.
    pub fn look(&self, address: &ObjectAddress) -> Result<Object, StoreError> {
        let location = address.location();
        let meta = self.wait(self.store.head(&location)).map_err(|error| self.refused(&error, Asked::Read, address))?;
        Ok(Object::new(address.clone(), meta))
    }

    /// What lies below `folder`, as a stream in the storage's own order: some thousand objects are held at once, whatever
    /// their number. Objects that are still being written, by their names, are among them.
    #[must_use]
    pub fn list(&self, folder: &ObjectAddress) -> Listing {
        Listing::begin(Arc::clone(&self.store), &self.runtime, folder.clone())
    }

    /// A reader of an object with a place of its own, by range requests. The object must not change meanwhile.
    #[must_use]
    pub fn reader<'a>(&'a self, object: &'a Object) -> RangeReader<'a> {
        RangeReader::new(self, object)
    }

    /// The bytes of `range`: one request.
    ///
    /// # Errors
    /// When the storage refuses or cannot be reached, or the object is another one by now.
    pub fn read(&self, object: &Object, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.wait(read(&*self.store, object, range)).map_err(|fault| self.fault(fault, &object.address))
    }

    /// Downloads an object to `to`, which appears when all of it is there and on the disk; a file of that name is
    /// replaced. Answers how many bytes that were.
    ///
    /// # Errors
    /// When the storage refuses or cannot be reached, the object changes meanwhile, or the file cannot be written. Nothing
    /// is left then.
    pub fn download(&self, object: &Object, to: &Path, watch: &dyn Transfer) -> Result<u64, StoreError> {
        self.wait(download::download(&self.store, object, to, watch))
            .map_err(|fault| self.fault(fault, &object.address))
    }

    /// Uploads a file, and looks at what is there then.
    ///
    /// A small one goes in one request, under its own key. A large one goes in parts to a key beside it that ends with
    /// [`crate::TEMP_SUFFIX`], is copied from there by the storage itself, and the temporary key goes: nobody ever meets
    /// half an object, and what was cut off has no name that anything reads. A process that is killed may leave the
    /// temporary key, or parts without a key, which a lifecycle rule of the bucket removes.
    ///
    /// # Errors
    /// When the key has an object and `existing` refuses it, the storage refuses or cannot be reached, or the file cannot
    /// be read.
    pub fn upload(
        &self,
        file: &Path,
        to: &ObjectAddress,
        existing: Existing,
        watch: &dyn Transfer,
    ) -> Result<Object, StoreError> {
        let meta = self.wait(upload::upload(&self.store, self.scheme, file, &to.location(), existing, watch));
        meta.map(|meta| Object::new(to.clone(), meta)).map_err(|fault| self.fault(fault, to))
    }

    /// Copies an object within this bucket, by the storage itself: none of its bytes travels here.
    ///
    /// # Errors
    /// When the key has an object and `existing` refuses it, the object is another one by now, or the storage refuses or
    /// cannot be reached.
    pub fn copy(&self, object: &Object, to: &ObjectAddress, existing: Existing) -> Result<Object, StoreError> {
        let from = object.address.location();
        let copied = self.wait(upload::copy(&*self.store, &from, &to.location(), object.size, existing));
        let meta = copied.map_err(|fault| self.fault(fault, to))?;
        if self.look(&object.address)?.identity() != object.identity() {
            // What was copied is not what was judged.
            self.remove(to)?;
            return Err(Reason::Changed.at(&object.address));
        }
        Ok(Object::new(to.clone(), meta))
    }

    /// Removes an object. One that is not there is no error.
    ///
    /// # Errors
    /// When the storage refuses or cannot be reached.
    pub fn remove(&self, address: &ObjectAddress) -> Result<(), StoreError> {
        match self.wait(self.store.delete(&address.location())) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.refused(&error, Asked::Write, address)),
        }
    }

    fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.handle().block_on(future)
    }

    fn refused(&self, error: &object_store::Error, asked: Asked, address: &ObjectAddress) -> StoreError {
        tracing::debug!(%address, "{error}");
        refusal(error, self.scheme, asked).at(address)
    }

    fn fault(&self, fault: Fault, address: &ObjectAddress) -> StoreError {
        match fault {
            Fault::Store(error, asked) => self.refused(&error, asked, address),
            Fault::Known(reason) => reason.at(address),
        }
    }
}

/// What goes wrong within, before it is known what it was asked of.
pub(crate) enum Fault {
    Store(object_store::Error, Asked),
    Known(Reason),
}

impl Fault {
    pub(crate) fn reading(error: object_store::Error) -> Self {
        Self::Store(error, Asked::Read)
    }

    pub(crate) fn writing(error: object_store::Error) -> Self {
        Self::Store(error, Asked::Write)
    }

    pub(crate) fn local(path: &Path) -> impl Fn(std::io::Error) -> Self {
        let path: PathBuf = path.to_owned();
        move |source| Self::Known(Reason::Local { path: path.clone(), source })
    }
}

/// One range of the very object that was listed.
pub(crate) async fn read(store: &dyn ObjectStore, object: &Object, range: Range<u64>) -> Result<Bytes, Fault> {
    let wanted = range.end.saturating_sub(range.start);
    if wanted == 0 {
        return Ok(Bytes::new());
    }
    let options =
        GetOptions { range: Some(GetRange::Bounded(range)), if_match: object.if_match(), ..GetOptions::default() };
    let answer = match store.get_opts(&object.address.location(), options).await {
        Ok(answer) => answer,
        // It was there when it was listed.
        Err(object_store::Error::NotFound { .. }) => return Err(Fault::Known(Reason::Changed)),
        Err(error) => return Err(Fault::reading(error)),
    };
    // Not every server heeds If-Match.
    if !object.is(&answer.meta) {
        return Err(Fault::Known(Reason::Changed));
    }
    let bytes = answer.bytes().await.map_err(Fault::reading)?;
    if bytes.len() as u64 == wanted { Ok(bytes) } else { Err(Fault::Known(Reason::Changed)) }
}
