//! The batch: a folder of videos is found, checked, fixed, given covers and published; what happened to each is kept
//! in a ledger, so that a run can be killed at any moment and goes on where it was.
//!
//! [`run()`] is the whole of it. [`discover()`] and [`check_file`] serve the commands that do a part.

pub mod changes;
pub mod check;
pub mod clock;
pub mod deep;
pub mod discover;
pub mod disk;
pub mod dry_run;
pub mod durable;
pub mod enqueue;
pub mod interrupt;
pub mod ledger;
pub mod manifest;
pub mod media;
pub mod naming;
pub mod objects;
pub mod observe;
pub mod ordered;
pub mod outcome;
pub mod pins;
mod places;
pub mod receipt;
pub mod reconcile;
pub mod retry;
pub mod run;
pub mod shard;
pub mod sweep;
pub mod threads;

pub use changes::{Changes, FolderChanges};
pub use check::{Checked, check_file};
pub use clock::{Clock, SystemClock};
pub use deep::{Decoder, check_deep};
pub use discover::{DiscoverError, Discovery, Filters, Found, Unreadable, discover, discover_with};
pub use disk::{Disk, KeepFree};
pub use dry_run::{DryRun, DryVideo, Standing, dry_run};
pub use enqueue::{Enqueued, enqueue};
pub use interrupt::Interrupt;
pub use ledger::{HoldError, Ledger, LedgerAddress, LedgerError, LedgerPlace, SqliteLedger, ledger_path, own_folder};
pub use manifest::{Manifest, ManifestError, Mistake, Sidecars, StoredSidecars, Template};
pub use media::Media;
pub use naming::means;
pub use objects::{Fetched, Objects};
pub use observe::{ResultFiles, RunEvent, RunObserver, RunStage, video_span};
pub use outcome::{CoverOutcome, End, PinOutcome, RunSummary, VideoOutcome};
pub use pins::{CoverUrl, PinOptions, PinTexts, PinsError};
pub use reconcile::{Doubt, Doubts, ReconcileError};
pub use retry::retry;
pub use run::{Mode, RunError, RunOptions, Until, Worked, keep_watch, publish_due, run, watch, work};
pub use shard::{SchedulerError, Shard};
pub use threads::Threads;
