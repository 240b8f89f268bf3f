//! Why a video was not published, by phase, and what to do next.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::board::BoardError;
use crate::budget::{InWords, RateWindow};
use crate::cover::CoverError;
use crate::draft::Problems;
use crate::id::{BoardId, MediaId, PinId};
use crate::oauth::TokenError;
use crate::secret::NotAnUploadUrl;

/// A call of the API, for errors and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// `GET /user_account`.
    GetUserAccount,
    /// `GET /boards`.
    ListBoards,
    /// `GET /boards/{board_id}`.
    GetBoard,
    /// `GET /boards/{board_id}/sections`.
    ListBoardSections,
    /// `GET /boards/{board_id}/pins`, or the same of a section.
    ListBoardPins,
    /// `POST /media`.
    RegisterMedia,
    /// The bytes to `upload_url`.
    Upload,
    /// `GET /media/{media_id}`.
    GetMedia,
    /// `POST /pins`.
    CreatePin,
    /// `GET /pins/{pin_id}`.
    GetPin,
    /// `POST /oauth/token` with a code.
    GetTokens,
    /// `POST /oauth/token` with a refresh token.
    RefreshTokens,
}

impl Call {
    /// Its method, and its path as the API's description has it.
    #[must_use]
    pub const fn route(self) -> &'static str {
        match self {
            Self::GetUserAccount => "GET /user_account",
            Self::ListBoards => "GET /boards",
            Self::GetBoard => "GET /boards/{board_id}",
            Self::ListBoardSections => "GET /boards/{board_id}/sections",
            Self::ListBoardPins => "GET /boards/{board_id}/pins",
            Self::RegisterMedia => "POST /media",
            Self::Upload => "upload",
            Self::GetMedia => "GET /media/{media_id}",
            Self::CreatePin => "POST /pins",
            Self::GetPin => "GET /pins/{pin_id}",
            Self::GetTokens | Self::RefreshTokens => "POST /oauth/token",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::GetUserAccount => "read the user account",
            Self::ListBoards => "list the boards",
            Self::GetBoard => "read the board",
            Self::ListBoardSections => "list the board's sections",
            Self::ListBoardPins => "list the board's Pins",
            Self::RegisterMedia => "register the upload",
            Self::Upload => "upload the video",
            Self::GetMedia => "read the upload's status",
            Self::CreatePin => "create the Pin",
            Self::GetPin => "read the Pin",
            Self::GetTokens => "trade the code for tokens",
            Self::RefreshTokens => "refresh the access token",
        })
    }
}

/// An answer that refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Pinterest's `code`, where the body had one.
    pub code: Option<i64>,
    /// Pinterest's words, or S3's, or what may be kept of the body.
    pub message: String,
    /// The `x-pinterest-rid` header, which Pinterest's support asks for.
    pub request_id: Option<String>,
}

impl Refusal {
    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match (self.status, self.code) {
            (401, _) => "log in again with `pinpress login`, or get a new access token",
            (403, Some(29)) => {
                "check the token's scopes; an app with trial access may not create Pins outside the sandbox"
            }
            (403, Some(233)) => "use a larger cover picture",
            (403, Some(235)) => "use another cover picture",
            (404, Some(40)) => "check the board: `pinpress boards` lists them",
            (404, Some(2031)) => "check the board section",
            (404, Some(404)) => "publish it again: the upload is gone",
            (429, _) if self.is_spam() => "stop: Pinterest takes it for spam; look at the account before trying again",
            (429, _) => "try again later: the app's or the account's limit is reached",
            (500.., _) => "try again later",
            _ => "change what the message names",
        }
    }

    /// A 429 that speaks of spam must never be repeated.
    #[must_use]
    pub fn is_spam(&self) -> bool {
        self.status == 429 && self.message.to_lowercase().contains("spam")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(code) = self.code {
            write!(f, ", code {code}")?;
        }
        if !self.message.is_empty() {
            write!(f, ", {:?}", self.message)?;
        }
        if let Some(rid) = &self.request_id {
            write!(f, " (x-pinterest-rid {rid})")?;
        }
        Ok(())
    }
}

/// How the network failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkFault {
    /// No connection: no byte of the request was sent.
    Unsent,
    /// Nothing moved for longer than the limit.
    Stalled,
    /// The connection broke.
    Broken,
}

