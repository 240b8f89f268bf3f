//! From a finished video to a Pin, going on from wherever it stands.
//!
//! The order of things is what makes a Pin come into being once: the intent is saved before `POST /pins` is sent, the
//! answer is saved before anything else is done, and a call whose answer is lost is never made again: the Pin is
//! looked for on the board instead.

use jiff::Timestamp;
use tokio::time::Instant;

use crate::client::{Client, Created};
use crate::draft::Draft;
use crate::error::{Call, Looked, PublishError, Refusal};
use crate::id::{MediaId, PinId};
use crate::lookup::{Look, look_up};
use crate::model::Media;
use crate::pin_create::{CoverFields, PinCreate};
use crate::reconcile::SoughtPin;
use crate::state::{Checkpoint, Observer, PublishState, Receipt, Waiting};
use crate::word::MediaUploadStatus;

/// How often an upload begins again with a new registration within one run: when its form expired, or Pinterest has
/// forgotten it.
const REGISTRATIONS_MAX: u32 = 3;

/// Publishes `draft`, going on from `state`. Returns at once when it is pinned already.
///
/// # Errors
/// With the first thing that stops it. The saved state tells where the next call will go on;
/// [`PublishError::is_transient`] tells whether that may help.
pub async fn publish(
    client: &Client,
    draft: &Draft,
    state: PublishState,
    checkpoint: &dyn Checkpoint,
    observer: &dyn Observer,
) -> Result<Receipt, PublishError> {
    Publication { client, draft, checkpoint, observer, registrations: 0 }.run(state).await
}

struct Publication<'a> {
    client: &'a Client,
    draft: &'a Draft,
    checkpoint: &'a dyn Checkpoint,
    observer: &'a dyn Observer,
    registrations: u32,
}

