//! What every request passes: the record, the faults, the token, the headers of the API.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::connection::Scissors;
use crate::fault::{Call, Fault, FaultRule, Faults, Struck};
use crate::limits::{Counted, Standing};
use crate::oauth::OAuth;
use crate::options::RehearsalOptions;
use crate::reply::ApiError;
use crate::store::Store;
use crate::upload_form::Form;
use crate::wire;

/// Requests that are remembered at most.
const RECORDED_MAX: usize = 10_000;
/// Pinterest's words for a 429.
const OVER_A_LIMIT: &str = "This request exceeded a rate limit. Please try again later.";
/// Pinterest's words for a 500.
const WENT_WRONG: &str = "Sorry! Something went wrong on our end.";

/// What all handlers share.
pub(crate) struct Shared {
    pub(crate) options: RehearsalOptions,
    pub(crate) address: SocketAddr,
    pub(crate) oauth: OAuth,
    store: Mutex<Store>,
    forms: Mutex<HashMap<String, Form>>,
    faults: Mutex<Faults>,
    counted: Mutex<Counted>,
    recorded: Mutex<Vec<RecordedRequest>>,
    calls: AtomicU64,
    numbers: AtomicU64,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(options: RehearsalOptions, address: SocketAddr, store: Store) -> Self {
        let faults = Faults::new(options.faults.clone());
        let counted = Counted::new(options.limits.clone());
        Self {
            options,
            address,
            oauth: OAuth::default(),
            store: Mutex::new(store),
            forms: Mutex::default(),
            faults: Mutex::new(faults),
            counted: Mutex::new(counted),
            recorded: Mutex::default(),
            calls: AtomicU64::new(0),
            numbers: AtomicU64::new(0),
        }
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        open(&self.store)
    }

    /// The upload forms that were handed out, by media id.
    pub(crate) fn forms(&self) -> MutexGuard<'_, HashMap<String, Form>> {
        open(&self.forms)
    }

    /// A number that was not given before.
    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn recorded(&self) -> Vec<RecordedRequest> {
        open(&self.recorded).clone()
    }

    fn record(&self, call: Option<Call>, request: &Request) {
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let mut recorded = open(&self.recorded);
        if recorded.len() < RECORDED_MAX {
            recorded.push(RecordedRequest {
                call,
                method: request.method().to_string(),
                target: request.uri().to_string(),
                headers: headers.collect(),
            });
        }
    }

    pub(crate) fn set_faults(&self, faults: Vec<FaultRule>) {
        *open(&self.faults) = Faults::new(faults);
    }

    /// Counts a call, or refuses it, by the rate limits; either way with how things stand now.
    fn admit(&self) -> Result<Standing, Standing> {
        open(&self.counted).admit(since_1970())
    }

    /// How the rate limits stand.
    fn look(&self) -> Standing {
        open(&self.counted).look(since_1970())
    }

    fn put_request_id(&self, headers: &mut HeaderMap) {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if let Ok(value) = HeaderValue::from_str(&format!("rehearsal{calls:07}")) {
            headers.insert(HeaderName::from_static("x-pinterest-rid"), value);
        }
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A request as it came, for tests that ask what was sent where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// Which call it was, where it was one.
    pub call: Option<Call>,
    /// `GET`, `POST`, `PUT`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case, and values, in the order of arrival.
    pub headers: Vec<(String, String)>,
}

