//! Whatever goes wrong and whenever the program dies: each video is a Pin once, or is named as of unknown outcome, and
//! never is it one twice.
//!
//! The modules are marked as tests so that the lints know their helpers for what they are.

#[cfg(test)]
#[path = "exactly_once/chaos.rs"]
mod chaos;
#[cfg(test)]
#[path = "exactly_once/kills.rs"]
mod kills;
#[cfg(test)]
#[path = "exactly_once/life.rs"]
mod life;
#[cfg(test)]
#[path = "exactly_once/stage.rs"]
mod stage;