impl Publication<'_> {
    async fn run(&mut self, mut state: PublishState) -> Result<Receipt, PublishError> {
        loop {
            state = match state {
                PublishState::New => self.register_and_upload().await?,
                PublishState::Registered { media_id } => self.resume_upload(media_id).await?,
                PublishState::Uploaded { media_id } => self.await_ready(media_id).await?,
                PublishState::Ready { media_id } => self.create(media_id).await?,
                PublishState::Intended { media_id, attempted_at } => {
                    let reason = "the program ended before the answer was saved".to_owned();
                    self.save(PublishState::Unknown { media_id, attempted_at, reason })?
                }
                PublishState::Unknown { media_id, attempted_at, reason } => {
                    self.settle_unknown(media_id, attempted_at, reason).await?
                }
                PublishState::Pinned { media_id, pin_id, url, adopted } => {
                    return Ok(Receipt { media_id, pin_id, url, adopted });
                }
            };
        }
    }

    fn save(&self, state: PublishState) -> Result<PublishState, PublishError> {
        self.checkpoint.save(&state).map_err(|source| PublishError::Checkpoint { source })?;
        tracing::info!(state = state.name(), video = %self.draft.video.display(), "publish");
        self.observer.state(&state);
        Ok(state)
    }

    async fn register_and_upload(&mut self) -> Result<PublishState, PublishError> {
        self.registrations += 1;
        let upload = self.client.register(self.observer).await?;
        let media_id = upload.media_id.clone();
        self.save(PublishState::Registered { media_id: media_id.clone() })?;
        match self.client.upload(&upload, &self.draft.video, self.observer).await {
            Ok(()) => self.save(PublishState::Uploaded { media_id }),
            Err(PublishError::FormExpired) => self.start_over(PublishError::FormExpired),
            Err(error) => Err(error),
        }
    }

    /// After a crash in mid-upload: the form is gone, but the bytes may have arrived.
    async fn resume_upload(&mut self, media_id: MediaId) -> Result<PublishState, PublishError> {
        match self.client.media(&media_id).await {
            Ok(Media { status: MediaUploadStatus::Processing | MediaUploadStatus::Succeeded, .. }) => {
                self.save(PublishState::Uploaded { media_id })
            }
            Ok(_) => self.save(PublishState::New),
            Err(error) if is_gone(&error) => self.save(PublishState::New),
            Err(error) => Err(error),
        }
    }

    /// Begins again with a new registration, unless that was tried often enough: then `error` stands.
    fn start_over(&self, error: PublishError) -> Result<PublishState, PublishError> {
        let state = self.save(PublishState::New)?;
        if self.registrations >= REGISTRATIONS_MAX { Err(error) } else { Ok(state) }
    }

    async fn await_ready(&mut self, media_id: MediaId) -> Result<PublishState, PublishError> {
        let policy = self.client.options().poll;
        let started = Instant::now();
        let mut delay = policy.first_delay;
        loop {
            let status = match self.client.media(&media_id).await {
                Ok(media) => media.status,
                Err(error) if is_gone(&error) => return self.start_over(error),
                Err(error) => return Err(error),
            };
            match status {
                MediaUploadStatus::Succeeded => return self.save(PublishState::Ready { media_id }),
                MediaUploadStatus::Failed => {
                    // Once failed it stays so: the next try needs a new upload.
                    self.save(PublishState::New)?;
                    return Err(PublishError::MediaFailed { media_id, path: self.draft.video.clone() });
                }
                MediaUploadStatus::Registered | MediaUploadStatus::Processing | MediaUploadStatus::Unknown(_) => {}
            }
            let status = status.as_str().to_owned();
            if started.elapsed() + delay > policy.limit {
                return Err(PublishError::StillProcessing { media_id, status, waited: started.elapsed() });
            }
            self.observer.waiting(&Waiting::Processing { status, delay });
            tokio::time::sleep(delay).await;
            delay = delay.saturating_mul(3).checked_div(2).unwrap_or(delay).min(policy.max_delay);
        }
    }

    async fn create(&mut self, media_id: MediaId) -> Result<PublishState, PublishError> {
        let cover = CoverFields::of(&self.draft.cover).await?;
        let attempted_at = Timestamp::now();
        self.save(PublishState::Intended { media_id: media_id.clone(), attempted_at })?;
        let body = PinCreate::new(self.draft, &media_id, cover);
        match self.client.create(&body, self.observer).await {
            Created::Yes(pin) => self.pinned(media_id, pin, false),
            Created::No(error) if is_media_gone(&error) => self.start_over(error),
            Created::No(error) => {
                self.save(PublishState::Ready { media_id })?;
                Err(error)
            }
            Created::Unknown(reason) => self.save(PublishState::Unknown { media_id, attempted_at, reason }),
        }
    }

    async fn settle_unknown(
        &self,
        media_id: MediaId,
        attempted_at: Timestamp,
        reason: String,
    ) -> Result<PublishState, PublishError> {
        let sought = SoughtPin::of(self.draft, attempted_at);
        let looked = match look_up(self.client, &sought, self.checkpoint, self.observer).await {
            Ok(Look::One(pin)) => return self.pinned(media_id, pin, true),
            Ok(Look::None) => Looked::Matches(0),
            Ok(Look::Several(count)) => Looked::Matches(count),
            Err(error) => Looked::Unread(Box::new(error)),
        };
        Err(PublishError::OutcomeUnknown { reason, looked })
    }

    fn pinned(&self, media_id: MediaId, pin_id: PinId, adopted: bool) -> Result<PublishState, PublishError> {
        let url = self.client.options().api_base.pin_url(&pin_id);
        self.save(PublishState::Pinned { media_id, pin_id, url, adopted })
    }
}

/// The upload is not known any more.
fn is_gone(error: &PublishError) -> bool {
    matches!(error, PublishError::Refused { call: Call::GetMedia, refusal: Refusal { status: 404, .. } })
}

/// The same, told by `POST /pins`: 404 with code 404, where boards have 40 and sections 2031.
fn is_media_gone(error: &PublishError) -> bool {
    matches!(
        error,
        PublishError::Refused { call: Call::CreatePin, refusal: Refusal { status: 404, code: Some(404), .. } }
    )
}
