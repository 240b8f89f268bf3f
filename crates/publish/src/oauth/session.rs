//! The token of a client: the same for ever, or one that is refreshed in time.
//!
//! A refresh may kill the refresh token it spends, so it is spent once: by one task of a process, under a file lock of
//! all processes, after reading again what another may have brought meanwhile. What comes back is kept before it is
//! used.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::app::AppCredentials;
use super::endpoint::TokenEndpoint;
use super::error::{StoreError, TokenError};
use super::held::Held;
use super::lock::TokenLock;
use super::login::Login;
use super::places::Found;
use super::store::TokenStore;
use crate::client::ClientOptions;
use crate::error::PublishError;
use crate::secret::AccessToken;

/// After a refresh that failed ahead of time: the old token is good for a while yet.
const REST: Duration = Duration::from_secs(60);

/// Where a [`crate::Client`] has its token from.
#[derive(Debug, Clone)]
pub struct TokenSource(Source);

#[derive(Debug, Clone)]
enum Source {
    Fixed(AccessToken),
    Kept { store: Arc<dyn TokenStore>, login: Box<Login>, app: Option<AppCredentials> },
}

impl TokenSource {
    /// The login that `store` keeps, read now. It is refreshed when its time comes, and kept there.
    ///
    /// # Errors
    /// When nothing is kept, or it cannot be read.
    pub fn kept(store: Arc<dyn TokenStore>) -> Result<Self, TokenError> {
        let login = store.load()?.ok_or_else(|| TokenError::NotLoggedIn { place: store.place() })?;
        Ok(Found { login, store }.into())
    }

    /// With these credentials for refreshing, rather than those of the login: an app's secret may be changed.
    #[must_use]
    pub fn with_app(mut self, by: Option<AppCredentials>) -> Self {
        if let Source::Kept { app, .. } = &mut self.0 {
            *app = by;
        }
        self
    }
}

impl From<AccessToken> for TokenSource {
    /// The same token for ever.
    fn from(token: AccessToken) -> Self {
        Self(Source::Fixed(token))
    }
}

impl From<Found> for TokenSource {
    /// A login that was just read.
    fn from(found: Found) -> Self {
        Self(Source::Kept { store: found.store, login: Box::new(found.login), app: None })
    }
}

/// The tokens of a client.
#[derive(Debug)]
pub(crate) struct Session {
    held: Held,
    renewal: Option<Renewal>,
}

#[derive(Debug)]
struct Renewal {
    means: Arc<Means>,
    turn: Mutex<Turn>,
}

/// What a refresh needs.
#[derive(Debug)]
struct Means {
    store: Arc<dyn TokenStore>,
    endpoint: TokenEndpoint,
    app: Option<AppCredentials>,
}

/// What the tasks of a process hand to each other.
#[derive(Debug, Default)]
struct Turn {
    /// Tokens that came and could not be kept.
    unkept: Option<Login>,
    rest_until: Option<Instant>,
}

impl Session {
    pub(crate) fn new(source: TokenSource, options: &ClientOptions) -> Result<Self, PublishError> {
        match source.0 {
            Source::Fixed(token) => Ok(Self { held: Held::fixed(token), renewal: None }),
            Source::Kept { store, login, app } => {
                let endpoint = TokenEndpoint::new(options)?;
                let means = Arc::new(Means { store, endpoint, app });
                let renewal = Renewal { means, turn: Mutex::default() };
                Ok(Self { held: Held::of(&login), renewal: Some(renewal) })
            }
        }
    }

    /// The token to use now.
    pub(crate) fn newest(&self) -> &Held {
        self.held.newest()
    }

