//! The bytes of the video, from disk to `upload_url` in constant memory.
//!
//! With `upload_parameters`: `POST` as `multipart/form-data`, each pair as a text field in the order of the answer,
//! the part `file` last, as S3 wants it. Without: `PUT` of the raw bytes, as the integration card dated 2026-01-23 has
//! it. Both with a known `Content-Length`; S3 refuses a chunked form. The body is built anew for each try.

mod answer;
mod body;
mod form;
mod pace;

use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, RequestBuilder};
use tokio::fs::File;
use tokio::sync::watch;
use tokio::time::Instant;

use self::answer::{Failed, judge};
use self::body::{Sending, read_exactly};
use crate::client::Client;
use crate::error::{Call, NetworkFault, PublishError};
use crate::http::{Answer, NoAnswer, traced};
use crate::model::MediaUpload;
use crate::state::{Observer, Waiting};

pub(crate) use self::form::begin_by;
pub use self::pace::Pace;

/// Bytes that the system and the network may hold after the last one was handed over.
const UNDER_WAY: u64 = 8 << 20;

/// Values of a form that are shorter are no secrets, but words and numbers.
const SHORTEST: usize = 8;

impl Client {
    /// Sends the video to `upload_url`. The access token does not go along.
    ///
    /// # Errors
    /// When the file cannot be read or changes meanwhile, the host refuses, the network fails for all tries, or the
    /// form's time is over or nearly so ([`PublishError::FormExpired`]: register again).
    pub async fn upload(
        &self,
        upload: &MediaUpload,
        video: &Path,
        observer: &dyn Observer,
    ) -> Result<(), PublishError> {
        let policy = self.options().retry;
        let started = Instant::now();
        let mut attempt = 1;
        loop {
            if upload.begin_by.is_some_and(|end| end <= Timestamp::now()) {
                return Err(PublishError::FormExpired);
            }
            let error = match self.upload_once(attempt, upload, video, observer).await {
                Ok(()) => return Ok(()),
                Err(Failed::Expired) => return Err(PublishError::FormExpired),
                Err(Failed::ForGood(error)) => return Err(error),
                Err(Failed::Again(error)) => error,
            };
            let delay = policy.jittered(attempt);
            if attempt >= policy.attempts.max(1) || started.elapsed() + delay > self.options().upload_limit {
                return Err(error);
            }
            observer.waiting(&Waiting::Retry { call: Call::Upload, reason: error.to_string(), delay });
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    async fn upload_once(
        &self,
        attempt: u32,
        upload: &MediaUpload,
        video: &Path,
        observer: &dyn Observer,
    ) -> Result<(), Failed> {
        let unreadable = |source| Failed::ForGood(PublishError::Video { source, path: video.to_owned() });
        let file = File::open(video).await.map_err(unreadable)?;
        let total = file.metadata().await.map_err(unreadable)?.len();
        let (moved, progress) = watch::channel(Sending::default());
        let stream = read_exactly(file.into_std().await, total, moved);
        let request = self.upload_request(upload, Body::wrap_stream(stream), total).map_err(Failed::ForGood)?;
        let exchange = watched(request, progress.clone(), total, self.options().upload_idle_timeout, observer);
        let outcome = traced(Call::Upload, attempt, exchange).await;
        // The library only says that the body failed; the reader knows why.
        if let Some(flaw) = progress.borrow().flaw.clone() {
            return Err(unreadable(io::Error::other(flaw)));
        }
        let answer = outcome.map_err(|error| Failed::Again(error.into_error(Call::Upload)))?;
        // The host may say again what it was given.
        let fields = upload.upload_parameters.pairs().map(|(_, value)| value).filter(|value| value.len() >= SHORTEST);
        let known: Vec<_> = self.known_secrets().into_iter().chain(fields).collect();
        judge(&answer, &known)
    }

    fn upload_request(&self, upload: &MediaUpload, body: Body, total: u64) -> Result<RequestBuilder, PublishError> {
        let url = upload.upload_url.expose();
        let client = &self.bytes;
        if upload.upload_parameters.is_empty() {
            return Ok(client.put(url).header(CONTENT_TYPE, "video/mp4").header(CONTENT_LENGTH, total).body(body));
        }
        let mut form = Form::new();
        for (name, value) in upload.upload_parameters.pairs() {
            form = form.text(name.to_owned(), value.to_owned());
        }
        // A fixed name: that of the user's file is nobody's business.
        let file = Part::stream_with_length(body, total)
            .file_name("video.mp4")
            .mime_str("video/mp4")
            .map_err(|error| PublishError::Client { reason: error.to_string() })?;
        Ok(client.post(url).multipart(form.part("file", file)))
    }
}

/// Sends the request, tells the observer how far it is, and gives up when nothing moves for `idle`.
async fn watched(
    request: RequestBuilder,
    mut progress: watch::Receiver<Sending>,
    total: u64,
    idle: Duration,
    observer: &dyn Observer,
) -> Result<Answer, NoAnswer> {
    let exchange = async { Answer::read(request.send().await?).await };
    tokio::pin!(exchange);
    observer.upload(0, total);
    let (started, mut pace) = (Instant::now(), Pace::default());
    let mut reading = true;
    let mut patience = idle;
    loop {
        tokio::select! {
            answer = &mut exchange => return answer,
            moved = progress.changed(), if reading => match moved {
                Ok(()) => {
                    let sent = progress.borrow_and_update().sent;
                    pace.moved(started.elapsed(), sent);
                    observer.upload(sent, total);
                }
                // The body is dropped: all of it is with the system, which may still have a lot to send.
                Err(_) => {
                    reading = false;
                    patience = answer_limit(idle, pace.bytes_per_second(started.elapsed()));
                }
            },
            () = tokio::time::sleep(patience) => {
                let sent = progress.borrow().sent;
                let detail = format!("{sent} of {total} bytes were sent, then nothing for {} s", patience.as_secs_f32());
                return Err(NoAnswer { fault: NetworkFault::Stalled, detail });
            }
        }
    }
}

/// How long the answer is waited for after the last byte was handed over.
fn answer_limit(idle: Duration, bytes_per_second: Option<u64>) -> Duration {
    idle + bytes_per_second.map_or(Duration::ZERO, |rate| Duration::from_secs(UNDER_WAY / rate)).min(idle * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_line_is_given_the_time_to_send_what_the_system_holds() {
        let idle = Duration::from_secs(60);
        let limit = |rate| answer_limit(idle, rate).as_secs();
        assert_eq!([limit(None), limit(Some(100_000_000)), limit(Some(64_000))], [60, 60, 191]);
        assert_eq!(limit(Some(1)), 660, "not for ever");
    }
}
