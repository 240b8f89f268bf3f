//! The batch: a folder of videos is found, checked, fixed, given covers and published; what happened to each is kept
//! in a ledger, so that a run can be killed at any moment and goes on where it was.

pub mod discover;
pub mod durable;
pub mod interrupt;
pub mod ledger;
pub mod manifest;
pub mod naming;
pub mod sweep;
pub mod threads;

pub use discover::{DiscoverError, Discovery, Found, Unreadable, discover};
pub use interrupt::Interrupt;
pub use ledger::{Ledger, LedgerError, SqliteLedger};
pub use manifest::{Manifest, ManifestError, Mistake};
pub use threads::Threads;
