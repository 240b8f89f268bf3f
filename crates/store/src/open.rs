//! Making clients from the environment.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3CopyIfNotExists};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, ObjectStore, RetryConfig};

use crate::address::{ObjectAddress, Scheme};
use crate::error::{Reason, StoreError};
use crate::refusal::{Asked, refusal};
use crate::stores::Environment;

/// How often a request is made again: with [`LONGEST_WAIT`] between the last ones, about a minute of trouble.
pub(crate) const RETRIES: usize = 8;

/// No try begins later than this after the first.
const GIVE_UP: Duration = Duration::from_secs(90);

/// Between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

pub(crate) fn open(
    address: &ObjectAddress,
    environment: Option<&Environment>,
) -> Result<Arc<dyn ObjectStore>, StoreError> {
    let name = address.bucket();
    let store: Result<Arc<dyn ObjectStore>, _> = match address.scheme() {
        Scheme::S3 => {
            let builder = match environment {
                None => AmazonS3Builder::from_env(),
                Some(environment) => keys(environment, "AWS_")
                    .fold(AmazonS3Builder::new(), |builder, (key, value)| builder.with_config(key, value)),
            };
            let mut builder = builder.with_bucket_name(name).with_retry(retry());
            if builder.get_config_value(&AmazonS3ConfigKey::CopyIfNotExists).is_none() {
                builder = builder.with_copy_if_not_exists(unless_it_exists());
            }
            builder.build().map(|store| Arc::new(store) as _)
        }
        Scheme::Google => {
            let builder = match environment {
                None => GoogleCloudStorageBuilder::from_env(),
                Some(environment) => keys(environment, "GOOGLE_")
                    .fold(GoogleCloudStorageBuilder::new(), |builder, (key, value)| builder.with_config(key, value)),
            };
            let builder = builder.with_bucket_name(name).with_retry(retry());
            builder.build().map(|store| Arc::new(store) as _)
        }
        Scheme::Azure => {
            let builder = match environment {
                None => MicrosoftAzureBuilder::from_env(),
                Some(environment) => keys(environment, "AZURE_")
                    .fold(MicrosoftAzureBuilder::new(), |builder, (key, value)| builder.with_config(key, value)),
            };
            let builder = builder.with_container_name(name).with_retry(retry());
            builder.build().map(|store| Arc::new(store) as _)
        }
        Scheme::File => Ok(Arc::new(LocalFileSystem::new().with_fsync(true)) as _),
    };
    store.map_err(|error| match refusal(&error, address.scheme(), Asked::Read) {
        Reason::Other { said } => Reason::Configuration { said }.at(address),
        reason => reason.at(address),
    })
}

/// With `If-None-Match: *` Amazon "copies the object only if the object key name at the destination does not already exist
/// in the bucket specified", and answers 412 otherwise (S3 API reference, `CopyObject`). A server that does not know it
/// copies all the same.
fn unless_it_exists() -> S3CopyIfNotExists {
    S3CopyIfNotExists::Header("if-none-match".to_owned(), "*".to_owned())
}

/// What `from_env` takes of the process's variables: those that begin with `prefix` and are known.
fn keys<'a, Key: FromStr>(environment: &'a Environment, prefix: &'a str) -> impl Iterator<Item = (Key, &'a str)> {
    let ours = environment.iter().filter(move |(name, _)| name.starts_with(prefix));
    ours.filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value.as_str())))
}

fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { max_backoff: LONGEST_WAIT, ..BackoffConfig::default() },
        max_retries: RETRIES,
        retry_timeout: GIVE_UP,
    }
}
