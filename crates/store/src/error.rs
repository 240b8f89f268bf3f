//! Why storage did not do what was asked.

use std::io;
use std::path::PathBuf;

use crate::address::{ObjectAddress, Scheme};

/// What was asked could not be done with that object or bucket.
#[derive(Debug, thiserror::Error)]
#[error("{reason}: {address}")]
pub struct StoreError {
    /// What it was asked of.
    pub address: ObjectAddress,
    /// Why not.
    pub reason: Reason,
}

/// Why not, and what to do. The texts have neither addresses of requests nor credentials in them.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// There is no such bucket or container.
    #[error("there is no such bucket: mind its spelling, its region (AWS_REGION), and whose account it is in")]
    NoSuchBucket,
    /// There is no such object, nor any below it where folders are meant too.
    #[error("there is nothing there: mind the spelling, capitals too")]
    NotFound,
    /// The credentials are known, and do not allow it.
    #[error(
        "access denied{said}: these credentials may not {operation} there; ask who runs the bucket for {permission}"
    )]
    AccessDenied {
        /// The storage's own words in brackets, or nothing.
        said: String,
        /// What was asked.
        operation: &'static str,
        /// What allows it.
        permission: &'static str,
    },
    /// The credentials are not accepted.
    #[error(
        "the credentials are not accepted{said}: mind their variables in the environment, and whether they have expired"
    )]
    Refused {
        /// The storage's own words in brackets, or nothing.
        said: String,
    },
    /// None were found.
    #[error("no credentials: {}", remedy(*scheme))]
    NoCredentials {
        /// Whose.
        scheme: Scheme,
    },
    /// Another region.
    #[error("the bucket is in another region: set AWS_REGION to it")]
    OtherRegion,
    /// Too many requests, again and again.
    #[error(
        "the storage asks for fewer requests, and still did after {retries} tries: run again later, or with fewer --jobs"
    )]
    Throttled {
        /// How often it was asked again.
        retries: usize,
    },
    /// The storage could not be reached, or the answer broke off.
    #[error("the storage cannot be reached: {said}: mind the network, and AWS_ENDPOINT_URL where one is set")]
    Network {
        /// What happened.
        said: String,
    },
    /// It is another object than the one that was listed or begun.
    #[error("it changed while it was read: somebody writes it; run again when they are done")]
    Changed,
    /// The key has an object already.
    #[error("there is an object already: remove it, or give another place for the output")]
    Exists,
    /// A key that cannot be named.
    #[error("an object in it has a key with an empty part (//), . or ..: rename it, or give a folder beside it")]
    BadKey,
    /// The environment does not say how to open it.
    #[error("cannot be opened: {said}")]
    Configuration {
        /// What is missing or wrong.
        said: String,
    },
    /// A local file could not be read or written.
    #[error("{source}: {path}", path = path.display())]
    Local {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Larger than the caller takes.
    #[error(
        "{size} bytes are more than the {most} that are downloaded for this: copy it to this machine, and give the copy"
    )]
    TooLarge {
        /// Bytes of the object.
        size: u64,
        /// Bytes that are taken.
        most: u64,
    },
    /// Whoever watches the transfer stopped it.
    #[error("interrupted")]
    Interrupted,
    /// Anything else.
    #[error("the storage failed: {said}")]
    Other {
        /// Its own words.
        said: String,
    },
}

impl Reason {
    pub(crate) fn at(self, address: &ObjectAddress) -> StoreError {
        StoreError { address: address.clone(), reason: self }
    }
}

/// What gives credentials.
const fn remedy(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::S3 => {
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (for a profile: eval \"$(aws configure export-credentials \
             --format env)\"), or AWS_SKIP_SIGNATURE=true for a public bucket"
        }
        Scheme::Google => {
            "set GOOGLE_APPLICATION_CREDENTIALS to a key file, run gcloud auth application-default login, or set \
             GOOGLE_SKIP_SIGNATURE=true for a public bucket"
        }
        Scheme::Azure => {
            "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY (or AZURE_STORAGE_SAS_TOKEN, or \
             AZURE_USE_AZURE_CLI=true), or AZURE_SKIP_SIGNATURE=true for a public container"
        }
        Scheme::File => "none are needed",
    }
}
