//! The client against the rehearsal: whole runs over real sockets, with faults.
//!
//! The modules are marked as tests so that the lints know their helpers for what they are.

#[cfg(test)]
#[path = "publish_rehearsal/calls.rs"]
mod calls;
#[cfg(test)]
#[path = "publish_rehearsal/once.rs"]
mod once;
#[cfg(test)]
#[path = "publish_rehearsal/secrets.rs"]
mod secrets;
#[cfg(test)]
#[path = "publish_rehearsal/stage.rs"]
mod stage;
#[cfg(test)]
#[path = "publish_rehearsal/uploads.rs"]
mod uploads;
