//! Against S3 servers that nobody here wrote: moto, which has what Amazon's has, and s3s-fs, which checks signatures and
//! keeps its objects as files, so that one of 2 GB need not be 2 GB.
//!
//! The modules are marked as tests so that the lints know their helpers for what they are.

#[cfg(test)]
mod downloads;
#[cfg(test)]
mod listings;
#[cfg(test)]
#[path = "../../../../tests/object_storage/proxy.rs"]
mod proxy;
#[cfg(test)]
mod ranges;
#[cfg(test)]
mod refusals;
#[cfg(test)]
#[path = "../../../../tests/object_storage/servers.rs"]
mod servers;
#[cfg(test)]
mod uploads;
