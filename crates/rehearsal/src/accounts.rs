//! `GET /user_account`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::gate::Shared;

/// OpenAPI `Account`.
pub(crate) async fn user_account(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let store = shared.store();
    Json(json!({
        "id": "5212123920968240000",
        "username": "rehearsal",
        "account_type": "BUSINESS",
        "business_name": "Rehearsal on loopback",
        "board_count": store.boards.len(),
        "pin_count": store.pins.len(),
    }))
}
