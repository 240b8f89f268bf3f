//! `POST /media` and `GET /media/{media_id}`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::gate::{Carried, Shared};
use crate::options::UploadForm;
use crate::pin_body::json_object;
use crate::reply::ApiError;
use crate::store::{KeptMedia, Stage};
use crate::upload_form::Form;

/// `POST /media`, OpenAPI `MediaUploadCreate` to `MediaUpload`.
pub(crate) async fn register(
    State(shared): State<Arc<Shared>>,
    Extension(Carried(struck)): Extension<Carried>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let body = json_object(&headers, &body)?;
    match body.get("media_type") {
        None => return Err(ApiError::bad("Missing required field 'media_type'")),
        Some(Value::String(kind)) if kind == "video" => {}
        Some(other) => return Err(ApiError::bad(format!("{other} is not one of ['video']"))),
    }
    if let Some(name) = body.keys().find(|name| *name != "media_type") {
        return Err(ApiError::bad(format!("Unknown field '{name}'")));
    }
    let media_id = {
        let mut store = shared.store();
        let id = store.issue();
        store.media.push(KeptMedia {
            id: id.clone(),
            stage: Stage::Registered,
            polls: 0,
            stuck: struck.has(&Fault::StuckProcessing),
            doomed: struck.has(&Fault::ProcessingFails),
        });
        store.save().map_err(|error| ApiError::internal(error.to_string()))?;
        id
    };
    let form = Form::new(&media_id, shared.options.form_lifetime, struck.has(&Fault::FormExpired));
    let answer = match shared.options.upload {
        UploadForm::Multipart => json!({
            "media_id": media_id,
            "media_type": "video",
            "upload_url": format!("http://{}/upload", shared.address),
            "upload_parameters": form.parameters(),
        }),
        UploadForm::Put => json!({
            "media_id": media_id,
            "media_type": "video",
            "upload_url": format!("http://{}/upload/{media_id}?signature={}", shared.address, form.signature),
        }),
    };
    shared.forms().insert(media_id, form);
    Ok((StatusCode::CREATED, Json(answer)))
}

/// `GET /media/{media_id}`, OpenAPI `Media`.
pub(crate) async fn get(
    State(shared): State<Arc<Shared>>,
    Extension(Carried(struck)): Extension<Carried>,
    Path(media_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let mut store = shared.store();
    let media = store.media(&media_id).ok_or_else(ApiError::no_media)?;
    if !matches!(media.stage, Stage::Registered) {
        media.polls = media.polls.saturating_add(1);
    }
    let told = struck.find(|fault| match fault {
        Fault::Status(word) => Some(word.clone()),
        _ => None,
    });
    let status = told.unwrap_or_else(|| media.status(shared.options.processing_polls).to_owned());
    Ok(Json(json!({"media_id": media_id, "media_type": "video", "status": status})))
}
