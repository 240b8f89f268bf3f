//! Where a video stands on its way to a Pin, and the two traits through which publishing reports.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Call, CheckpointError};
use crate::id::{MediaId, PinId};

/// Where a video stands. Publishing goes on from any of these, also in another process. No state holds a secret: the
/// upload form is not kept, an upload that did not finish is registered again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum PublishState {
    /// Nothing was sent.
    #[default]
    New,
    /// Pinterest expects the bytes.
    Registered {
        /// The upload.
        media_id: MediaId,
    },
    /// Pinterest has all the bytes.
    Uploaded {
        /// The upload.
        media_id: MediaId,
    },
    /// Pinterest has processed the video.
    Ready {
        /// The upload.
        media_id: MediaId,
    },
    /// `POST /pins` is about to be sent, or was. Found after a crash, its outcome is unknown.
    Intended {
        /// The upload.
        media_id: MediaId,
        /// Our clock just before the call.
        attempted_at: Timestamp,
    },
    /// The Pin exists.
    Pinned {
        /// The upload.
        media_id: MediaId,
        /// The Pin.
        pin_id: PinId,
        /// Where people see it.
        url: String,
        /// It was found on the board after an unknown outcome, rather than told by the answer.
        adopted: bool,
    },
    /// Nobody knows whether the Pin exists, and looking did not tell.
    Unknown {
        /// The upload.
        media_id: MediaId,
        /// Our clock just before the call.
        attempted_at: Timestamp,
        /// What hid the answer.
        reason: String,
    },
}

impl PublishState {
    /// The name, for people and for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Registered { .. } => "registered",
            Self::Uploaded { .. } => "uploaded",
            Self::Ready { .. } => "ready",
            Self::Intended { .. } => "intended",
            Self::Pinned { .. } => "pinned",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// Keeps the state of one video, so that publishing can go on after a crash.
pub trait Checkpoint: Send + Sync {
    /// Makes `state` durable before it returns. It is called before each step that depends on it, and publishing
    /// stops when it fails.
    ///
    /// # Errors
    /// Whatever kept it from saving. Saving [`PublishState::Pinned`] must fail when its Pin is already recorded for
    /// another video.
    fn save(&self, state: &PublishState) -> Result<(), CheckpointError>;

    /// Whether this Pin is known to be another video's, and so cannot be the one that is looked for after an unknown
    /// outcome.
    fn belongs_to_another(&self, pin: &PinId) -> bool {
        let _ = pin;
        false
    }
}

/// Hears how publishing goes. Called often; must return at once.
pub trait Observer: Send + Sync {
    /// A state was reached and saved.
    fn state(&self, state: &PublishState) {
        let _ = state;
    }

    /// Bytes of the video that were handed to the network, of all.
    fn upload(&self, sent: u64, total: u64) {
        let _ = (sent, total);
    }

    /// Nothing is sent for a while.
    fn waiting(&self, waiting: &Waiting) {
        let _ = waiting;
    }
}

impl Observer for () {}

/// Why nothing is sent for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// Pinterest processes the video.
    Processing {
        /// Its status.
        status: String,
        /// Until it is asked again.
        delay: Duration,
    },
    /// A call failed and will be made again.
    Retry {
        /// The call.
        call: Call,
        /// What happened.
        reason: String,
        /// Until it is made again.
        delay: Duration,
    },
    /// The rate limit leaves no room for the call yet.
    Budget {
        /// The call.
        call: Call,
        /// Until there is room.
        delay: Duration,
    },
    /// The board is looked at again, as the Pin may not be listed yet.
    Lookup {
        /// Until it is looked at again.
        delay: Duration,
    },
}

/// The video is a Pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The upload.
    pub media_id: MediaId,
    /// The Pin.
    pub pin_id: PinId,
    /// Where people see it.
    pub url: String,
    /// It was found on the board after an unknown outcome, rather than told by the answer.
    pub adopted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_survive_json_under_names_that_stay() {
        let media_id: MediaId = "12".parse().unwrap();
        let attempted_at: Timestamp = "2026-11-24T08:00:00.5Z".parse().unwrap();
        let all = [
            (PublishState::New, r#"{"state":"new"}"#),
            (PublishState::Registered { media_id: media_id.clone() }, r#"{"state":"registered","media_id":"12"}"#),
            (
                PublishState::Intended { media_id: media_id.clone(), attempted_at },
                r#"{"state":"intended","media_id":"12","attempted_at":"2026-11-24T08:00:00.5Z"}"#,
            ),
            (
                PublishState::Pinned { media_id, pin_id: "34".parse().unwrap(), url: "u".to_owned(), adopted: true },
                r#"{"state":"pinned","media_id":"12","pin_id":"34","url":"u","adopted":true}"#,
            ),
        ];
        for (state, text) in all {
            assert_eq!(serde_json::to_string(&state).unwrap(), text);
            assert_eq!(serde_json::from_str::<PublishState>(text).unwrap(), state);
        }
    }
}
