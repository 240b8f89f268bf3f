//! A listing, as it arrives.

use std::sync::Arc;

use futures_util::StreamExt as _;
use object_store::{ObjectMeta, ObjectStore};
use tokio::sync::mpsc::{Receiver, channel};

use crate::address::ObjectAddress;
use crate::error::StoreError;
use crate::object::Object;
use crate::refusal::{Asked, refusal};
use crate::runtime::SharedRuntime;

/// Objects that wait for whoever reads on. The storage's pages have as many.
const AHEAD: usize = 1000;

/// The objects below a folder. It ends after the first error.
#[derive(Debug)]
pub struct Listing {
    folder: ObjectAddress,
    /// Who sends stops when this is dropped.
    objects: Receiver<object_store::Result<ObjectMeta>>,
    ended: bool,
    /// Who lists needs it to the end.
    _runtime: SharedRuntime,
}

impl Listing {
    pub(crate) fn begin(store: Arc<dyn ObjectStore>, runtime: &SharedRuntime, folder: ObjectAddress) -> Self {
        let (send, objects) = channel(AHEAD);
        let prefix = (!folder.key().is_empty()).then(|| folder.location());
        runtime.handle().spawn(async move {
            let mut listed = store.list(prefix.as_ref());
            while let Some(object) = listed.next().await {
                if send.send(object).await.is_err() {
                    break;
                }
            }
        });
        Self { folder, objects, ended: false, _runtime: runtime.clone() }
    }
}

impl Iterator for Listing {
    type Item = Result<Object, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.objects.blocking_recv()? {
            Ok(meta) => Some(Ok(Object::new(self.folder.sibling(&meta.location), meta))),
            Err(error) => {
                self.ended = true;
                tracing::debug!(folder = %self.folder, "{error}");
                Some(Err(refusal(&error, self.folder.scheme(), Asked::List).at(&self.folder)))
            }
        }
    }
}
