//! What stands between the client and Prism's made-up answers: it takes `/v5` off, which Prism's addresses do not
//! have; it takes the upload itself, as Prism names a real host; and it notes what Prism finds wrong.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

/// A request that passed, and what Prism said of it.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    pub(crate) method: Method,
    /// Without `/v5` and query.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) status: u16,
    /// The header in which Prism lists what is wrong with a request or an answer.
    pub(crate) violations: Option<String>,
}

/// A server on loopback before Prism. It ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Forwarder {
    port: u16,
    prism: String,
    client: reqwest::Client,
    passed: Arc<Mutex<Vec<Passed>>>,
    /// What Prism is asked for (RFC 7240): `dynamic=true` for answers that are made up anew.
    prefer: Arc<Mutex<String>>,
}

impl Forwarder {
    pub(crate) async fn start(prism: String) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let forwarder = Self {
            port: listener.local_addr().unwrap().port(),
            prism,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            passed: Arc::default(),
            prefer: Arc::new(Mutex::new("dynamic=true".to_owned())),
        };
        let router = Router::new().fallback(forward).with_state(forwarder.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        forwarder
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}/v5", self.port)
    }

    pub(crate) fn prefer(&self, what: &str) {
        what.clone_into(&mut self.prefer.lock().unwrap());
    }

    /// What passed since this was last asked.
    pub(crate) fn passed(&self) -> Vec<Passed> {
        std::mem::take(&mut self.passed.lock().unwrap())
    }
}

async fn forward(
    State(forwarder): State<Forwarder>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().strip_prefix("/v5/").unwrap_or(uri.path()).to_owned();
    let query = uri.query().unwrap_or_default().to_owned();
    let note = |status: StatusCode, violations: Option<String>| {
        let status = status.as_u16();
        let passed = Passed { method: method.clone(), path: path.clone(), query: query.clone(), status, violations };
        forwarder.passed.lock().unwrap().push(passed);
    };
    if uri.path() == "/upload" {
        note(StatusCode::NO_CONTENT, None);
        return answer(StatusCode::NO_CONTENT, String::new());
    }
    headers.remove("host");
    // An id of a section has no form of its own in the description, and what Prism makes up is no id of Pinterest's.
    let prefer = forwarder.prefer.lock().unwrap().clone();
    if !(path.ends_with("/sections") && prefer == "dynamic=true") {
        headers.insert("prefer", prefer.parse().unwrap());
    }
    let target = format!("{}/{path}?{query}", forwarder.prism);
    let told = forwarder.client.request(method.clone(), target).headers(headers).body(body).send().await.unwrap();
    let status = told.status();
    note(status, told.headers().get("sl-violations").map(|value| value.to_str().unwrap().to_owned()));
    let text = told.text().await.unwrap();
    answer(status, changed(&path, &text, forwarder.port))
}

/// The answer with our own upload address, and with a video that is ready.
fn changed(path: &str, text: &str, port: u16) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    if value.get("upload_url").is_some() || path == "media" {
        value["upload_url"] = json!(format!("http://127.0.0.1:{port}/upload"));
    }
    if value.get("status").is_some_and(Value::is_string) && path.starts_with("media/") {
        value["status"] = json!("succeeded");
    }
    value.to_string()
}

fn answer(status: StatusCode, body: String) -> Response {
    let builder = Response::builder().status(status).header("content-type", "application/json");
    builder.body(Body::from(body)).unwrap()
}
