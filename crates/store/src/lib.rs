//! Videos in object storage: `s3://`, `gs://`, `az://` and `file://`, through the `object_store` crate.
//!
//! [`ObjectAddress`] says where, [`Stores`] opens buckets, a [`Bucket`] lists, reads ranges, downloads and uploads. All of
//! it blocks the thread that asks, for callers that are threads; what waits for the network meanwhile is a small runtime
//! of this crate's own. Nothing is started before the first address is opened.
//!
//! Credentials come from the environment as `object_store` takes them ([`Stores::bucket`] names the variables), and are in
//! no message.

pub mod address;
mod bucket;
mod download;
pub mod error;
mod listing;
mod object;
mod open;
mod range_reader;
mod refusal;
mod runtime;
mod stores;
mod transfer;
mod upload;

pub use address::{AddressError, ObjectAddress, Scheme};
pub use bucket::Bucket;
pub use error::{Reason, StoreError};
pub use listing::Listing;
pub use object::{Identity, Object};
pub use range_reader::RangeReader;
pub use stores::Stores;
pub use transfer::{Transfer, Unwatched};
pub use upload::Existing;

/// Ends the names of keys and files that are still being written. Whoever meets one passes it over.
pub const TEMP_SUFFIX: &str = ".pinpress-tmp";
