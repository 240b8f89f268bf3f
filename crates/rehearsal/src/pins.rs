//! `POST /pins` and `GET /pins/{pin_id}`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::gate::{Carried, Shared};
use crate::pin_body::{NewCover, NewPin, json_object, read};
use crate::reply::ApiError;
use crate::store::{KeptCover, KeptPin, Stage};

/// OpenAPI `Pin`.
pub(crate) fn pin_object(pin: &KeptPin, address: SocketAddr) -> Value {
    let mut media = json!({"media_type": "video", "duration": null, "height": null, "width": null, "video_url": null});
    match &pin.cover {
        KeptCover::Image { file } => media["cover_image_url"] = json!(format!("http://{address}/media/{file}")),
        KeptCover::Url { url } => media["cover_image_url"] = json!(url),
        KeptCover::KeyFrame { .. } | KeptCover::TimestampMs { .. } => {}
    }
    json!({
        "id": pin.id,
        "board_id": pin.board_id,
        "board_section_id": pin.board_section_id,
        "board_owner": {"username": "rehearsal"},
        "title": pin.title,
        "description": pin.description,
        "link": pin.link,
        "alt_text": pin.alt_text,
        "created_at": pin.created_at.to_string(),
        "creative_type": "VIDEO",
        "dominant_color": null,
        "has_been_promoted": false,
        "is_owner": true,
        "is_standard": true,
        "media": media,
        "parent_pin_id": null,
        "pin_metrics": null,
    })
}

/// `GET /pins/{pin_id}`.
pub(crate) async fn get(
    State(shared): State<Arc<Shared>>,
    Path(pin_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let store = shared.store();
    let pin = store.pins.iter().find(|pin| pin.id == pin_id).ok_or_else(ApiError::no_pin)?;
    Ok(Json(pin_object(pin, shared.address)))
}

/// `POST /pins`.
pub(crate) async fn create(
    State(shared): State<Arc<Shared>>,
    Extension(Carried(struck)): Extension<Carried>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let NewPin { board_id, board_section_id, title, description, link, alt_text, media_id, cover } =
        read(json_object(&headers, &body)?)?;
    let internal = |error: std::io::Error| ApiError::internal(format!("cannot keep the Pin: {error}"));
    let polls = shared.options.processing_polls;
    let mut store = shared.store();
    let board = store.board(&board_id).ok_or_else(ApiError::no_board)?;
    if let Some(wanted) = &board_section_id
        && !board.sections.iter().any(|section| section.id == *wanted)
    {
        return Err(ApiError::no_section());
    }
    let media = store.media(&media_id).ok_or_else(ApiError::no_media)?;
    let status = media.status(polls);
    let checked = match &media.stage {
        Stage::Succeeded { checked } if status == "succeeded" => checked.clone(),
        _ => return Err(ApiError::bad(format!("The media upload is {status}, not succeeded"))),
    };
    let id = store.issue();
    let cover = match cover {
        NewCover::Image { bytes, extension } => {
            let file = format!("{id}.{extension}");
            std::fs::write(shared.options.folder.join("media").join(&file), bytes).map_err(internal)?;
            KeptCover::Image { file }
        }
        NewCover::KeyFrame(seconds) => KeptCover::KeyFrame { seconds },
        NewCover::TimestampMs(millis) => KeptCover::TimestampMs { millis },
        NewCover::Url(url) => KeptCover::Url { url },
    };
    let pin = KeptPin {
        id,
        board_id,
        board_section_id,
        title,
        description,
        link,
        alt_text,
        created_at: Timestamp::now(),
        media_id,
        cover,
        checked,
    };
    let answer = pin_object(&pin, shared.address);
    let late = struck.find(|fault| match fault {
        Fault::ListedLate { looks } => Some(*looks),
        _ => None,
    });
    if let Some(looks) = late {
        store.unlisted.insert(pin.id.clone(), looks);
    }
    store.pins.push(pin);
    store.save().map_err(internal)?;
    Ok((StatusCode::CREATED, Json(answer)))
}
