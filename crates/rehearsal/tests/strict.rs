//! The rehearsal by hand-written HTTP, without the client: what it refuses, what it keeps, what it shows, in a
//! browser too.
//!
//! The modules are marked as tests so that the lints know their helpers for what they are.

#[cfg(test)]
#[path = "strict/api.rs"]
mod api;
#[cfg(test)]
#[path = "strict/board.rs"]
mod board;
#[cfg(test)]
#[path = "strict/browser.rs"]
mod browser;
#[cfg(test)]
#[path = "strict/faults.rs"]
mod faults;
#[cfg(test)]
#[path = "strict/hands.rs"]
mod hands;
#[cfg(test)]
#[path = "strict/oauth.rs"]
mod oauth;
#[cfg(test)]
#[path = "strict/pages.rs"]
mod pages;
#[cfg(test)]
#[path = "strict/uploads.rs"]
mod uploads;
#[cfg(test)]
#[path = "strict/wire.rs"]
mod wire;
