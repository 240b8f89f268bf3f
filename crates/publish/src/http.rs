//! One call of the API: sent, answered, repeated where that does no harm, and its errors told.

use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::budget::{Budget, Permit};
use crate::error::{Call, NetworkFault, PublishError, Refusal};
use crate::model::ErrorBody;
use crate::retry::{Repeat, RetryPolicy, asked_wait};
use crate::secret::without_secrets;
use crate::state::{Observer, Waiting};

/// Bytes of an answer that are read at most; a full page of 250 Pins is under 2 MB.
const ANSWER_MAX: usize = 16 << 20;

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// No whole answer.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    pub(crate) fault: NetworkFault,
    pub(crate) detail: String,
}

impl NoAnswer {
    pub(crate) fn into_error(self, call: Call) -> PublishError {
        PublishError::Network { call, fault: self.fault, detail: self.detail }
    }
}

impl From<reqwest::Error> for NoAnswer {
    fn from(error: reqwest::Error) -> Self {
        // The order matters: a connect timeout is both.
        let fault = if error.is_connect() || error.is_builder() {
            NetworkFault::Unsent
        } else if error.is_timeout() {
            NetworkFault::Stalled
        } else {
            NetworkFault::Broken
        };
        // The address of an upload is a secret.
        let error = error.without_url();
        let mut detail = error.to_string();
        let mut source = error.source();
        while let Some(reason) = source {
            let _ = write!(detail, ": {reason}");
            source = reason.source();
        }
        Self { fault, detail: without_secrets(&detail, &[]) }
    }
}

impl Answer {
    pub(crate) async fn read(mut response: Response) -> Result<Self, NoAnswer> {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > ANSWER_MAX {
                let detail = format!("the answer is over {ANSWER_MAX} bytes");
                return Err(NoAnswer { fault: NetworkFault::Broken, detail });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }

    pub(crate) const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    pub(crate) fn request_id(&self) -> Option<String> {
        let id = self.headers.get("x-pinterest-rid")?.to_str().ok()?;
        Some(id.chars().take(100).collect())
    }

    /// Reads a refusal; `known` secrets are taken out of its words.
    pub(crate) fn refusal(&self, known: &[&str]) -> Refusal {
        let told = serde_json::from_str::<ErrorBody>(&self.body).ok();
        let message = told.as_ref().map_or(self.body.as_str(), |told| told.message.as_str());
        Refusal {
            status: self.status,
            code: told.as_ref().map(|told| told.code),
            message: without_secrets(message, known),
            request_id: self.request_id(),
        }
    }

    /// Reads the object that the description promises.
    pub(crate) fn decode<T: DeserializeOwned>(&self, call: Call, known: &[&str]) -> Result<T, PublishError> {
        serde_json::from_str(&self.body).map_err(|error| PublishError::Undecodable {
            call,
            status: self.status,
            // The parser quotes the value it stumbled over. In this answer that can be a part of the form.
            reason: if call == Call::RegisterMedia {
                format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
            } else {
                without_secrets(&error.to_string(), known)
            },
            body: if call == Call::RegisterMedia {
                without_values(&self.body)
            } else {
                without_secrets(&self.body, known)
            },
            request_id: self.request_id(),
        })
    }
}

/// The answer to a registration with its strings taken out: only names, numbers and ids remain.
fn without_values(body: &str) -> String {
    fn blank(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::String(text) if !text.bytes().all(|byte| byte.is_ascii_digit()) => {
                "REDACTED".clone_into(text);
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(blank),
            serde_json::Value::Object(fields) => fields.values_mut().for_each(blank),
            _ => {}
        }
    }
    serde_json::from_str::<serde_json::Value>(body).map_or_else(
        |_| format!("(no JSON, {} bytes, not shown as it may hold the upload form)", body.len()),
        |mut value| {
            blank(&mut value);
            without_secrets(&value.to_string(), &[])
        },
    )
}

/// What to do with what came of a try.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is what it is.
    Stop,
    /// Again, after our own delay.
    Again,
    /// Again, after the delay that the server asks for.
    After(Duration),
}

