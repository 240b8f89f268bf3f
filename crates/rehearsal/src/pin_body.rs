//! What may stand in the body of `POST /pins`: OpenAPI `PinCreate` with `PinMediaSourceVideoID`, and the card's
//! `cover_image_timestamp_ms`. Stricter than the description where that lets anything through: unknown fields, no
//! `board_id`, no `media_source`, and no cover or more than one are refused.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::reply::ApiError;

/// Longest body in bytes: a cover of 20 MB in base64, and the texts.
const BODY_MAX: usize = 28 << 20;

/// A Pin that may be created, as far as its body tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NewPin {
    pub(crate) board_id: String,
    pub(crate) board_section_id: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) link: Option<String>,
    pub(crate) alt_text: Option<String>,
    pub(crate) media_id: String,
    pub(crate) cover: NewCover,
}

/// Its cover.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NewCover {
    Image { bytes: Vec<u8>, extension: &'static str },
    KeyFrame(u64),
    TimestampMs(u64),
    Url(String),
}

/// The JSON object of a request.
pub(crate) fn json_object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().map(str::trim) != Some("application/json") {
        return Err(ApiError::bad("The Content-Type must be application/json"));
    }
    if body.len() > BODY_MAX {
        return Err(ApiError::bad("The body is too long"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ApiError::bad("The body is no JSON object")),
        Err(error) => Err(ApiError::bad(format!("The body is no JSON: {error}"))),
    }
}

/// Reads the body of `POST /pins`.
pub(crate) fn read(body: Map<String, Value>) -> Result<NewPin, ApiError> {
    let mut fields = Fields(body);
    let board_id = fields.id("board_id")?.ok_or_else(|| missing("board_id"))?;
    let board_section_id = fields.id("board_section_id")?;
    let title = fields.text("title", 100)?;
    let description = fields.text("description", 800)?;
    let link = fields.text("link", 2048)?;
    if link.as_deref().is_some_and(|link| !link.starts_with("https://") && !link.starts_with("http://")) {
        return Err(ApiError::bad(
            "Whoops! It looks like you entered an invalid URL. Try creating a Pin again with a valid URL.",
        ));
    }
    let alt_text = fields.text("alt_text", 500)?;
    fields.id("parent_pin_id")?;
    fields.text("dominant_color", 7)?;
    let source = match fields.take("media_source") {
        Some(Value::Object(source)) => Fields(source),
        Some(_) => return Err(ApiError::bad("'media_source' is not of type 'object'")),
        None => return Err(missing("media_source")),
    };
    fields.done()?;
    let (media_id, cover) = read_source(source)?;
    Ok(NewPin { board_id, board_section_id, title, description, link, alt_text, media_id, cover })
}

fn read_source(mut source: Fields) -> Result<(String, NewCover), ApiError> {
    match source.take("source_type") {
        Some(Value::String(kind)) if kind == "video_id" => {}
        Some(other) => return Err(ApiError::bad(format!("source_type {other}: a rehearsal takes 'video_id' only"))),
        None => return Err(missing("source_type")),
    }
    let media_id = source.id("media_id")?.ok_or_else(|| missing("media_id"))?;
    if let Some(value) = source.take("is_standard")
        && !value.is_boolean()
    {
        return Err(ApiError::bad("'is_standard' is not of type 'boolean'"));
    }
    let kind = source.text("cover_image_content_type", 100)?;
    let data = source.text("cover_image_data", usize::MAX)?;
    let url = source.text("cover_image_url", usize::MAX)?;
    let seconds = source.whole("cover_image_key_frame_time")?;
    let millis = source.whole("cover_image_timestamp_ms")?;
    source.done()?;
    let image = match (data, kind) {
        (Some(data), Some(kind)) => Some(image(&data, &kind)?),
        (None, None) => None,
        (Some(_), None) => return Err(missing("cover_image_content_type")),
        (None, Some(_)) => return Err(missing("cover_image_data")),
    };
    if url.as_deref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
        return Err(ApiError::bad("'cover_image_url' is no URL"));
    }
    let covers = [image, url.map(NewCover::Url), seconds.map(NewCover::KeyFrame), millis.map(NewCover::TimestampMs)];
    let mut covers = covers.into_iter().flatten();
    match (covers.next(), covers.next()) {
        (Some(cover), None) => Ok((media_id, cover)),
        (None, _) => Err(ApiError::bad("A video Pin needs a cover image")),
        (Some(_), Some(_)) => Err(ApiError::bad("A video Pin takes one cover image, and more were given")),
    }
}

fn image(data: &str, kind: &str) -> Result<NewCover, ApiError> {
    let (magic, extension): (&[u8], _) = match kind {
        "image/jpeg" => (&[0xFF, 0xD8, 0xFF], "jpg"),
        "image/png" => (b"\x89PNG\r\n\x1a\n", "png"),
        other => return Err(ApiError::bad(format!("'{other}' is not one of ['image/jpeg', 'image/png']"))),
    };
    let bytes = STANDARD.decode(data).map_err(|_| ApiError::bad("'cover_image_data' is not base64"))?;
    if !bytes.starts_with(magic) {
        return Err(ApiError::broken_image());
    }
    Ok(NewCover::Image { bytes, extension })
}

