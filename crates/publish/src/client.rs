//! The calls of the API, one method each.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::api_base::ApiBase;
use crate::board::{find_board, find_section};
use crate::budget::{Budget, BudgetLeft, BudgetView};
use crate::error::{Call, PublishError, Refusal};
use crate::http::{Answer, NoAnswer, send};
use crate::id::{BoardId, BoardSectionId, MediaId, PinId};
use crate::model::{Account, Board, BoardSection, CreatedPin, Media, MediaUpload, MediaUploadAnswer, Page, Pin};
use crate::oauth::{Session, TokenSource};
use crate::pin_create::PinCreate;
use crate::retry::{Repeat, RetryPolicy};
use crate::secret::UploadUrl;
use crate::state::Observer;
use crate::upload::begin_by;

/// OpenAPI `page_size.maximum`.
const PAGE_SIZE: &str = "250";
/// Bytes a second that every line has.
const SLOW_LINE: u64 = 32 * 1024;
/// A listing that goes on for longer than this is taken for one that turns in a circle.
const PAGES_MAX: usize = 400;

/// Limits and addresses of a [`Client`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientOptions {
    /// Where the API is.
    pub api_base: ApiBase,
    /// Until a connection stands, TLS included.
    pub connect_timeout: Duration,
    /// For one call of the API from its start to the end of its answer; uploads apart. `POST /pins` has more, by the
    /// length of the cover.
    pub call_timeout: Duration,
    /// Such a call in which nothing is heard for this long is given up; `POST /pins` apart, which carries the cover.
    pub idle_timeout: Duration,
    /// An upload in which nothing moves for this long is given up.
    pub upload_idle_timeout: Duration,
    /// No upload of a video is tried again later than this after the first try began.
    pub upload_limit: Duration,
    /// How often calls are made again.
    pub retry: RetryPolicy,
    /// How Pinterest is asked whether the video is processed.
    pub poll: PollPolicy,
    /// How a Pin is looked for after an unknown outcome.
    pub lookup: LookupPolicy,
    /// `ad_account_id` for Business Access: act for the owner of that ad account.
    pub ad_account_id: Option<String>,
    /// Calls a day that are made at most, where Pinterest's answers do not tell of such a limit.
    pub daily_calls: Option<u64>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            api_base: ApiBase::default(),
            connect_timeout: Duration::from_secs(15),
            call_timeout: Duration::from_secs(120),
            idle_timeout: Duration::from_secs(30),
            upload_idle_timeout: Duration::from_secs(60),
            upload_limit: Duration::from_secs(6 * 3_600),
            retry: RetryPolicy::default(),
            poll: PollPolicy::default(),
            lookup: LookupPolicy::default(),
            ad_account_id: None,
            daily_calls: None,
        }
    }
}

/// How Pinterest is asked whether the video is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollPolicy {
    /// The first delay; each further one is half as long again.
    pub first_delay: Duration,
    /// The longest delay.
    pub max_delay: Duration,
    /// After this the video is left for later.
    pub limit: Duration,
}

impl Default for PollPolicy {
    fn default() -> Self {
        Self {
            first_delay: Duration::from_secs(2),
            max_delay: Duration::from_secs(15),
            limit: Duration::from_secs(600),
        }
    }
}

/// How a Pin is looked for after an unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookupPolicy {
    /// How often the board is looked at before no match counts as none, at least 1.
    pub looks: u32,
    /// Between two looks: a new Pin may not be listed at once.
    pub delay: Duration,
    /// How far Pinterest's clock may be behind ours.
    pub clock_skew: Duration,
}

impl Default for LookupPolicy {
    fn default() -> Self {
        Self { looks: 4, delay: Duration::from_secs(5), clock_skew: Duration::from_secs(120) }
    }
}

