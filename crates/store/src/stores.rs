//! The buckets that are open, and the runtime behind them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::address::{ObjectAddress, Scheme};
use crate::bucket::Bucket;
use crate::error::{Reason, StoreError};
use crate::open;
use crate::runtime::SharedRuntime;

/// Opens each bucket once. Cheap to clone: clones share what is open.
///
/// Its methods, and those of what it opens, block and must not be called from a thread that drives a tokio runtime.
#[derive(Clone, Default)]
pub struct Stores {
    open: Arc<Mutex<Open>>,
    /// Instead of that of the process.
    environment: Option<Arc<Environment>>,
}

/// Names and values.
pub(crate) type Environment = Vec<(String, String)>;

#[derive(Debug, Default)]
struct Open {
    runtime: Option<SharedRuntime>,
    buckets: HashMap<(Scheme, String), Bucket>,
}

/// Without the environment: it has secrets.
impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stores").field("open", &self.open).finish_non_exhaustive()
    }
}

impl Stores {
    /// None is open yet, and no thread runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Stores::new`], with these variables in place of the process's own.
    #[must_use]
    pub fn with_environment(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { environment: Some(Arc::new(variables.into_iter().collect())), ..Self::default() }
    }

    /// The bucket of `address`. No request is made: a bucket that does not exist opens.
    ///
    /// The environment says how, in the words of the `object_store` crate:
    /// - `s3`: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`; for other servers than
    ///   Amazon's `AWS_ENDPOINT_URL`, and `AWS_ALLOW_HTTP=true` where that is `http://`; web identity, container and
    ///   instance credentials as on Amazon's machines; `AWS_COPY_IF_NOT_EXISTS` where the server is told otherwise than
    ///   Amazon's that a copy is to replace nothing. Profiles (`~/.aws`) are not read.
    /// - `gs`: `GOOGLE_APPLICATION_CREDENTIALS` or `GOOGLE_SERVICE_ACCOUNT`, gcloud's default login, instance credentials.
    /// - `az`: `AZURE_STORAGE_ACCOUNT_NAME`, with `AZURE_STORAGE_ACCOUNT_KEY`, `AZURE_STORAGE_SAS_TOKEN`,
    ///   `AZURE_USE_AZURE_CLI` or a client's id and secret.
    ///
    /// # Errors
    /// When the environment lacks what is needed, or contradicts itself.
    pub fn bucket(&self, address: &ObjectAddress) -> Result<Bucket, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (address.scheme(), address.bucket().to_owned());
        if let Some(bucket) = open.buckets.get(&place) {
            return Ok(bucket.clone());
        }
        let runtime = open.runtime().map_err(|source| {
            Reason::Configuration { said: format!("no thread can be started: {source}") }.at(address)
        })?;
        // Some clients look for their runtime when they are made.
        let entered = runtime.handle().enter();
        let store = open::open(address, self.environment.as_deref())?;
        drop(entered);
        let bucket = Bucket::new(store, runtime.clone(), address.scheme());
        open.buckets.insert(place, bucket.clone());
        drop(open);
        Ok(bucket)
    }
}

impl Open {
    fn runtime(&mut self) -> std::io::Result<SharedRuntime> {
        if let Some(runtime) = &self.runtime {
            return Ok(runtime.clone());
        }
        let runtime = SharedRuntime::start()?;
        self.runtime = Some(runtime.clone());
        Ok(runtime)
    }
}
