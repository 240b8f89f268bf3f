//! Rate limits, against a server that enforces them and tells the truth about them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use futures_util::StreamExt as _;
use pinpress_publish::{Client, PublishError};

use crate::ground::client;

/// A server that lets `limit` calls through in any `span`.
#[derive(Clone)]
struct Strict {
    limit: usize,
    span: Duration,
    headers: bool,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    counted: VecDeque<Instant>,
    taken: usize,
    refused: usize,
}

async fn user_account(State(server): State<Strict>) -> Response {
    let mut seen = server.seen.lock().unwrap();
    let now = Instant::now();
    while seen.counted.front().is_some_and(|time| now - *time >= server.span) {
        seen.counted.pop_front();
    }
    let fits = seen.counted.len() < server.limit;
    if fits {
        seen.counted.push_back(now);
        seen.taken += 1;
    } else {
        seen.refused += 1;
    }
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: String| headers.insert(name, value.parse().unwrap());
    if server.headers {
        let (limit, window) = (server.limit, server.span.as_secs());
        put("x-ratelimit-limit", format!("{limit}, {limit};w={window}, 1000000;w=3600"));
        put("x-ratelimit-remaining", (limit - seen.counted.len()).to_string());
        put("x-ratelimit-reset", window.to_string());
    }
    if fits {
        (headers, Json(serde_json::json!({"username": "u"}))).into_response()
    } else {
        let body = Json(serde_json::json!({"code": 8, "message": "This request exceeded a rate limit."}));
        (StatusCode::TOO_MANY_REQUESTS, headers, body).into_response()
    }
}

async fn serve(server: Strict) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/v5/user_account", axum::routing::get(user_account)).with_state(server);
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

/// So many calls from so many tasks; those that failed.
async fn call(client: &Client, calls: usize, tasks: usize) -> Vec<PublishError> {
    let calls = futures_util::stream::iter(0..calls).map(|_| client.user_account()).buffer_unordered(tasks);
    calls.filter_map(|result| std::future::ready(result.err())).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_share_a_client_are_never_refused() {
    let server = Strict { limit: 12, span: Duration::from_secs(1), headers: true, seen: Arc::default() };
    let client = client(&format!("http://{}/v5", serve(server.clone()).await), |_| {});
    let failed = call(&client, 30, 20).await;
    assert!(failed.is_empty(), "{failed:?}");
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.taken, seen.refused), (30, 0));
}

#[tokio::test]
async fn a_daily_budget_is_used_to_its_end_and_not_beyond() {
    let server = Strict { limit: 25, span: Duration::from_secs(86_400), headers: true, seen: Arc::default() };
    let client = client(&format!("http://{}/v5", serve(server.clone()).await), |_| {});
    let failed = call(&client, 40, 8).await;
    assert_eq!(failed.len(), 15);
    for error in failed {
        assert!(matches!(&error, PublishError::BudgetSpent { .. }) && error.is_transient(), "{error}");
        let text = error.to_string();
        assert!(text.contains("25 calls a day") && text.contains("run the same command again in 24 h"), "{text}");
    }
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.taken, seen.refused), (25, 0), "the last call of the day is used");
    let day = &client.budget()[1];
    assert_eq!(day.to_string(), "0 of 25 calls a day left, all of them again in 24 h");
}

#[tokio::test]
async fn a_daily_budget_can_be_set_where_the_answers_tell_of_none() {
    let server = Strict { limit: 1_000, span: Duration::from_secs(1), headers: false, seen: Arc::default() };
    let client = client(&format!("http://{}/v5", serve(server.clone()).await), |options| options.daily_calls = Some(5));
    let failed = call(&client, 9, 3).await;
    assert!(failed.iter().all(|error| matches!(error, PublishError::BudgetSpent { .. })), "{failed:?}");
    assert_eq!((failed.len(), server.seen.lock().unwrap().taken), (4, 5));
}

#[tokio::test]
async fn an_account_that_others_have_used_up_is_left_alone() {
    let server = Strict { limit: 3, span: Duration::from_secs(3_600), headers: true, seen: Arc::default() };
    server.seen.lock().unwrap().counted = (0..3).map(|_| Instant::now()).collect();
    let client = client(&format!("http://{}/v5", serve(server.clone()).await), |_| {});
    let failed = call(&client, 6, 3).await;
    assert_eq!(failed.len(), 6);
    assert_eq!(server.seen.lock().unwrap().refused, 1, "the first could not know better; the others do");
}

/// Refuses every call for a second, and asks to wait for as long. Holds when calls were refused.
async fn tired(State(refused): State<Arc<Mutex<Vec<Instant>>>>) -> Response {
    let mut refused = refused.lock().unwrap();
    if refused.first().is_some_and(|first| first.elapsed() >= Duration::from_secs(1)) {
        return Json(serde_json::json!({"username": "u"})).into_response();
    }
    refused.push(Instant::now());
    let body = Json(serde_json::json!({"code": 8, "message": "This request exceeded a rate limit."}));
    (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], body).into_response()
}

#[tokio::test]
async fn a_429_of_one_task_is_heeded_by_all() {
    let refused = Arc::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/v5/user_account", axum::routing::get(tired)).with_state(Arc::clone(&refused));
    tokio::spawn(async { axum::serve(listener, router).await });
    let client = client(&format!("http://{address}/v5"), |_| {});
    let failed = call(&client, 20, 10).await;
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(refused.lock().unwrap().len(), 1, "nobody else tried before the time");
}
