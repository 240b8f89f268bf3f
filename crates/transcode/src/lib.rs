//! Plans the least change that makes a video fit, carries it out and proves the result.
//!
//! [`facts::read`] answers what a file is, by libav; `execute` carries a plan out into a temp file; `verify` alone turns
//! that into a file under its final name.

pub mod facts;
pub mod failure;
pub mod plan;

pub use facts::read;
