//! What is to be published: each video with its board and texts, settled before any work begins.

mod prepare;

use std::path::PathBuf;

use jiff::Timestamp;
use pinpress_probe::{Seconds, Spec};
use pinpress_publish::{BoardId, BoardSectionId, Client, CoverAs, PinDraft, PublishError};

use crate::manifest::{Manifest, ManifestError};

pub(crate) use prepare::resolve;
pub use prepare::{Assignment, Assignments, assign, title_from_name};

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
    /// Videos that are uploaded at the same time, at least 1.
    pub uploads: usize,
}

/// What the rows of a manifest and the options say about the videos, before it is matched with them.
#[derive(Debug, Default)]
pub struct PinTexts {
    /// The manifest.
    pub manifest: Option<Manifest>,
    /// The board of everything that has no row, or a row without a board.
    pub board: Option<String>,
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

/// The orders could not be settled. Nothing was sent that changes anything.
#[derive(Debug, thiserror::Error)]
pub enum PinsError {
    /// The manifest has mistakes.
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
    /// A title made from a file's name breaks a limit.
    #[error("the name of the file gives no usable title: {problem}: name it in a manifest: {path}", path = path.display())]
    Title {
        /// What is wrong.
        problem: String,
        /// The video.
        path: PathBuf,
    },
    /// Neither a board nor a manifest.
    #[error("no board: give --board, or a manifest with a board for each video")]
    NoBoard,
}
