//! What is to be published: each video with its board and texts, settled before any work begins.

mod content;
mod cover_url;
mod prepare;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pinpress_probe::{Seconds, Spec};
use pinpress_publish::{BoardId, BoardSectionId, Client, CoverAs, PinDraft, Problems, PublishError};

use crate::clock::Clock;
use crate::manifest::{Manifest, ManifestError, StoredSidecars, Template};

pub use cover_url::CoverUrl;
pub use prepare::{Assignment, Assignments, title_from_name};
pub(crate) use prepare::{Early, Flaws, assign, draft_all, resolve, resolve_all};

/// The [`PinOptions::destination`] of a rehearsal. Its receipts never take the place of real ones.
pub const REHEARSAL: &str = "rehearsal";

/// Where the Pins go and what they say.
#[derive(Debug)]
pub struct PinOptions {
    /// Speaks with Pinterest.
    pub client: Client,
    /// What the ledger calls the place that is published to: the API's base address, or [`REHEARSAL`]. Pins at one
    /// destination say nothing of another.
    pub destination: String,
    /// How covers go over the wire.
    pub cover_as: CoverAs,
    /// Where they lie, with [`CoverAs::Url`].
    pub cover_url: Option<CoverUrl>,
    /// Videos that are uploaded at the same time, at least 1.
    pub uploads: usize,
    /// At least so long from one Pin to the next; zero takes back what an earlier run asked for, `None` leaves it.
    pub every: Option<SignedDuration>,
    /// By which Pins are due.
    pub clock: Arc<dyn Clock>,
}

/// What the rows of a manifest and the options say about the videos, before it is matched with them and with what
/// lies beside them.
#[derive(Debug, Clone, Default)]
pub struct PinTexts {
    /// The manifest.
    pub manifest: Option<Manifest>,
    /// The board of everything that is given none.
    pub board: Option<String>,
    /// The title of everything that is given none; without it, the words of its name.
    pub title: Option<Template>,
    /// The description of everything that is given none.
    pub description: Option<Template>,
    /// The alternative text of everything that is given none.
    pub alt_text: Option<Template>,
    /// Where Pins lead that are not told.
    pub link: Option<Template>,
    /// Reads what lies beside videos in storage.
    pub stored: StoredSidecars,
}

/// A Pin to be: its texts pass, its board is known.
#[derive(Debug, Clone)]
pub struct PinPlan {
    /// Texts, board as the user wrote it. The video and the cover come later.
    pub draft: PinDraft,
    /// The board.
    pub board: BoardId,
    /// The section.
    pub section: Option<BoardSectionId>,
    /// Not before this.
    pub publish_at: Option<Timestamp>,
}

/// What one video is to become.
#[derive(Debug, Clone, Default)]
pub struct VideoOrder {
    /// Another rule set than that of the run.
    pub spec: Option<Spec>,
    /// The frame to take as the cover.
    pub cover_at: Option<Seconds>,
    /// The Pin; `None` when it is not to be published.
    pub pin: Option<PinPlan>,
}

/// A draft without a row that breaks a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problems}: {path}", path = video.display())]
pub struct BadDraft {
    /// The video.
    pub video: PathBuf,
    /// All that is wrong.
    pub problems: Problems,
}

fn counted(count: usize) -> String {
    if count == 1 { "a video".to_owned() } else { format!("{count} videos") }
}

fn listed(drafts: &[BadDraft]) -> String {
    drafts.iter().map(|draft| format!("  {draft}")).collect::<Vec<_>>().join("\n")
}

/// The orders could not be settled. Nothing was sent that changes anything.
#[derive(Debug, thiserror::Error)]
pub enum PinsError {
    /// The manifest, or what lies beside the videos, has mistakes.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// `--board` does not name a board, or the API could not be asked.
    #[error("cannot use the board {board:?}: {source}")]
    Board {
        /// As the user wrote it.
        board: String,
        /// The client's reason.
        source: PublishError,
    },
    /// Texts that no manifest gave break a limit.
    #[error("{} cannot be published as named; nothing was sent; name them in a manifest or with --title:\n{}", counted(drafts.len()), listed(drafts))]
    Drafts {
        /// What is wrong with each.
        drafts: Vec<BadDraft>,
    },
    /// Neither an option, nor a manifest, nor anything beside a video names a board.
    #[error(
        "no board: give --board, or --manifest with a board for each video, or write one beside each in NAME.pin.toml; run --no-publish stops after the covers"
    )]
    NoBoard,
}