/// Decides by the table of what may be repeated.
pub(crate) fn next_step(repeat: Repeat, outcome: &Result<Answer, NoAnswer>) -> Next {
    match outcome {
        Ok(answer) if answer.status == 429 => {
            if answer.refusal(&[]).is_spam() {
                return Next::Stop;
            }
            asked_wait(&answer.headers).map_or(Next::Again, Next::After)
        }
        Ok(answer) if repeat == Repeat::Safe && matches!(answer.status, 408 | 500 | 502 | 503 | 504) => {
            // Every answer tells when the window of the rate limit ends, and a day's is no reason to wait for a day.
            let asked = answer.headers.contains_key(RETRY_AFTER).then(|| asked_wait(&answer.headers)).flatten();
            asked.map_or(Next::Again, Next::After)
        }
        Err(NoAnswer { fault: NetworkFault::Unsent, .. }) => Next::Again,
        Err(_) if repeat == Repeat::Safe => Next::Again,
        _ => Next::Stop,
    }
}

/// Sends a request that has leave to be sent.
async fn once(permit: Permit<'_>, request: RequestBuilder) -> Result<Answer, NoAnswer> {
    match request.send().await {
        Ok(response) => {
            permit.answered(response.status().as_u16(), response.headers());
            Answer::read(response).await
        }
        Err(error) => {
            let error = NoAnswer::from(error);
            if error.fault == NetworkFault::Unsent {
                permit.unsent();
            } else {
                drop(permit);
            }
            Err(error)
        }
    }
}

/// Carries out one try of a call in a span of its own, by OpenTelemetry's names for such a span. No address is in it:
/// that of an upload is a secret.
pub(crate) async fn traced(
    call: Call,
    attempt: u32,
    exchange: impl Future<Output = Result<Answer, NoAnswer>>,
) -> Result<Answer, NoAnswer> {
    let span = tracing::info_span!(
        "call",
        otel.name = call.route(),
        otel.kind = "client",
        attempt,
        http.response.status_code = Empty,
        error.type = Empty,
        otel.status_code = Empty,
    );
    let outcome = exchange.instrument(span.clone()).await;
    let failed = match &outcome {
        Ok(answer) => {
            span.record("http.response.status_code", answer.status);
            (!answer.is_success()).then(|| answer.status.to_string())
        }
        Err(error) => Some(format!("{:?}", error.fault)),
    };
    if let Some(failed) = failed {
        span.record("error.type", failed);
        span.record("otel.status_code", "ERROR");
    }
    outcome
}