/// A video was not published, or the API could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The base URL of the API cannot be used.
    #[error("not a base URL of the API: {reason}: give one like https://api.pinterest.com/v5")]
    ApiBase {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No TLS, no threads: the HTTP client did not start.
    #[error("the HTTP client could not be started: {reason}")]
    Client {
        /// The library's reason.
        reason: String,
    },
    /// The draft breaks a limit; nothing was sent.
    #[error(transparent)]
    Draft(#[from] Problems),
    /// There is no usable cover; nothing was sent.
    #[error(transparent)]
    Cover(#[from] CoverError),
    /// The board or section is not there, or not the only one.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// There is no access token that could be used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The server refused.
    #[error("could not {call}: {refusal}: {remedy}", remedy = refusal.remedy())]
    Refused {
        /// The call.
        call: Call,
        /// The answer.
        refusal: Refusal,
    },
    /// The limit is reached for longer than a call may wait.
    #[error("could not {call}: the rate limit is reached: run the same command again in {}", InWords(*wait))]
    RateLimited {
        /// The call.
        call: Call,
        /// How long the server asks to wait.
        wait: Duration,
    },
    /// A window of the rate limit is used up for longer than a call may wait. Nothing was sent.
    #[error(
        "could not {call}: the rate limit of {window} is used up: run the same command again in {}",
        InWords(*resets_in)
    )]
    BudgetSpent {
        /// The call.
        call: Call,
        /// The window.
        window: RateWindow,
        /// When there is room again.
        resets_in: Duration,
    },
    /// The network failed, after all the tries that this call allows.
    #[error("could not {call}: {}: check the network and try again: {detail}", match fault {
        NetworkFault::Unsent => "no connection",
        NetworkFault::Stalled => "nothing moved for too long",
        NetworkFault::Broken => "the connection broke",
    })]
    Network {
        /// The call.
        call: Call,
        /// How.
        fault: NetworkFault,
        /// The library's reason, without addresses.
        detail: String,
    },
    /// An answer that is not what the description says.
    #[error(
        "could not {call}: the answer (HTTP {status}) is not as described: {reason}: report it with its beginning: {}",
        beginning(body)
    )]
    Undecodable {
        /// The call.
        call: Call,
        /// HTTP status.
        status: u16,
        /// What the parser said.
        reason: String,
        /// At most 2,000 characters of the body, secrets taken out.
        body: String,
        /// The `x-pinterest-rid` header.
        request_id: Option<String>,
    },
    /// The answer to the registration has no `upload_url`.
    #[error("could not register the upload: the answer has no upload_url: try again later (media id {media_id})")]
    NoUploadUrl {
        /// The orphan that was registered.
        media_id: MediaId,
    },
    /// The answer to the registration has an address that bytes must not be sent to.
    #[error(transparent)]
    UploadUrl(#[from] NotAnUploadUrl),
    /// The upload form is past its `expiration`.
    #[error("could not upload the video: the upload form expired before the upload was through: try again")]
    FormExpired,
    /// The video could not be read while it was sent.
    #[error("could not upload the video: {source}: {path}", path = path.display())]
    Video {
        /// The system's reason, or that the file changed.
        source: std::io::Error,
        /// The video.
        path: PathBuf,
    },
    /// Pinterest took the bytes and could make nothing of them. It gives no reason.
    #[error(
        "Pinterest could not process the video and gives no reason: run `pinpress check --deep` and `pinpress fix` on it \
         (media id {media_id}): {path}",
        path = path.display()
    )]
    MediaFailed {
        /// The upload.
        media_id: MediaId,
        /// The video.
        path: PathBuf,
    },
    /// Still not ready when the limit of waiting was reached. Going on later needs no new upload.
    #[error("Pinterest is still processing the video after {} s: run the same command again later (media id {media_id}, status {status:?})", waited.as_secs())]
    StillProcessing {
        /// The upload.
        media_id: MediaId,
        /// The last status.
        status: String,
        /// How long was waited.
        waited: Duration,
    },
    /// Nobody knows whether the Pin was made. It is never sent again without a person's word.
    #[error(
        "it is unknown whether the Pin was created ({reason}); {looked}: look at the board, then settle it with \
         `pinpress reconcile`"
    )]
    OutcomeUnknown {
        /// What hid the answer.
        reason: String,
        /// What looking for it brought.
        looked: Looked,
    },
    /// A Pin that was named for one of unknown outcome is not where that one would be.
    #[error("Pin {pin_id} is not on board {board}, or not in its section: name the one that is")]
    PinElsewhere {
        /// The Pin that was named.
        pin_id: PinId,
        /// Where the Pin of unknown outcome was to be.
        board: BoardId,
    },
    /// The state could not be saved. Nothing was sent after that.
    #[error("the state could not be saved, so nothing more was sent: {source}")]
    Checkpoint {
        /// The keeper's reason.
        source: CheckpointError,
    },
}

/// What looking for a Pin of unknown outcome brought.
#[derive(Debug)]
pub enum Looked {
    /// So many Pins could be it; never one.
    Matches(usize),
    /// The board could not be read.
    Unread(Box<PublishError>),
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matches(0) => f.write_str("no Pin on the board matches it"),
            Self::Matches(count) => write!(f, "{count} Pins on the board match it"),
            Self::Unread(error) => write!(f, "and the board could not be read: {error}"),
        }
    }
}

/// As much of a body as a line of text bears.
fn beginning(body: &str) -> String {
    body.chars().take(200).collect()
}

/// What a [`crate::Checkpoint`] says when it cannot save.
pub type CheckpointError = Box<dyn std::error::Error + Send + Sync>;

impl PublishError {
    /// Whether going on from the saved state later, with nothing changed, may well succeed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } => {
                !refusal.is_spam() && (refusal.status == 429 || refusal.status == 408 || refusal.status >= 500)
            }
            Self::RateLimited { .. }
            | Self::BudgetSpent { .. }
            | Self::Network { .. }
            | Self::StillProcessing { .. }
            | Self::FormExpired => true,
            _ => false,
        }
    }

    /// Whether there is no access token or it was not accepted (HTTP 401), so that no other video will fare better.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Token(_)) || matches!(self, Self::Refused { refusal, .. } if refusal.status == 401)
    }
}