/// A client of the Pinterest API v5. One serves any number of tasks.
#[derive(Debug)]
pub struct Client {
    session: Session,
    options: ClientOptions,
    /// For calls that may be repeated.
    api: reqwest::Client,
    /// For `POST /pins`: a new connection for each call and no repeats of the library's own, so that a connection
    /// error means that nothing was sent.
    once: reqwest::Client,
    /// For the bytes. No token ever goes through it.
    pub(crate) bytes: reqwest::Client,
    budget: Arc<Budget>,
}

impl Client {
    /// A client with this token, or with a login that is refreshed when its time comes.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(token: impl Into<TokenSource>, options: ClientOptions) -> Result<Self, PublishError> {
        let session = Session::new(token.into(), &options)?;
        let api =
            http_client(&options, |builder| builder.timeout(options.call_timeout).read_timeout(options.idle_timeout))?;
        let once = http_client(&options, |builder| {
            builder.timeout(options.call_timeout).pool_max_idle_per_host(0).retry(reqwest::retry::never())
        })?;
        // Pinterest's upload host speaks HTTP/1.1 as S3 does; each try has a connection of its own.
        let bytes = http_client(&options, |builder| {
            builder.http1_only().pool_max_idle_per_host(0).retry(reqwest::retry::never())
        })?;
        let budget = Arc::new(Budget::new(options.daily_calls));
        Ok(Self { session, options, api, once, bytes, budget })
    }

    /// What is left of each window of the rate limits that the answers so far tell of, the longest window last. All
    /// tasks share it.
    #[must_use]
    pub fn budget(&self) -> Vec<BudgetLeft> {
        self.budget.left()
    }

    /// The same for as long as somebody wants to look.
    #[must_use]
    pub fn budget_view(&self) -> BudgetView {
        BudgetView::from(&self.budget)
    }

    /// The same client with the budget of another one of the same account: their calls wait for their turn together.
    #[must_use]
    pub fn within(self, budget: &BudgetView) -> Self {
        Self { budget: budget.budget(), ..self }
    }

    /// What it was made with.
    #[must_use]
    pub const fn options(&self) -> &ClientOptions {
        &self.options
    }

    pub(crate) fn known_secrets(&self) -> Vec<&str> {
        self.session.secrets()
    }

    /// The only place where the token is put into a request; the address always begins with the base URL.
    fn request(&self, client: &reqwest::Client, method: Method, path: &str) -> RequestBuilder {
        client.request(method, self.options.api_base.join(path)).bearer_auth(self.session.newest().token().expose())
    }

    fn as_account(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.options.ad_account_id {
            Some(id) => request.query(&[("ad_account_id", id)]),
            None => request,
        }
    }

    /// Sends with a token that is good for the call. HTTP 401 means that nothing was done: it is made once more with
    /// another token, if one can be had.
    async fn send(
        &self,
        call: Call,
        repeat: Repeat,
        observer: &dyn Observer,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Result<Answer, NoAnswer>, PublishError> {
        self.session.make_ready().await?;
        let used = self.session.newest();
        let outcome = send(call, repeat, &self.options.retry, &self.budget, observer, &request).await?;
        match &outcome {
            Ok(answer) if answer.status == 401 && self.session.renew_refused(used).await? => {
                send(call, repeat, &self.options.retry, &self.budget, observer, request).await
            }
            _ => Ok(outcome),
        }
    }

    async fn ask(
        &self,
        call: Call,
        observer: &dyn Observer,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Answer, PublishError> {
        let answer = self.send(call, Repeat::Safe, observer, request).await?.map_err(|error| error.into_error(call))?;
        if answer.is_success() {
            return Ok(answer);
        }
        Err(PublishError::Refused { call, refusal: answer.refusal(&self.known_secrets()) })
    }

    async fn get<T: DeserializeOwned>(&self, call: Call, path: &str) -> Result<T, PublishError> {
        let answer = self.ask(call, &(), || self.as_account(self.request(&self.api, Method::GET, path))).await?;
        answer.decode(call, &self.known_secrets())
    }

    async fn page<T: DeserializeOwned>(
        &self,
        call: Call,
        path: &str,
        bookmark: Option<&str>,
    ) -> Result<Page<T>, PublishError> {
        let request = || {
            let request =
                self.as_account(self.request(&self.api, Method::GET, path)).query(&[("page_size", PAGE_SIZE)]);
            match bookmark {
                Some(bookmark) => request.query(&[("bookmark", bookmark)]),
                None => request,
            }
        };
        self.ask(call, &(), request).await?.decode(call, &self.known_secrets())
    }

    async fn all<T: DeserializeOwned>(&self, call: Call, path: &str) -> Result<Vec<T>, PublishError> {
        let mut items = Vec::new();
        let mut bookmark: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let page: Page<T> = self.page(call, path, bookmark.as_deref()).await?;
            items.extend(page.items);
            match page.bookmark.filter(|next| !next.is_empty()) {
                Some(next) if bookmark.as_ref() != Some(&next) => bookmark = Some(next),
                _ => return Ok(items),
            }
        }
        Err(PublishError::Undecodable {
            call,
            status: 200,
            reason: format!("the list does not end after {PAGES_MAX} pages"),
            body: String::new(),
            request_id: None,
        })
    }

    /// `GET /user_account`: whose token it is.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses.
    pub async fn user_account(&self) -> Result<Account, PublishError> {
        self.get(Call::GetUserAccount, "user_account").await
    }

    /// `GET /boards`: all boards, over all pages.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses.
    pub async fn boards(&self) -> Result<Vec<Board>, PublishError> {
        self.all(Call::ListBoards, "boards").await
    }

    /// `GET /boards/{board_id}`.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses; HTTP 404 when there is no such board.
    pub async fn board(&self, id: &BoardId) -> Result<Board, PublishError> {
        self.get(Call::GetBoard, &format!("boards/{id}")).await
    }

    /// `GET /boards/{board_id}/sections`: all sections, over all pages.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses.
    pub async fn board_sections(&self, board: &BoardId) -> Result<Vec<BoardSection>, PublishError> {
        self.all(Call::ListBoardSections, &format!("boards/{board}/sections")).await
    }

    /// The board that a user means by an id or a name. Digits are tried as an id first.
    ///
    /// # Errors
    /// When there is none or more than one, or the API cannot be asked.
    pub async fn resolve_board(&self, asked: &str) -> Result<BoardId, PublishError> {
        if let Ok(id) = asked.trim().parse::<BoardId>() {
            match self.board(&id).await {
                Ok(board) => return Ok(board.id),
                Err(PublishError::Refused { refusal: Refusal { status: 404, .. }, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(find_board(&self.boards().await?, asked)?)
    }

    /// The section that a user means by an id or a name.
    ///
    /// # Errors
    /// When there is none or more than one, or the API cannot be asked.
    pub async fn resolve_section(&self, board: &BoardId, asked: &str) -> Result<BoardSectionId, PublishError> {
        Ok(find_section(&self.board_sections(board).await?, asked)?)
    }

    /// The Pins of a board, or of a section of it, over all pages, each once.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses.
    pub async fn pins(&self, board: &BoardId, section: Option<&BoardSectionId>) -> Result<Vec<Pin>, PublishError> {
        let path = match section {
            Some(section) => format!("boards/{board}/sections/{section}/pins"),
            None => format!("boards/{board}/pins"),
        };
        let mut pins: Vec<Pin> = self.all(Call::ListBoardPins, &path).await?;
        // One that comes up while pages are read moves the others on, and the last of a page is seen twice.
        let mut seen = HashSet::new();
        pins.retain(|pin| seen.insert(pin.id.clone()));
        Ok(pins)
    }

    /// `GET /pins/{pin_id}`.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses.
    pub async fn pin(&self, id: &PinId) -> Result<Pin, PublishError> {
        self.get(Call::GetPin, &format!("pins/{id}")).await
    }

    /// `POST /media`: registers the intent to upload. May be repeated; each time leaves an orphan.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses, or answers no address that bytes may be sent to.
    pub async fn register(&self, observer: &dyn Observer) -> Result<MediaUpload, PublishError> {
        let call = Call::RegisterMedia;
        let body = json!({"media_type": "video"});
        let answer = self.ask(call, observer, || self.request(&self.api, Method::POST, "media").json(&body)).await?;
        let MediaUploadAnswer { media_id, upload_url, upload_parameters } =
            answer.decode(call, &self.known_secrets())?;
        let Some(upload_url) = upload_url.map(SecretString::from) else {
            return Err(PublishError::NoUploadUrl { media_id });
        };
        let upload_url = UploadUrl::new(secrecy::ExposeSecret::expose_secret(&upload_url))?;
        let upload_parameters = upload_parameters.unwrap_or_default();
        let begin_by = begin_by(&upload_url, &upload_parameters, &answer.headers, Timestamp::now());
        Ok(MediaUpload { media_id, upload_url, upload_parameters, begin_by })
    }

    /// `GET /media/{media_id}`: how far an upload is.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses; HTTP 404 when there is no such upload any more.
    pub async fn media(&self, id: &MediaId) -> Result<Media, PublishError> {
        self.get(Call::GetMedia, &format!("media/{id}")).await
    }

    /// `POST /pins`, sent once. Only a 429, or a connection that failed before a byte was sent, lets it be sent again.
    pub(crate) async fn create(&self, pin: &PinCreate<'_>, observer: &dyn Observer) -> Created {
        let call = Call::CreatePin;
        let body = match serde_json::to_vec(pin) {
            Ok(body) => Bytes::from(body),
            Err(error) => return Created::No(PublishError::Client { reason: error.to_string() }),
        };
        let timeout = self.options.call_timeout + Duration::from_secs(body.len() as u64 / SLOW_LINE);
        let request = || {
            let request = self.as_account(self.request(&self.once, Method::POST, "pins"));
            request.timeout(timeout).header(CONTENT_TYPE, "application/json").body(body.clone())
        };
        let outcome = match self.send(call, Repeat::OnlyUnsent, observer, request).await {
            Ok(outcome) => outcome,
            Err(error) => return Created::No(error),
        };
        match outcome {
            Ok(answer) if answer.is_success() => match answer.decode::<CreatedPin>(call, &self.known_secrets()) {
                Ok(pin) => Created::Yes(pin.id),
                Err(error) => {
                    tracing::warn!(%error, "the Pin may exist");
                    Created::Unknown(format!("the answer, HTTP {}, holds no Pin", answer.status))
                }
            },
            Ok(answer) => {
                let refusal = answer.refusal(&self.known_secrets());
                // 408 and 5xx may come from something in between, after the request went through. So may anything
                // that is no HTTP error at all.
                if (400..500).contains(&answer.status) && answer.status != 408 {
                    Created::No(PublishError::Refused { call, refusal })
                } else {
                    Created::Unknown(refusal.to_string())
                }
            }
            Err(error) if error.fault == crate::error::NetworkFault::Unsent => Created::No(error.into_error(call)),
            Err(error) => Created::Unknown(error.detail),
        }
    }
}

/// What all clients have in common, and what `more` adds.
pub(crate) fn http_client(
    options: &ClientOptions,
    more: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client, PublishError> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("pinpress/", env!("CARGO_PKG_VERSION")))
        // A redirect would take the token, or the video, to another host.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(options.connect_timeout);
    // A proxy of the environment cannot reach this machine's loopback.
    let builder = if options.api_base.is_loopback() { builder.no_proxy() } else { builder };
    more(builder).build().map_err(|error| PublishError::Client { reason: error.without_url().to_string() })
}

/// What came of `POST /pins`.
#[derive(Debug)]
pub(crate) enum Created {
    /// The Pin exists.
    Yes(PinId),
    /// The Pin certainly does not exist.
    No(PublishError),
    /// Nobody knows.
    Unknown(String),
}