    /// Everything that must not be told.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        self.held.secrets()
    }

    /// Refreshes the token when its end is near. While it is good yet, a refresh that fails harms nothing, unless it
    /// has spent the refresh token.
    pub(crate) async fn make_ready(&self) -> Result<(), PublishError> {
        let used = self.newest();
        let (Some(renewal), true) = (&self.renewal, used.is_stale(Timestamp::now())) else { return Ok(()) };
        match self.renew(renewal, used, false).await {
            Err(error) if !used.is_expired(Timestamp::now()) && !is_spent(&error) => {
                tracing::warn!(%error, "the access token is used until its end");
                Ok(())
            }
            result => result.map(|_| ()),
        }
    }

    /// After HTTP 401 with `used`: whether there is another token now.
    pub(crate) async fn renew_refused(&self, used: &Held) -> Result<bool, PublishError> {
        match &self.renewal {
            Some(renewal) => self.renew(renewal, used, true).await,
            None => Ok(false),
        }
    }

    /// Whether there is another token than `used` now.
    async fn renew(&self, renewal: &Renewal, used: &Held, refused: bool) -> Result<bool, PublishError> {
        let mut turn = renewal.turn.lock().await;
        if !std::ptr::eq(self.newest(), used) {
            return Ok(true);
        }
        if !refused && turn.rest_until.is_some_and(|end| Instant::now() < end) {
            return Ok(false);
        }
        let result = self.renew_in_turn(&renewal.means, &mut turn, used).await;
        turn.rest_until = result.is_err().then(|| Instant::now() + REST);
        result
    }

    async fn renew_in_turn(&self, means: &Arc<Means>, turn: &mut Turn, used: &Held) -> Result<bool, PublishError> {
        let lock = TokenLock::take(means.store.lock_file()).await.map_err(TokenError::from)?;
        let store = Arc::clone(&means.store);
        let kept = blocking(move || store.load()).await.map_err(TokenError::from)?;
        let kept = kept.ok_or_else(|| TokenError::NotLoggedIn { place: means.store.place() })?;
        let now = Timestamp::now();
        if kept.access_token.expose() != used.token().expose() {
            // Another process was first, or the user has logged in again.
            turn.unkept = None;
            let is_good = kept.stale_at().is_none_or(|at| now < at);
            self.held.push(Held::of(&kept));
            if is_good {
                return Ok(true);
            }
        }
        let refreshed = match turn.unkept.take() {
            Some(login) => keep(means, login, lock).await,
            None if !kept.is_refreshable(now) => {
                return match kept.refresh_expires_at.or(kept.expires_at) {
                    Some(ended) if kept.is_expired(now) => Err(TokenError::Ended { ended }.into()),
                    _ => Ok(false),
                };
            }
            // Not given up with the task that waits for it: what was spent must bring what it was spent for.
            None => match tokio::spawn(spend(Arc::clone(means), kept, lock)).await {
                Ok(refreshed) => refreshed?,
                Err(error) => return Err(PublishError::Client { reason: error.to_string() }),
            },
        };
        match refreshed {
            Refreshed::Kept(login) => {
                tracing::info!(expires_at = ?login.expires_at(), "the access token was refreshed");
                self.held.push(Held::of(&login));
                Ok(true)
            }
            Refreshed::Unkept(login, source) => {
                turn.unkept = Some(login);
                Err(TokenError::NotKept { source }.into())
            }
        }
    }
}

/// What became of new tokens.
enum Refreshed {
    Kept(Login),
    Unkept(Login, StoreError),
}

async fn spend(means: Arc<Means>, kept: Login, lock: TokenLock) -> Result<Refreshed, PublishError> {
    // A place that cannot be written is found before the refresh token is spent.
    let (store, same) = (Arc::clone(&means.store), kept.clone());
    blocking(move || store.save(&same)).await.map_err(TokenError::from)?;
    let app = means.app.as_ref().unwrap_or(&kept.app);
    let login = means.endpoint.refresh(app, &kept).await?;
    Ok(keep(&means, login, lock).await)
}

/// Keeps new tokens; the lock is held until they are.
async fn keep(means: &Means, login: Login, lock: TokenLock) -> Refreshed {
    let (store, kept) = (Arc::clone(&means.store), login.clone());
    let saved = blocking(move || {
        let saved = store.save(&kept);
        drop(lock);
        saved
    });
    match saved.await {
        Ok(()) => Refreshed::Kept(login),
        Err(error) => Refreshed::Unkept(login, error),
    }
}

/// Disks and keyrings keep a thread waiting.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::Keyring { reason: error.to_string() }),
    }
}

/// Whether the refresh token is gone with it.
const fn is_spent(error: &PublishError) -> bool {
    matches!(error, PublishError::Token(TokenError::NotKept { .. }))
}
