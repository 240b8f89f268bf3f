//! A client of the Pinterest API v5 that takes a finished video to a Pin, once.
//!
//! [`PinDraft`] is what a user writes; [`PinDraft::settle`] checks it and settles its cover into a [`Draft`];
//! [`publish()`] registers, uploads, waits and creates the Pin, saving each [`PublishState`] through a
//! [`Checkpoint`] so that it can go on from there. [`Client`] has the calls by themselves, with
//! an [`AccessToken`] or with a [`Login`] that it refreshes.
//!
//! Names and limits are those of Pinterest's OpenAPI description 5.23.0. "The card" is the integration card dated
//! 2026-01-23, whose forms of upload and cover work too.

mod api_base;
mod board;
mod budget;
mod client;
mod cover;
mod draft;
mod dry_run;
mod error;
mod http;
mod id;
mod link;
mod lookup;
mod model;
mod oauth;
#[cfg(feature = "pick-cover")]
mod pick;
mod pin_create;
mod publish;
mod reconcile;
mod retry;
mod secret;
mod state;
mod upload;
mod word;

pub use api_base::ApiBase;
pub use board::{BoardError, find_board, find_section};
pub use budget::{BudgetLeft, BudgetView, RateWindow};
pub use client::{Client, ClientOptions, LookupPolicy, PollPolicy};
pub use cover::{
    ContentType, Cover, CoverAs, CoverError, CoverPicker, CoverSource, PICTURE_MAX_BYTES, PickedCover, settle_cover,
};
pub use draft::{
    ALT_TEXT_MAX, DESCRIPTION_ADVISED, DESCRIPTION_MAX, Draft, Field, LINK_MAX, PinDraft, Problem, Problems, TITLE_MAX,
};
pub use dry_run::{PlannedRequest, planned_requests};
pub use error::{Call, CheckpointError, Looked, NetworkFault, PublishError, Refusal};
pub use id::{BoardId, BoardSectionId, MediaId, NotAnId, PinId};
pub use model::{Account, Board, BoardSection, ErrorBody, Media, MediaUpload, Page, Pin, parse_time};
#[cfg(feature = "system-keyring")]
pub use oauth::SystemKeyring;
pub use oauth::{
    AnswerError, AppCredentials, AuthorizationCode, Found, Login, Loopback, LoopbackError, NotAppCredentials,
    RedirectUri, Scopes, State, StoreError, TokenEndpoint, TokenError, TokenFile, TokenPlaces, TokenSource, TokenStore,
    authorize_url,
};
#[cfg(feature = "pick-cover")]
pub use pick::WorkerPicker;
pub use publish::publish;
pub use reconcile::{AdoptablePin, SoughtPin};
pub use retry::RetryPolicy;
pub use secret::{AccessToken, NotAToken, NotAnUploadUrl, UploadParameters, UploadUrl};
pub use state::{Checkpoint, Observer, PublishState, Receipt, Waiting};
pub use upload::Pace;
pub use word::{AccountType, BoardPrivacy, CreativeType, MediaUploadStatus};
