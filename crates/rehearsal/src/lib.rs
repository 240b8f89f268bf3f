//! A Pinterest on loopback: strict, with faults to inject, and a board page to look at.
//!
//! [`Rehearsal::start`] serves the part of the Pinterest API v5 that publishing a video needs, and answers only what
//! is right by Pinterest's OpenAPI description 5.23.0, or by the integration card dated 2026-01-23 where that has a
//! form of its own. It keeps the videos and covers it was sent, checks them as Pinterest would, and shows the Pins on
//! a page that plays them.

mod accounts;
mod boards;
mod connection;
mod fault;
mod files;
mod gate;
mod inspect;
mod limits;
mod media;
mod oauth;
mod options;
mod page;
mod pin_body;
mod pins;
mod plan;
mod receive;
mod reply;
mod server;
mod store;
mod upload_form;
mod wire;

pub use fault::{Call, Fault, FaultRule};
pub use gate::RecordedRequest;
pub use inspect::{Checked, Inspect, probe_with};
pub use limits::{NotLimits, RateLimits, RateWindow};
pub use oauth::{Grant, OAuthOptions};
pub use options::{BoardOptions, RehearsalOptions, UploadForm};
pub use plan::{FaultPlan, NotAPlan};
pub use server::{Rehearsal, RehearsalError};
pub use store::{KeptCover, KeptPin};
