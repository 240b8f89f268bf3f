//! The upload form against an S3 server that nobody here wrote: it checks the signature and every condition of the
//! policy as Amazon's does, which neither moto nor s3rver do.
//!
//! The modules are marked as tests so that the lints know their helpers for what they are.

#[cfg(test)]
#[path = "upload_s3/forms.rs"]
mod forms;
#[cfg(test)]
#[path = "upload_s3/server.rs"]
mod server;
#[cfg(test)]
#[path = "upload_s3/signed.rs"]
mod signed;
