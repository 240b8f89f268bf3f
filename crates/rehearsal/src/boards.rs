//! `GET /boards` and what hangs on it.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::gate::{Carried, Shared};
use crate::pins::pin_object;
use crate::reply::{ApiError, paginated};
use crate::store::{KeptBoard, KeptPin, Store};

type Pairs = Query<Vec<(String, String)>>;
type Reply = Result<Json<Value>, ApiError>;

/// OpenAPI `Board`.
fn board_object(board: &KeptBoard, store: &Store) -> Value {
    let pins = store.pins.iter().filter(|pin| pin.board_id == board.id).count();
    json!({
        "id": board.id,
        "name": board.name,
        "description": null,
        "privacy": "PUBLIC",
        "created_at": board.created_at.to_string(),
        "owner": {"username": "rehearsal"},
        "pin_count": pins,
        "follower_count": 0,
        "collaborator_count": 0,
    })
}

/// `GET /boards`.
pub(crate) async fn list(State(shared): State<Arc<Shared>>, Query(query): Pairs) -> Reply {
    let store = shared.store();
    paginated(
        store.boards.iter().map(|board| board_object(board, &store)).collect(),
        &query,
        shared.options.page_size_max,
    )
}

/// `GET /boards/{board_id}`.
pub(crate) async fn get(State(shared): State<Arc<Shared>>, Path(board_id): Path<String>) -> Reply {
    let store = shared.store();
    Ok(Json(board_object(store.board(&board_id).ok_or_else(ApiError::no_board)?, &store)))
}

/// `GET /boards/{board_id}/sections`.
pub(crate) async fn sections(
    State(shared): State<Arc<Shared>>,
    Path(board_id): Path<String>,
    Query(query): Pairs,
) -> Reply {
    let store = shared.store();
    let board = store.board(&board_id).ok_or_else(ApiError::no_board)?;
    paginated(
        board.sections.iter().map(|section| json!({"id": section.id, "name": section.name})).collect(),
        &query,
        shared.options.page_size_max,
    )
}

/// `GET /boards/{board_id}/pins`, newest first.
pub(crate) async fn pins(
    State(shared): State<Arc<Shared>>,
    Extension(carried): Extension<Carried>,
    Path(board_id): Path<String>,
    Query(query): Pairs,
) -> Reply {
    let mut store = shared.store();
    store.board(&board_id).ok_or_else(ApiError::no_board)?;
    listing(&shared, store.listed(|pin| pin.board_id == board_id), &carried, &query)
}

/// `GET /boards/{board_id}/sections/{section_id}/pins`, newest first.
pub(crate) async fn section_pins(
    State(shared): State<Arc<Shared>>,
    Extension(carried): Extension<Carried>,
    Path((board_id, section_id)): Path<(String, String)>,
    Query(query): Pairs,
) -> Reply {
    let mut store = shared.store();
    let board = store.board(&board_id).ok_or_else(ApiError::no_board)?;
    if !board.sections.iter().any(|section| section.id == section_id) {
        return Err(ApiError::no_section());
    }
    let pins = store.listed(|pin| pin.board_section_id.as_deref() == Some(section_id.as_str()));
    listing(&shared, pins, &carried, &query)
}

fn listing(shared: &Shared, pins: Vec<KeptPin>, Carried(struck): &Carried, query: &[(String, String)]) -> Reply {
    let times = if struck.has(&Fault::ListedTwice) { 2 } else { 1 };
    let objects = pins.iter().flat_map(|pin| std::iter::repeat_n(pin_object(pin, shared.address), times));
    paginated(objects.collect(), query, shared.options.page_size_max)
}
