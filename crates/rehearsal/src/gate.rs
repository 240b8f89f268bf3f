//! What every request passes: the record, the faults, the token, the headers of the API.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::connection::Scissors;
use crate::fault::{Call, Fault, Faults};
use crate::oauth::OAuth;
use crate::options::RehearsalOptions;
use crate::reply::ApiError;
use crate::store::Store;
use crate::upload_form::Form;

/// Requests that are remembered at most.
const RECORDED_MAX: usize = 10_000;
/// The limit that the headers tell of: that of trial apps, 1,000 calls a day.
const DAILY_CALLS: u64 = 1_000;

/// What all handlers share.
pub(crate) struct Shared {
    pub(crate) options: RehearsalOptions,
    pub(crate) address: SocketAddr,
    pub(crate) oauth: OAuth,
    store: Mutex<Store>,
    forms: Mutex<HashMap<String, Form>>,
    faults: Mutex<Faults>,
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
        Self {
            options,
            address,
            oauth: OAuth::default(),
            store: Mutex::new(store),
            forms: Mutex::default(),
            faults: Mutex::new(faults),
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

    fn dress(&self, headers: &mut HeaderMap) {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let mut put = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        put("x-pinterest-rid", format!("rehearsal{calls:07}"));
        put("x-ratelimit-limit", format!("{DAILY_CALLS}, {DAILY_CALLS};w=86400"));
        put("x-ratelimit-remaining", DAILY_CALLS.saturating_sub(calls).to_string());
        put("x-ratelimit-reset", "0".to_owned());
    }
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

/// A fault that the handler itself must carry out.
#[derive(Debug, Clone)]
pub(crate) struct Carried(pub(crate) Option<Fault>);

/// Records, strikes, asks for the token, and puts the headers on.
pub(crate) async fn pass(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    mut request: Request,
    next: Next,
) -> Response {
    let call = Call::of(request.method(), request.uri().path());
    shared.record(call, &request);
    let Some(call) = call else { return next.run(request).await };
    let fault = open(&shared.faults).strike(call);
    let mut response = match before(&shared, call, fault.as_ref(), &scissors, request.headers()) {
        Some(response) => response,
        None => {
            request.extensions_mut().insert(Carried(fault.clone()));
            let response = next.run(request).await;
            after(response, fault, &scissors)
        }
    };
    if call != Call::Upload {
        shared.dress(response.headers_mut());
    }
    response
}

fn before(
    shared: &Shared,
    call: Call,
    fault: Option<&Fault>,
    scissors: &Scissors,
    headers: &HeaderMap,
) -> Option<Response> {
    match fault {
        Some(Fault::RateLimited { retry_after }) => {
            let mut response = ApiError::rate_limited("This request exceeded a rate limit.").into_response();
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            return Some(response);
        }
        Some(Fault::Spam) => {
            return Some(ApiError::rate_limited("Your request was blocked as spam.").into_response());
        }
        Some(Fault::Unauthorized) => return Some(ApiError::unauthorized().into_response()),
        Some(Fault::ErrorBeforeEffect) => {
            return Some(ApiError::internal("Sorry! Something went wrong on our end.").into_response());
        }
        Some(Fault::ConnectionLost) => {
            scissors.cut();
            return Some(StatusCode::NO_CONTENT.into_response());
        }
        _ => {}
    }
    // The upload host is another one in life: it knows no token, and judges the header by itself. Tokens are given to
    // an app, by its secret.
    let by_token = !matches!(call, Call::Upload | Call::Token);
    if by_token && headers.get(AUTHORIZATION).is_none_or(|value| !is_good_bearer(value, shared)) {
        return Some(ApiError::unauthorized().into_response());
    }
    None
}

fn is_good_bearer(value: &HeaderValue, shared: &Shared) -> bool {
    let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
    token.is_some_and(|token| token == shared.options.token || shared.oauth.accepts(token))
}

fn after(response: Response, fault: Option<Fault>, scissors: &Scissors) -> Response {
    match fault {
        Some(Fault::ErrorAfterEffect) => ApiError::internal("Sorry! Something went wrong on our end.").into_response(),
        Some(Fault::AnswerLost) => {
            scissors.cut();
            response
        }
        Some(Fault::Body(body)) => (StatusCode::OK, body).into_response(),
        _ => response,
    }
}
