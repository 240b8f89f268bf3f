//! Sidecars in storage, each read once as long as it stays the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use pinpress_store::{Identity, Object, ObjectAddress, Reason, Stores};

use super::sidecar::MAX_BYTES;
use crate::discover::{Beside, Found, candidates};

/// Reads sidecars in storage. Clones remember together: whoever keeps watch reads again only what has changed.
#[derive(Debug, Clone, Default)]
pub struct StoredSidecars {
    stores: Stores,
    read: Arc<Mutex<HashMap<ObjectAddress, Read>>>,
}

#[derive(Debug)]
struct Read {
    identity: Identity,
    text: Vec<u8>,
}

impl StoredSidecars {
    /// The sidecar of a video in storage: as its walk has seen it, else what a look at the places shows where it could be.
    ///
    /// # Errors
    /// With the place that could not be looked at, and why.
    pub(super) fn of(&self, video: &Found) -> Result<Option<Object>, (ObjectAddress, String)> {
        match (&video.object, &video.beside) {
            (None, _) | (Some(_), Beside::Nothing) => return Ok(None),
            (Some(_), Beside::Sidecar(object)) => return Ok(Some((**object).clone())),
            (Some(_), Beside::Unknown) => {}
        }
        for address in video.object.iter().flat_map(|object| candidates(&object.address)) {
            match self.stores.bucket(&address).and_then(|bucket| bucket.look(&address)) {
                Ok(object) => return Ok(Some(object)),
                Err(error) if matches!(error.reason, Reason::NotFound) => {}
                Err(error) => return Err((address, error.reason.to_string())),
            }
        }
        Ok(None)
    }

    /// All of it.
    ///
    /// # Errors
    /// With why it could not be read.
    pub(super) fn read(&self, object: &Object) -> Result<Vec<u8>, String> {
        let identity = object.identity();
        let before = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = before().get(&object.address).filter(|read| Some(&read.identity) == identity.as_ref()) {
            return Ok(read.text.clone());
        }
        if object.size > MAX_BYTES {
            return Err("far too long for what it should be".to_owned());
        }
        let text = self.stores.bucket(&object.address).and_then(|bucket| bucket.read(object, 0..object.size));
        let text = text.map_err(|error| error.reason.to_string())?.to_vec();
        if let Some(identity) = identity {
            before().insert(object.address.clone(), Read { identity, text: text.clone() });
        }
        Ok(text)
    }
}
