//! The program over object storage: real servers, and what travels is counted between them and it.
//!
//! The modules are marked as tests so that the lints know their helpers for what they are.

#[cfg(test)]
#[path = "object_storage/check.rs"]
mod check;
#[cfg(test)]
#[path = "object_storage/delivered.rs"]
mod delivered;
#[cfg(test)]
#[path = "object_storage/fix.rs"]
mod fix;
#[cfg(test)]
#[path = "object_storage/ground.rs"]
mod ground;
#[cfg(test)]
#[path = "object_storage/proxy.rs"]
#[allow(dead_code, reason = "the crate's own suite has more use for it")]
mod proxy;
#[cfg(test)]
#[path = "object_storage/queue.rs"]
mod queue;
#[cfg(test)]
#[path = "object_storage/runs.rs"]
mod runs;
#[cfg(test)]
#[path = "object_storage/servers.rs"]
#[allow(dead_code, reason = "the crate's own suite has more use for it")]
mod servers;
#[cfg(test)]
#[path = "object_storage/sidecars.rs"]
mod sidecars;
