//! Logins against the rehearsal: given, refreshed once whoever asks, kept before they are used, never told.
//!
//! The modules are marked as tests so that the lints know their helpers for what they are.

#[cfg(test)]
#[path = "tokens/keeping.rs"]
mod keeping;
#[cfg(test)]
#[path = "tokens/loopback.rs"]
mod loopback;
#[cfg(test)]
#[path = "tokens/refreshing.rs"]
mod refreshing;
#[cfg(test)]
#[path = "tokens/stage.rs"]
mod stage;
