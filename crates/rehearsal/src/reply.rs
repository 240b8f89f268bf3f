//! Answers in the shape of the API.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// OpenAPI `Error` with its HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: i64,
    pub(crate) message: String,
}

impl ApiError {
    fn new(status: StatusCode, code: i64, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// HTTP 400 with Pinterest's code 1, "parameters".
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 1, message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 2, "Authentication failed.")
    }

    pub(crate) fn no_board() -> Self {
        Self::new(StatusCode::NOT_FOUND, 40, "Board not found.")
    }

    pub(crate) fn no_section() -> Self {
        Self::new(StatusCode::NOT_FOUND, 2031, "Sorry! We couldn't find this board section.")
    }

    pub(crate) fn no_pin() -> Self {
        Self::new(StatusCode::NOT_FOUND, 50, "Pin not found.")
    }

    pub(crate) fn no_media() -> Self {
        Self::new(StatusCode::NOT_FOUND, 404, "Media upload not found")
    }

    pub(crate) fn broken_image() -> Self {
        Self::new(StatusCode::FORBIDDEN, 235, "Sorry, this image is broken. Please pick a different image.")
    }

    pub(crate) fn rate_limited(message: &str) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, 8, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 0, message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"code": self.code, "message": self.message}))).into_response()
    }
}

/// OpenAPI `Paginated`: the part of `items` that `query` asks for, by `page_size` (1 to 250, 25 by default) and
/// `bookmark`, and of that no more than `size_max`.
pub(crate) fn paginated(
    items: Vec<Value>,
    query: &[(String, String)],
    size_max: usize,
) -> Result<Json<Value>, ApiError> {
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let size = match value("page_size") {
        None => 25,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|size| (1..=250).contains(size))
            .ok_or_else(|| ApiError::bad(format!("Invalid page_size {text:?}: an integer from 1 to 250")))?,
    };
    let start = match value("bookmark") {
        None => 0,
        Some(text) => text
            .strip_prefix("rehearsal-")
            .and_then(|place| place.parse::<usize>().ok())
            .filter(|place| *place <= items.len())
            .ok_or_else(|| ApiError::bad("Invalid bookmark"))?,
    };
    let size = size.min(size_max.max(1));
    let end = items.len().min(start + size);
    let bookmark = if end < items.len() { json!(format!("rehearsal-{end}")) } else { Value::Null };
    let page: Vec<_> = items.into_iter().skip(start).take(size).collect();
    Ok(Json(json!({"items": page, "bookmark": bookmark})))
}

/// The error of an upload host that speaks as S3 does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct S3Error {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl S3Error {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// HTTP 403 `AccessDenied`.
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }

    /// HTTP 400 `InvalidArgument`.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    }
}

impl IntoResponse for S3Error {
    fn into_response(self) -> Response {
        let message = self.message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{message}</Message></Error>",
            self.code
        );
        (self.status, [(CONTENT_TYPE, "application/xml")], body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: usize) -> Vec<Value> {
        (0..count).map(|place| json!(place)).collect()
    }

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let mut all = Vec::new();
        let mut bookmark = None;
        let mut pages = 0;
        loop {
            let mut asked = query(&[("page_size", "4")]);
            asked.extend(bookmark.map(|mark| ("bookmark".to_owned(), mark)));
            let Json(page) = paginated(items(10), &asked, 250).unwrap();
            all.extend(page["items"].as_array().unwrap().clone());
            pages += 1;
            match page["bookmark"].as_str() {
                Some(next) => bookmark = Some(next.to_owned()),
                None => break,
            }
        }
        assert_eq!((all, pages), (items(10), 3));
    }

    #[test]
    fn a_page_has_25_items_unless_asked() {
        let Json(page) = paginated(items(30), &[], 250).unwrap();
        assert_eq!(page["items"].as_array().unwrap().len(), 25);
        let Json(page) = paginated(items(30), &query(&[("page_size", "20")]), 7).unwrap();
        assert_eq!((page["items"].as_array().unwrap().len(), &page["bookmark"]), (7, &json!("rehearsal-7")));
        for bad in [
            ("page_size", "0"),
            ("page_size", "251"),
            ("page_size", "x"),
            ("bookmark", "x"),
            ("bookmark", "rehearsal-31"),
        ] {
            assert!(paginated(items(30), &query(&[bad]), 250).is_err(), "{bad:?}");
        }
    }
}