/// Makes a call until it is answered for good or the tries are used up. Each try waits until the budget has room for
/// it; `request` builds it anew.
pub(crate) async fn send(
    call: Call,
    repeat: Repeat,
    policy: &RetryPolicy,
    budget: &Budget,
    observer: &dyn Observer,
    request: impl Fn() -> RequestBuilder,
) -> Result<Result<Answer, NoAnswer>, PublishError> {
    let mut attempt = 1;
    let mut permit = budget.permit(call, policy.max_wait, observer).await?;
    // Waiting for room is no failure and takes no time from the tries.
    let started = Instant::now();
    loop {
        let outcome = traced(call, attempt, async {
            let outcome = once(permit, request()).await;
            match &outcome {
                Ok(answer) => {
                    tracing::debug!(?call, status = answer.status, rid = ?answer.request_id(), "answered");
                }
                Err(error) => tracing::debug!(?call, fault = ?error.fault, detail = error.detail, "no answer"),
            }
            outcome
        });
        let outcome = outcome.await;
        let next = next_step(repeat, &outcome);
        if let (Next::After(wait), Ok(Answer { status: 429, .. })) = (&next, &outcome) {
            budget.bar(call, *wait);
        }
        let delay = match next {
            Next::Stop => return Ok(outcome),
            Next::After(wait) if wait > policy.max_wait => {
                return match &outcome {
                    Ok(answer) if answer.status == 429 => Err(PublishError::RateLimited { call, wait }),
                    _ => Ok(outcome),
                };
            }
            Next::After(wait) => wait.max(policy.jittered(attempt)),
            Next::Again => policy.jittered(attempt),
        };
        if attempt >= policy.attempts.max(1) || started.elapsed() + delay > policy.limit {
            return Ok(outcome);
        }
        let reason = match &outcome {
            Ok(answer) => format!("HTTP {}", answer.status),
            Err(error) => error.detail.clone(),
        };
        observer.waiting(&Waiting::Retry { call, reason, delay });
        tokio::time::sleep(delay).await;
        permit = budget.permit(call, policy.max_wait, observer).await?;
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn answer(status: u16, body: &str) -> Result<Answer, NoAnswer> {
        Ok(Answer { status, headers: HeaderMap::new(), body: body.to_owned() })
    }

    fn broken(fault: NetworkFault) -> Result<Answer, NoAnswer> {
        Err(NoAnswer { fault, detail: String::new() })
    }

    #[test]
    fn what_may_be_repeated() {
        use Repeat::{OnlyUnsent, Safe};
        for status in [200, 201, 301, 400, 401, 403, 404, 409, 501] {
            assert_eq!(next_step(Safe, &answer(status, "")), Next::Stop, "{status}");
            assert_eq!(next_step(OnlyUnsent, &answer(status, "")), Next::Stop, "{status}");
        }
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(next_step(Safe, &answer(status, "")), Next::Again, "{status}");
            assert_eq!(next_step(OnlyUnsent, &answer(status, "")), Next::Stop, "the effect is unknown: {status}");
        }
        for repeat in [Safe, OnlyUnsent] {
            assert_eq!(next_step(repeat, &answer(429, "")), Next::Again);
            let spam = r#"{"code":9,"message":"Blocked as SPAM"}"#;
            assert_eq!(next_step(repeat, &answer(429, spam)), Next::Stop);
            assert_eq!(next_step(repeat, &broken(NetworkFault::Unsent)), Next::Again);
        }
        for fault in [NetworkFault::Broken, NetworkFault::Stalled] {
            assert_eq!(next_step(Safe, &broken(fault)), Next::Again);
            assert_eq!(next_step(OnlyUnsent, &broken(fault)), Next::Stop);
        }
    }

    #[test]
    fn the_server_names_the_delay() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-reset", HeaderValue::from_static("9"));
        let limited = Ok(Answer { status: 429, headers: headers.clone(), body: String::new() });
        assert_eq!(next_step(Repeat::OnlyUnsent, &limited), Next::After(Duration::from_secs(9)));
        let failed = |headers| Ok(Answer { status: 503, headers, body: String::new() });
        assert_eq!(next_step(Repeat::Safe, &failed(headers.clone())), Next::Again, "that was not the limit");
        headers.insert(RETRY_AFTER, HeaderValue::from_static("3"));
        assert_eq!(next_step(Repeat::Safe, &failed(headers)), Next::After(Duration::from_secs(3)));
    }

    #[test]
    fn a_registration_that_does_not_decode_shows_no_value() {
        let body =
            r#"{"media_id":5,"upload_url":"https://x/?PLANT","upload_parameters":{"policy":"PLANT","key":["PLANT"]}}"#;
        let Ok(answer) = answer(201, body) else { panic!() };
        let error = answer.decode::<crate::model::MediaUploadAnswer>(Call::RegisterMedia, &[]).err().unwrap();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("PLANT") && text.contains("upload_parameters"), "{text}");
        let cut = Answer { body: body[..60].to_owned(), ..answer };
        let error = cut.decode::<crate::model::MediaUploadAnswer>(Call::RegisterMedia, &[]).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("PLANT"), "{error}");
    }

    #[test]
    fn an_error_body_is_read_and_its_secrets_are_not() {
        let Ok(answer) = answer(401, r#"{"code":2,"message":"Bad token pina_PLANT"}"#) else { panic!() };
        let refusal = answer.refusal(&["pina_PLANT"]);
        assert_eq!((refusal.status, refusal.code), (401, Some(2)));
        assert_eq!(refusal.message, "Bad token REDACTED");
    }
}
