//! Between a Pin to be and what the ledger keeps of it.

use std::path::Path;

use jiff::Timestamp;
use pinpress_publish::{BoardId, PinDraft};

use super::PinPlan;
use crate::ledger::PinContent;

impl PinPlan {
    /// The plan of a Pin that was kept.
    pub(crate) fn kept(video: &Path, board: BoardId, content: PinContent, publish_at: Option<Timestamp>) -> Self {
        let draft = PinDraft::new(video, content.board.clone());
        Self { draft, board, section: None, publish_at }.with(content)
    }

    /// What the ledger keeps.
    pub(crate) fn content(&self) -> PinContent {
        let draft = &self.draft;
        PinContent {
            board: draft.board.clone(),
            section: self.section.as_ref().map(|section| section.as_str().to_owned()),
            title: draft.title.clone(),
            description: draft.description.clone(),
            link: draft.link.clone(),
            alt_text: draft.alt_text.clone(),
        }
    }

    /// The plan with what the ledger keeps in the place of its own texts and section.
    pub(crate) fn with(self, content: PinContent) -> Self {
        let draft = PinDraft {
            title: content.title,
            description: content.description,
            link: content.link,
            alt_text: content.alt_text,
            ..self.draft
        };
        Self { draft, section: content.section.and_then(|section| section.parse().ok()), ..self }
    }
}
