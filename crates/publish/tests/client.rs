//! The client by itself, against servers that keep count and hosts that misbehave.
//!
//! The modules are marked as tests so that the lints know their helpers for what they are.

#[cfg(test)]
#[path = "client/ground.rs"]
mod ground;
#[cfg(test)]
#[path = "client/hosts.rs"]
mod hosts;
#[cfg(test)]
#[path = "client/limits.rs"]
mod limits;
#[cfg(test)]
#[path = "client/reconcile.rs"]
mod reconcile;
#[cfg(test)]
#[path = "client/secrets.rs"]
mod secrets;