impl RecordedRequest {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Faults that the handler itself must carry out.
#[derive(Debug, Clone)]
pub(crate) struct Carried(pub(crate) Struck);

/// Records, strikes, asks for the token, and puts the headers on.
pub(crate) async fn pass(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: Request,
    next: Next,
) -> Response {
    let call = Call::of(request.method(), request.uri().path());
    shared.record(call, &request);
    let Some(call) = call else { return next.run(request).await };
    let struck = open(&shared.faults).strike(call);
    let (mut response, standing) = match before(&shared, call, &struck, &scissors, request.headers()) {
        Entry::Answered(response, standing) => (response, standing),
        Entry::Passes(standing) => {
            let mut request = wire::spoil_request(request, &struck, &scissors);
            request.extensions_mut().insert(Carried(struck.clone()));
            (after(next.run(request).await, &struck, &scissors), standing)
        }
    };
    if call != Call::Upload {
        shared.put_request_id(response.headers_mut());
    }
    if let Some(standing) = standing {
        standing.dress(response.headers_mut());
    }
    wire::spoil_answer(response, &struck, &scissors).await
}

/// What becomes of a request, and the rate limits that the headers of its answer tell of, where they do.
enum Entry {
    /// It goes on to its handler.
    Passes(Option<Standing>),
    /// It is answered in place of an effect.
    Answered(Response, Option<Standing>),
}

fn before(shared: &Shared, call: Call, struck: &Struck, scissors: &Scissors, headers: &HeaderMap) -> Entry {
    if let Some(entry) = struck.find(|fault| in_place(shared, fault, scissors)) {
        return entry;
    }
    // The upload host is another one in life: it knows neither tokens nor limits, and judges the header by itself.
    // Tokens are given to an app, by its secret.
    if matches!(call, Call::Upload | Call::Token) {
        return Entry::Passes(None);
    }
    if headers.get(AUTHORIZATION).is_none_or(|value| !is_good_bearer(value, shared)) {
        return Entry::Answered(ApiError::unauthorized().into_response(), Some(shared.look()));
    }
    match shared.admit() {
        Ok(standing) => Entry::Passes(Some(standing)),
        Err(standing) => limited(Some(standing)),
    }
}

fn limited(standing: Option<Standing>) -> Entry {
    Entry::Answered(ApiError::rate_limited(OVER_A_LIMIT).into_response(), standing)
}

/// The answer that a fault gives in place of an effect, if it is one that does.
fn in_place(shared: &Shared, fault: &Fault, scissors: &Scissors) -> Option<Entry> {
    let bare = |error: ApiError| Some(Entry::Answered(error.into_response(), None));
    match fault {
        Fault::RateLimited { retry_after } => {
            let mut response = ApiError::rate_limited(OVER_A_LIMIT).into_response();
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Some(Entry::Answered(response, Some(shared.look().spent(retry_after.unwrap_or(0)))))
        }
        Fault::RateLimitedFor { reset } => Some(limited(Some(shared.look().spent(*reset)))),
        Fault::RateLimitedBare => Some(limited(None)),
        Fault::Spam => bare(ApiError::rate_limited("Your request was blocked as spam.")),
        Fault::Unauthorized => bare(ApiError::unauthorized()),
        Fault::ErrorBeforeEffect => bare(ApiError::internal(WENT_WRONG)),
        Fault::Redirect { to } => {
            Some(Entry::Answered((StatusCode::TEMPORARY_REDIRECT, [(LOCATION, to.clone())]).into_response(), None))
        }
        Fault::ConnectionLost => {
            scissors.cut();
            Some(Entry::Answered(StatusCode::NO_CONTENT.into_response(), None))
        }
        _ => None,
    }
}

fn is_good_bearer(value: &HeaderValue, shared: &Shared) -> bool {
    let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
    token.is_some_and(|token| token == shared.options.token || shared.oauth.accepts(token))
}

fn after(mut response: Response, struck: &Struck, scissors: &Scissors) -> Response {
    for fault in struck.iter() {
        match fault {
            Fault::ErrorAfterEffect => response = ApiError::internal(WENT_WRONG).into_response(),
            Fault::AnswerLost => scissors.cut(),
            Fault::Body(body) => {
                response = (StatusCode::OK, [(CONTENT_TYPE, "application/json")], body.clone()).into_response();
            }
            _ => {}
        }
    }
    response
}