fn missing(name: &str) -> ApiError {
    ApiError::bad(format!("Missing required field '{name}'"))
}

/// The fields of an object, taken out one by one.
struct Fields(Map<String, Value>);

impl Fields {
    /// `null` is the same as absent (OpenAPI `nullable`).
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn string(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(ApiError::bad(format!("{other} is not of type 'string': '{name}'"))),
        }
    }

    fn text(&mut self, name: &str, max: usize) -> Result<Option<String>, ApiError> {
        let text = self.string(name)?;
        if text.as_ref().is_some_and(|text| text.chars().count() > max) {
            return Err(ApiError::bad(format!("'{name}' is too long: at most {max} characters")));
        }
        Ok(text)
    }

    fn id(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let id = self.string(name)?;
        if id.as_ref().is_some_and(|id| id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(ApiError::bad(format!("'{name}' does not match '^\\d+$'")));
        }
        Ok(id)
    }

    fn whole(&mut self, name: &str) -> Result<Option<u64>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .map(Some)
                .ok_or_else(|| ApiError::bad(format!("{value} is not an integer of at least 0: '{name}'"))),
        }
    }

    fn done(self) -> Result<(), ApiError> {
        self.0.keys().next().map_or(Ok(()), |name| Err(ApiError::bad(format!("Unknown field '{name}'"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn good() -> Value {
        json!({
            "board_id": "549755885175", "title": "t", "description": null, "link": "https://e.example",
            "media_source": {"source_type": "video_id", "media_id": "12345", "cover_image_key_frame_time": 3}
        })
    }

    fn read_value(body: &Value) -> Result<NewPin, ApiError> {
        read(body.as_object().unwrap().clone())
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut body = good();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
        body
    }

    fn without(pointer: &str) -> Value {
        let mut body = good();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        body
    }

    #[test]
    fn a_good_body_is_read() {
        let pin = read_value(&good()).unwrap();
        assert_eq!((pin.title.as_deref(), pin.description, pin.cover), (Some("t"), None, NewCover::KeyFrame(3)));
    }

    #[test]
    fn each_cover_form_is_read() {
        let cover = |fields: Value| {
            let mut body = without("/media_source/cover_image_key_frame_time");
            let source = body["media_source"].as_object_mut().unwrap();
            source.extend(fields.as_object().unwrap().clone());
            read_value(&body).map(|pin| pin.cover)
        };
        assert_eq!(cover(json!({"cover_image_timestamp_ms": 0})), Ok(NewCover::TimestampMs(0)));
        let jpeg = json!({"cover_image_data": "/9j/4A==", "cover_image_content_type": "image/jpeg"});
        assert_eq!(cover(jpeg), Ok(NewCover::Image { bytes: vec![0xFF, 0xD8, 0xFF, 0xE0], extension: "jpg" }));
        assert_eq!(
            cover(json!({"cover_image_url": "https://e.example/c"})),
            Ok(NewCover::Url("https://e.example/c".into()))
        );
        for bad in [
            json!({}),
            json!({"cover_image_data": "/9j/4A=="}),
            json!({"cover_image_content_type": "image/jpeg"}),
            json!({"cover_image_data": "/9j/4A==", "cover_image_content_type": "image/png"}),
            json!({"cover_image_data": "%%", "cover_image_content_type": "image/jpeg"}),
            json!({"cover_image_data": "/9j/4A==", "cover_image_content_type": "image/gif"}),
            json!({"cover_image_timestamp_ms": -1}),
            json!({"cover_image_timestamp_ms": 1.5}),
            json!({"cover_image_timestamp_ms": "5"}),
            json!({"cover_image_timestamp_ms": 5, "cover_image_key_frame_time": 1}),
            json!({"cover_image_url": "x"}),
        ] {
            assert!(cover(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_the_description_lets_through_is_refused_too() {
        for bad in [
            without("/board_id"),
            without("/media_source"),
            without("/media_source/media_id"),
            without("/media_source/source_type"),
            without("/media_source/cover_image_key_frame_time"),
            with("/board_id", json!(549_755_885_175_u64)),
            with("/board_id", json!("x")),
            with("/media_source/media_id", json!(12345)),
            with("/media_source/source_type", json!("image_url")),
            with("/media_source/extra", json!(1)),
            with("/media_source", json!("video")),
            with("/surprise", json!(1)),
            with("/title", json!("x".repeat(101))),
            with("/title", json!(5)),
            with("/description", json!("x".repeat(801))),
            with("/alt_text", json!("x".repeat(501))),
            with("/link", json!(format!("https://e.example/{}", "x".repeat(2048)))),
            with("/link", json!("e.example")),
        ] {
            let error = read_value(&bad).unwrap_err();
            assert_eq!((error.status.as_u16(), error.code), (400, 1), "{bad}");
        }
        assert!(read_value(&with("/title", json!("🌲".repeat(100)))).is_ok(), "code points, not bytes");
    }
}
