//! `GET /media/…`: videos and covers, in ranges, as browsers need them to play and to seek.

use std::io::SeekFrom;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use crate::gate::Shared;

/// The part of a file that is asked for: first byte and length.
#[derive(Debug, PartialEq, Eq)]
enum Span {
    Whole,
    Part(u64, u64),
    Outside,
}

/// Reads one byte range (RFC 9110 §14.1.2). A header that is no such range, or has several, asks for everything.
fn span(header: Option<&str>, total: u64) -> Span {
    let Some(range) = header.and_then(|value| value.trim().strip_prefix("bytes=")) else { return Span::Whole };
    let Some((first, last)) = range.split_once('-') else { return Span::Whole };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (start, end) = match (number(first), number(last)) {
        (Some(start), Some(end)) if start <= end => (start, end.saturating_add(1).min(total)),
        (Some(start), None) if last.trim().is_empty() => (start, total),
        (None, Some(suffix)) if first.trim().is_empty() => {
            if suffix == 0 {
                return Span::Outside;
            }
            (total.saturating_sub(suffix), total)
        }
        _ => return Span::Whole,
    };
    if start >= total { Span::Outside } else { Span::Part(start, end - start) }
}

/// `video/mp4`, `image/jpeg` or `image/png`, by the ending; nothing else is here. Names are ids, so no path gets out
/// of the folder.
fn kind(name: &str) -> Option<&'static str> {
    let (stem, extension) = name.split_once('.')?;
    if stem.is_empty() || !stem.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match extension {
        "mp4" => Some("video/mp4"),
        "jpg" => Some("image/jpeg"),
        "png" => Some("image/png"),
        _ => None,
    }
}

/// Sends a file or a part of it. axum answers `HEAD` with the same headers.
pub(crate) async fn send(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let kind = kind(&name).ok_or(StatusCode::NOT_FOUND)?;
    let mut file = tokio::fs::File::open(shared.options.folder.join("media").join(&name))
        .await
        .map_err(|_| StatusCode::NOT_FOUND)?;
    let broken = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let total = file.metadata().await.map_err(broken)?.len();
    let range = headers.get(RANGE).and_then(|value| value.to_str().ok());
    let (status, start, length) = match span(range, total) {
        Span::Whole => (StatusCode::OK, 0, total),
        Span::Part(start, length) => (StatusCode::PARTIAL_CONTENT, start, length),
        Span::Outside => {
            let range = [(CONTENT_RANGE, format!("bytes */{total}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
        }
    };
    file.seek(SeekFrom::Start(start)).await.map_err(broken)?;
    let mut response = Response::new(Body::from_stream(ReaderStream::with_capacity(file.take(length), 64 * 1024)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(value) = HeaderValue::from_str(&format!("bytes {start}-{}/{total}", start + length - 1))
    {
        headers.insert(CONTENT_RANGE, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_rfc() {
        let of = |text| span(Some(text), 100);
        assert_eq!(of("bytes=0-"), Span::Part(0, 100));
        assert_eq!(of("bytes=0-0"), Span::Part(0, 1));
        assert_eq!(of("bytes=10-19"), Span::Part(10, 10));
        assert_eq!(of("bytes=90-500"), Span::Part(90, 10));
        assert_eq!(of("bytes=-5"), Span::Part(95, 5));
        assert_eq!(of("bytes=-500"), Span::Part(0, 100));
        assert_eq!(of("bytes=100-"), Span::Outside);
        assert_eq!(of("bytes=-0"), Span::Outside);
        for everything in ["bytes=9-5", "bytes=a-b", "bytes=1-2,4-5", "lines=1-2", "bytes=", "bytes=-"] {
            assert_eq!(of(everything), Span::Whole, "{everything}");
        }
        assert_eq!(span(None, 100), Span::Whole);
        assert_eq!(span(Some("bytes=0-"), 0), Span::Outside);
    }

    #[test]
    fn only_ids_are_names() {
        assert_eq!(kind("12.mp4"), Some("video/mp4"));
        for bad in ["../12.mp4", "12.json", "rehearsal.json", ".mp4", "12.mp4.part", "12", "1%2f2.mp4"] {
            assert_eq!(kind(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_part_lies_inside_the_file(first in 0..200_u64, last in 0..200_u64, total in 0..150_u64, kind in 0..3) {
            let header = match kind {
                0 => format!("bytes={first}-{last}"),
                1 => format!("bytes={first}-"),
                _ => format!("bytes=-{last}"),
            };
            if let Span::Part(start, length) = span(Some(&header), total) {
                proptest::prop_assert!(length > 0 && start + length <= total, "{header} of {total}");
            }
        }
    }
}
