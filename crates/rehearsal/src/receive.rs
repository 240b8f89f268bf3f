//! The upload host: takes the bytes in either form and answers as S3 does. What arrives is streamed to disk.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::multipart::Field;
use axum::extract::{FromRequest as _, Multipart, Path, Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use crate::gate::Shared;
use crate::inspect::is_picture;
use crate::reply::S3Error;
use crate::store::Stage;

/// A text field longer than this is no part of a form.
const FIELD_MAX: usize = 64 * 1024;
/// So many text fields no form has.
const FIELDS_MAX: usize = 40;

/// `POST upload_url` as `multipart/form-data`: 204 when it is whole.
pub(crate) async fn form(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, S3Error> {
    refuse_bearer(request.headers())?;
    length(request.headers())?;
    let mut parts = Multipart::from_request(request, &()).await.map_err(|error| malformed(&error.body_text()))?;
    let outcome = read_form(&shared, &mut parts).await;
    if outcome.is_err() {
        // A client that is cut off in mid-body does not read the answer.
        while let Ok(Some(mut rest)) = parts.next_field().await {
            while let Ok(Some(_)) = rest.chunk().await {}
        }
    }
    let (media_id, kept) = outcome?;
    accept(&shared, &media_id, kept).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Takes all parts; the answer is the media id whose video is whole, and the video.
async fn read_form(shared: &Arc<Shared>, parts: &mut Multipart) -> Result<(String, Kept), S3Error> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut whole: Option<(String, Kept)> = None;
    while let Some(mut part) = parts.next_field().await.map_err(|error| malformed(&error.body_text()))? {
        let name = part.name().unwrap_or_default().to_owned();
        if whole.is_some() {
            return Err(S3Error::invalid(format!("the part 'file' must be the last one, after it came '{name}'")));
        }
        if name != "file" {
            if fields.len() >= FIELDS_MAX {
                return Err(malformed("too many fields"));
            }
            let value = text(&mut part).await?;
            fields.push((name, value));
            continue;
        }
        if part.content_type().is_some_and(|kind| kind.starts_with("image/")) {
            return Err(S3Error::invalid("a picture was sent where a video belongs"));
        }
        let media_id = {
            let forms = shared.forms();
            let key = fields.iter().find(|(name, _)| name == "key").map(|(_, value)| value.as_str());
            let (media_id, form) = forms
                .iter()
                .find(|(_, form)| form.fields.iter().any(|(name, value)| *name == "key" && Some(value.as_str()) == key))
                .ok_or_else(|| S3Error::invalid("Bucket POST must contain a field named 'key', before the file."))?;
            form.check_fields(&fields)?;
            form.check_time()?;
            media_id.clone()
        };
        let stream = futures_util::stream::unfold(part, |mut part| async {
            let chunk = part.chunk().await.transpose()?;
            Some((chunk.map_err(|error| error.body_text()), part))
        });
        let kept = keep(shared, &media_id, stream).await?;
        whole = Some((media_id, kept));
    }
    whole.ok_or_else(|| S3Error::invalid("POST requires exactly one file upload per request."))
}

/// `PUT upload_url` with the bytes alone, as the card has it: 200 when it is whole.
pub(crate) async fn raw(
    State(shared): State<Arc<Shared>>,
    Path(media_id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, S3Error> {
    refuse_bearer(&headers)?;
    let length = length(&headers)?;
    if headers.get(CONTENT_TYPE).is_none_or(|kind| kind != "video/mp4") {
        return Err(S3Error::invalid("the Content-Type must be video/mp4"));
    }
    {
        let forms = shared.forms();
        let form = forms.get(&media_id).ok_or_else(|| S3Error::denied("Access Denied"))?;
        form.check_time()?;
        let signed = query.iter().any(|(name, value)| name == "signature" && *value == form.signature);
        if !signed {
            return Err(S3Error::new(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", "The address is not signed."));
        }
    }
    let stream = body.into_data_stream().map(|chunk| chunk.map_err(|error| error.to_string()));
    let kept = keep(&shared, &media_id, stream).await?;
    if kept.length != length {
        return Err(incomplete(&format!("{} of {length} bytes", kept.length)));
    }
    accept(&shared, &media_id, kept).await?;
    Ok(StatusCode::OK.into_response())
}

fn refuse_bearer(headers: &HeaderMap) -> Result<(), S3Error> {
    if headers.contains_key(AUTHORIZATION) {
        return Err(S3Error::invalid("Only one auth mechanism allowed; take the Authorization header out."));
    }
    Ok(())
}

fn length(headers: &HeaderMap) -> Result<u64, S3Error> {
    headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()).ok_or_else(|| {
        S3Error::new(
            StatusCode::LENGTH_REQUIRED,
            "MissingContentLength",
            "You must provide the Content-Length HTTP header.",
        )
    })
}

fn malformed(reason: &str) -> S3Error {
    S3Error::new(
        StatusCode::BAD_REQUEST,
        "MalformedPOSTRequest",
        format!("The body of your POST request is not well-formed multipart/form-data: {reason}"),
    )
}

fn incomplete(reason: &str) -> S3Error {
    S3Error::new(
        StatusCode::BAD_REQUEST,
        "IncompleteBody",
        format!("You did not provide the number of bytes specified by the Content-Length HTTP header: {reason}"),
    )
}

async fn text(part: &mut Field<'_>) -> Result<String, S3Error> {
    let mut value = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|error| malformed(&error.body_text()))? {
        if value.len() + chunk.len() > FIELD_MAX {
            return Err(malformed("a field is too long"));
        }
        value.extend_from_slice(&chunk);
    }
    String::from_utf8(value).map_err(|_| malformed("a field is not UTF-8"))
}

fn video_path(shared: &Shared, media_id: &str) -> PathBuf {
    shared.options.folder.join("media").join(format!("{media_id}.mp4"))
}

/// Bytes on disk under a name of their own. They go when this is dropped, unless they were accepted.
struct Kept {
    part: PathBuf,
    length: u64,
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Once accepted it has another name, and there is nothing to remove.
        let _ = std::fs::remove_file(&self.part);
    }
}

fn on_disk(error: std::io::Error) -> S3Error {
    S3Error::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", format!("cannot keep the video: {error}"))
}

/// Streams the bytes to disk. A second upload of the same video may begin before the first one is given up, so that
/// each has a name of its own.
async fn keep(
    shared: &Shared,
    media_id: &str,
    stream: impl Stream<Item = Result<Bytes, String>>,
) -> Result<Kept, S3Error> {
    let part = video_path(shared, media_id).with_extension(format!("{}.part", shared.next_number()));
    let mut file = File::create(&part).await.map_err(on_disk)?;
    let mut kept = Kept { part, length: 0 };
    let mut stream = std::pin::pin!(stream);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|reason| incomplete(&reason))?;
        kept.length += chunk.len() as u64;
        file.write_all(&chunk).await.map_err(on_disk)?;
    }
    if kept.length == 0 {
        return Err(S3Error::new(
            StatusCode::BAD_REQUEST,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        ));
    }
    file.flush().await.map_err(on_disk)?;
    Ok(kept)
}

/// Gives the video its final name, marks the upload as arrived and has it judged in the background.
async fn accept(shared: &Arc<Shared>, media_id: &str, kept: Kept) -> Result<(), S3Error> {
    tokio::fs::rename(&kept.part, video_path(shared, media_id)).await.map_err(on_disk)?;
    let set = |shared: &Shared, media_id: &str, stage: Stage| {
        let mut store = shared.store();
        if let Some(media) = store.media(media_id) {
            media.stage = stage;
        }
        if let Err(error) = store.save() {
            tracing::warn!(%error, "the rehearsal cannot keep its list");
        }
    };
    set(shared, media_id, Stage::Inspecting);
    let doomed = shared.store().media(media_id).is_some_and(|media| media.doomed);
    let (shared, media_id) = (Arc::clone(shared), media_id.to_owned());
    tokio::task::spawn_blocking(move || {
        let path = video_path(&shared, &media_id);
        let verdict = if doomed {
            Err("a fault of the rehearsal".to_owned())
        } else if starts_as_picture(&path) {
            Err("a picture was sent where a video belongs".to_owned())
        } else {
            (shared.options.inspect)(&path)
        };
        let stage = match verdict {
            Ok(checked) => Stage::Succeeded { checked },
            Err(reason) => Stage::Failed { reason },
        };
        set(&shared, &media_id, stage);
    });
    Ok(())
}

fn starts_as_picture(path: &std::path::Path) -> bool {
    use std::io::Read as _;
    let mut start = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(16).read_to_end(&mut start)).is_ok() && is_picture(&start)
}
