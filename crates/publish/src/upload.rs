//! The bytes of the video, from disk to `upload_url` in constant memory.
//!
//! With `upload_parameters`: `POST` as `multipart/form-data`, each pair as a text field in the order of the answer,
//! the part `file` last, as S3 wants it. Without: `PUT` of the raw bytes, as the integration card dated 2026-01-23 has
//! it. Both with a known `Content-Length`; S3 refuses a chunked form. The body is built anew for each try.

use std::io;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, RequestBuilder};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::sync::watch;
use tokio_util::io::ReaderStream;

use crate::client::Client;
use crate::error::{Call, NetworkFault, PublishError, Refusal};
use crate::http::{Answer, NoAnswer};
use crate::model::{MediaUpload, parse_time};
use crate::secret::{UploadParameters, without_secrets};
use crate::state::{Observer, Waiting};

/// What is read from disk at once; larger reads gain nothing on loopback.
const CHUNK: usize = 256 * 1024;

/// Why one try of an upload did not go through.
enum Failed {
    /// The form is past its time.
    Expired,
    /// Another try may do.
    Again(PublishError),
    /// It will not.
    ForGood(PublishError),
}

impl Client {
    /// Sends the video to `upload_url`. The access token does not go along.
    ///
    /// # Errors
    /// When the file cannot be read or changes meanwhile, the host refuses, the network fails for all tries, or the
    /// form expires ([`PublishError::FormExpired`]: register again).
    pub async fn upload(
        &self,
        upload: &MediaUpload,
        video: &Path,
        observer: &dyn Observer,
    ) -> Result<(), PublishError> {
        let policy = self.options().retry;
        let expires = expiration(&upload.upload_parameters);
        let mut attempt = 1;
        loop {
            let failed = match self.upload_once(upload, video, observer).await {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            let error = match failed {
                Failed::Expired => return Err(PublishError::FormExpired),
                Failed::ForGood(error) => return Err(error),
                Failed::Again(error) => error,
            };
            if expires.is_some_and(|end| end <= Timestamp::now()) {
                return Err(PublishError::FormExpired);
            }
            if attempt >= policy.attempts.max(1) {
                return Err(error);
            }
            let delay = policy.jittered(attempt);
            observer.waiting(&Waiting::Retry { call: Call::Upload, reason: error.to_string(), delay });
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    async fn upload_once(&self, upload: &MediaUpload, video: &Path, observer: &dyn Observer) -> Result<(), Failed> {
        let unreadable = |source| Failed::ForGood(PublishError::Video { source, path: video.to_owned() });
        let file = File::open(video).await.map_err(unreadable)?;
        let total = file.metadata().await.map_err(unreadable)?.len();
        let (moved, progress) = watch::channel(Sending { sent: 0, flaw: None });
        let stream = read_exactly(file, total, moved);
        let request = self.upload_request(upload, Body::wrap_stream(stream), total).map_err(Failed::ForGood)?;
        let outcome = watched(request, progress.clone(), total, self.options().upload_idle_timeout, observer).await;
        // The library only says that the body failed; the reader knows why.
        if let Some(flaw) = progress.borrow().flaw.clone() {
            return Err(unreadable(io::Error::other(flaw)));
        }
        let answer = outcome.map_err(|error| Failed::Again(error.into_error(Call::Upload)))?;
        judge(&answer, &self.known_secrets())
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

/// How far the body is.
#[derive(Debug, Clone)]
struct Sending {
    sent: u64,
    flaw: Option<String>,
}

/// Exactly `total` bytes of `file`, or an error: a file that shrinks must not become a video that ends early.
fn read_exactly(
    file: File,
    total: u64,
    moved: watch::Sender<Sending>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let mut sent = 0_u64;
    let end = futures_util::stream::once(async { Ok(Bytes::new()) }).map(move |end| (true, end));
    let reader = ReaderStream::with_capacity(file.take(total), CHUNK).map(|chunk| (false, chunk));
    reader.chain(end).map(move |(is_end, chunk)| {
        let checked = chunk.and_then(|bytes| {
            sent += bytes.len() as u64;
            if is_end && sent < total {
                return Err(io::Error::other(format!(
                    "the file became shorter while it was sent: {sent} of {total} bytes"
                )));
            }
            Ok(bytes)
        });
        let flaw = checked.as_ref().err().map(ToString::to_string);
        moved.send_replace(Sending { sent, flaw });
        checked
    })
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
    let mut reading = true;
    loop {
        tokio::select! {
            answer = &mut exchange => return answer,
            moved = progress.changed(), if reading => match moved {
                Ok(()) => observer.upload(progress.borrow_and_update().sent, total),
                // The body is dropped: all of it is with the network, and the answer is awaited.
                Err(_) => reading = false,
            },
            () = tokio::time::sleep(idle) => {
                let sent = progress.borrow().sent;
                let detail = format!("{sent} of {total} bytes were sent, then nothing for {} s", idle.as_secs_f32());
                return Err(NoAnswer { fault: NetworkFault::Stalled, detail });
            }
        }
    }
}

/// Judges the host's answer. S3 answers 204 to a form by default, 200 or 201 when the form asks for it, 200 to a PUT.
fn judge(answer: &Answer, known: &[&str]) -> Result<(), Failed> {
    if matches!(answer.status, 200 | 201 | 204) {
        return Ok(());
    }
    let code = xml_text(&answer.body, "Code").unwrap_or_default();
    let message = xml_text(&answer.body, "Message").unwrap_or_default();
    if answer.status == 403 && message.to_lowercase().contains("expired") {
        return Err(Failed::Expired);
    }
    // Only these two of S3's fields: others echo the policy and the key.
    let message = match (code, message) {
        ("", "") => String::new(),
        ("", text) | (text, "") => text.to_owned(),
        (code, message) => format!("{code}: {message}"),
    };
    let refusal =
        Refusal { status: answer.status, code: None, message: without_secrets(&message, known), request_id: None };
    // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    let again = answer.status >= 500 || matches!(answer.status, 408 | 429) || code == "RequestTimeout";
    let error = PublishError::Refused { call: Call::Upload, refusal };
    Err(if again { Failed::Again(error) } else { Failed::ForGood(error) })
}

/// The text of the first element `name`. S3's errors are flat and without attributes.
fn xml_text<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let rest = &xml[start..];
    Some(rest[..rest.find(&format!("</{name}>"))?].trim())
}

/// The end of the form's time, by the `expiration` of its base64 JSON `policy`.
fn expiration(parameters: &UploadParameters) -> Option<Timestamp> {
    let (_, policy) = parameters.pairs().find(|(name, _)| name.eq_ignore_ascii_case("policy"))?;
    let json = STANDARD.decode(policy.trim()).ok()?;
    let policy: serde_json::Value = serde_json::from_slice(&json).ok()?;
    parse_time(policy.get("expiration")?.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderMap;

    fn verdict(status: u16, body: &str) -> Result<(), Failed> {
        judge(&Answer { status, headers: HeaderMap::new(), body: body.to_owned() }, &[])
    }

    #[test]
    fn the_hosts_answers_are_told_apart() {
        for whole in [200, 201, 204] {
            assert!(verdict(whole, "").is_ok());
        }
        let expired =
            "<Error><Code>AccessDenied</Code><Message>Invalid according to Policy: Policy expired.</Message></Error>";
        assert!(matches!(verdict(403, expired), Err(Failed::Expired)));
        let slow = "<Error><Code>RequestTimeout</Code><Message>Your socket…</Message></Error>";
        assert!(matches!(verdict(400, slow), Err(Failed::Again(_))));
        assert!(matches!(verdict(503, "<Error><Code>SlowDown</Code></Error>"), Err(Failed::Again(_))));
        for refused in [301, 400, 403, 411, 412] {
            assert!(matches!(verdict(refused, ""), Err(Failed::ForGood(_))), "{refused}");
        }
    }

    #[test]
    fn the_hosts_error_keeps_code_and_message_alone() {
        let body = "<?xml?><Error><Code>SignatureDoesNotMatch</Code><Message>The request signature</Message>\
                    <AWSAccessKeyId>PLANT</AWSAccessKeyId><StringToSign>PLANT</StringToSign></Error>";
        let Err(Failed::ForGood(error)) = verdict(403, body) else { panic!() };
        let text = format!("{error} {error:?}");
        assert!(text.contains("The request signature") && !text.contains("PLANT"), "{text}");
    }

    #[test]
    fn the_policy_names_the_end_of_the_form() {
        let of = |policy: &str| {
            let policy = STANDARD.encode(policy);
            expiration(&serde_json::from_value(serde_json::json!({"key": "k", "policy": policy})).unwrap())
        };
        assert_eq!(
            of(r#"{"expiration":"2026-01-27T19:51:43.000Z","conditions":[]}"#),
            parse_time("2026-01-27T19:51:43Z")
        );
        assert_eq!(of("no json"), None);
        assert_eq!(of("{}"), None);
        assert_eq!(expiration(&UploadParameters::default()), None);
    }

    #[tokio::test]
    async fn a_file_that_shrinks_is_an_error_and_one_that_grows_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        std::fs::write(&path, vec![7; CHUNK * 2 + 5]).unwrap();
        let length = (CHUNK * 2 + 5) as u64;
        for (promised, whole) in [(length, true), (length - 6, true), (length + 1, false)] {
            let (moved, progress) = watch::channel(Sending { sent: 0, flaw: None });
            let file = File::open(&path).await.unwrap();
            let chunks: Vec<_> = read_exactly(file, promised, moved).collect().await;
            let read: usize = chunks.iter().flatten().map(Bytes::len).sum();
            assert_eq!(read as u64, promised.min(length));
            assert_eq!(chunks.iter().all(Result::is_ok), whole);
            assert_eq!(progress.borrow().flaw.is_none(), whole);
            assert_eq!(progress.borrow().sent, promised.min(length));
        }
    }
}
