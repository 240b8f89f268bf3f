//! Logging in: the page that asks for consent, and the endpoint that gives tokens for it.
//!
//! Strict where Pinterest is: the app by HTTP Basic, the form encoded, the redirect URI the same letter by letter, a
//! code for one use, and a refresh token that is dead once it was spent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded;

use crate::gate::Shared;
use crate::reply::ApiError;

/// How long a code waits to be traded.
const CODE_LIFETIME: Duration = Duration::from_secs(600);

/// The app that may ask for tokens, and how long these are good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthOptions {
    /// `client_id`.
    pub app_id: String,
    /// The app's secret.
    pub app_secret: String,
    /// The redirect URIs that are registered; any address of this machine when there is none.
    pub redirect_uris: Vec<String>,
    /// `expires_in`.
    pub access_lifetime: Duration,
    /// `refresh_token_expires_in`.
    pub refresh_lifetime: Duration,
}

impl Default for OAuthOptions {
    /// 30 and 60 days, as the OpenAPI description has it.
    fn default() -> Self {
        Self {
            app_id: "rehearsal".to_owned(),
            app_secret: "rehearsal-secret".to_owned(),
            redirect_uris: Vec::new(),
            access_lifetime: Duration::from_secs(30 * 86_400),
            refresh_lifetime: Duration::from_secs(60 * 86_400),
        }
    }
}

/// Tokens that were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// For a code.
    Code,
    /// For a refresh token.
    Refresh,
}

/// What was given out.
#[derive(Default)]
pub(crate) struct OAuth(Mutex<Given>);

#[derive(Default)]
struct Given {
    codes: HashMap<String, Code>,
    access: HashMap<String, Instant>,
    refresh: HashMap<String, Refresh>,
    grants: Vec<Grant>,
}

struct Code {
    redirect_uri: String,
    scope: String,
    expires: Instant,
}

struct Refresh {
    scope: String,
    expires: Instant,
}

impl OAuth {
    fn given(&self) -> MutexGuard<'_, Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this access token was given and is not past its end.
    pub(crate) fn accepts(&self, token: &str) -> bool {
        self.given().access.get(token).is_some_and(|expires| Instant::now() < *expires)
    }

    pub(crate) fn grants(&self) -> Vec<Grant> {
        self.given().grants.clone()
    }

    /// From now on no access token that was given is good.
    pub(crate) fn expire(&self) {
        self.given().access.clear();
    }
}

type Pairs = Vec<(String, String)>;

/// The value of a name that stands there once.
fn one<'a>(pairs: &'a [(String, String)], name: &str) -> Result<&'a str, ApiError> {
    let mut values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (Some(value), None) if !value.is_empty() => Ok(value),
        _ => Err(ApiError::bad(format!("{name}: once, and not empty"))),
    }
}

/// What the question asks, checked.
fn question<'a>(shared: &Shared, pairs: &'a [(String, String)]) -> Result<(&'a str, &'a str, &'a str), ApiError> {
    let options = &shared.options.oauth;
    let (redirect_uri, scope, state) = (one(pairs, "redirect_uri")?, one(pairs, "scope")?, one(pairs, "state")?);
    if one(pairs, "client_id")? != options.app_id {
        return Err(ApiError::bad("client_id: no such app"));
    }
    if one(pairs, "response_type")? != "code" {
        return Err(ApiError::bad("response_type: code"));
    }
    let registered = if options.redirect_uris.is_empty() {
        Url::parse(redirect_uri).is_ok_and(|url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")))
    } else {
        options.redirect_uris.iter().any(|uri| uri == redirect_uri)
    };
    if !registered {
        return Err(ApiError::bad("redirect_uri: not registered with the app"));
    }
    Ok((redirect_uri, scope, state))
}

/// `GET /oauth/`: asks for consent. With `auto` in the query it is given at once.
pub(crate) async fn page(State(shared): State<Arc<Shared>>, Query(pairs): Query<Pairs>) -> Result<Response, ApiError> {
    let (_, scope, _) = question(&shared, &pairs)?;
    if pairs.iter().any(|(name, _)| name == "auto") {
        return answer(&shared, &pairs, true);
    }
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    let (query, app) = (escape(&query), escape(&shared.options.oauth.app_id));
    let scopes: String =
        scope.split([',', ' ']).map(|scope| format!("<li><code>{}</code></li>", escape(scope))).collect();
    Ok(Html(format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Give access? – rehearsal</title>\n\
         <style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:12vh auto;padding:0 1rem;\
         color-scheme:light dark}}a{{margin-right:1rem}}</style>\n\
         <h1>Give access to the app “{app}”?</h1>\n\
         <p>This is a rehearsal: no account of yours is touched. The app asks for:</p>\n<ul>{scopes}</ul>\n\
         <p><a href=\"/oauth/allow?{query}\">Give access</a> <a href=\"/oauth/deny?{query}\">Cancel</a></p></html>\n"
    ))
    .into_response())
}

/// `GET /oauth/allow`.
pub(crate) async fn allow(State(shared): State<Arc<Shared>>, Query(pairs): Query<Pairs>) -> Result<Response, ApiError> {
    answer(&shared, &pairs, true)
}

/// `GET /oauth/deny`.
pub(crate) async fn deny(State(shared): State<Arc<Shared>>, Query(pairs): Query<Pairs>) -> Result<Response, ApiError> {
    answer(&shared, &pairs, false)
}

/// Sends the browser back.
fn answer(shared: &Shared, pairs: &[(String, String)], allowed: bool) -> Result<Response, ApiError> {
    let (redirect_uri, scope, state) = question(shared, pairs)?;
    let mut url = Url::parse(redirect_uri).map_err(|_| ApiError::bad("redirect_uri: no address"))?;
    if allowed {
        let name = format!("code-rehearsal{:04}", shared.next_number());
        url.query_pairs_mut().append_pair("code", &name).append_pair("state", state);
        let code = Code {
            redirect_uri: redirect_uri.to_owned(),
            scope: scope.to_owned(),
            expires: Instant::now() + CODE_LIFETIME,
        };
        shared.oauth.given().codes.insert(name, code);
    } else {
        url.query_pairs_mut().append_pair("error", "access_denied").append_pair("state", state);
    }
    Ok((StatusCode::FOUND, [(LOCATION, url.to_string())]).into_response())
}

/// `POST /v5/oauth/token`.
pub(crate) async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: String,
) -> Result<Json<Value>, ApiError> {
    let options = &shared.options.oauth;
    let basic = STANDARD.encode(format!("{}:{}", options.app_id, options.app_secret));
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if header(AUTHORIZATION) != Some(&format!("Basic {basic}")) {
        return Err(ApiError::unauthorized());
    }
    if header(CONTENT_TYPE).is_none_or(|kind| !kind.starts_with("application/x-www-form-urlencoded")) {
        return Err(ApiError::bad("Content-Type: application/x-www-form-urlencoded"));
    }
    let pairs: Pairs = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let grant = match one(&pairs, "grant_type")? {
        "authorization_code" => Grant::Code,
        "refresh_token" => Grant::Refresh,
        other => return Err(ApiError::bad(format!("grant_type: not {other:?}"))),
    };
    let known: &[&str] = match grant {
        Grant::Code => &["grant_type", "code", "redirect_uri", "continuous_refresh"],
        Grant::Refresh => &["grant_type", "refresh_token", "scope", "continuous_refresh"],
    };
    if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return Err(ApiError::bad(format!("unknown field {name:?}")));
    }
    let now = Instant::now();
    let mut given = shared.oauth.given();
    let (response_type, scope) = match grant {
        Grant::Code => {
            let redirect_uri = one(&pairs, "redirect_uri")?;
            // Tried is used, whatever comes of it.
            let code = given.codes.remove(one(&pairs, "code")?).filter(|code| now < code.expires);
            let code = code.filter(|code| code.redirect_uri == redirect_uri);
            ("authorization_code", code.ok_or_else(|| ApiError::bad("Invalid authorization code"))?.scope)
        }
        Grant::Refresh => {
            let refresh = given.refresh.remove(one(&pairs, "refresh_token")?).filter(|refresh| now < refresh.expires);
            ("refresh_token", refresh.ok_or_else(|| ApiError::bad("Invalid refresh token"))?.scope)
        }
    };
    let number = shared.next_number();
    let (access, refresh) = (format!("pina_rehearsal{number:04}"), format!("pinr_rehearsal{number:04}"));
    given.access.insert(access.clone(), now + options.access_lifetime);
    given.refresh.insert(refresh.clone(), Refresh { scope: scope.clone(), expires: now + options.refresh_lifetime });
    given.grants.push(grant);
    Ok(Json(json!({
        "response_type": response_type,
        "access_token": access,
        "token_type": "bearer",
        "expires_in": options.access_lifetime.as_secs(),
        "refresh_token": refresh,
        "refresh_token_expires_in": options.refresh_lifetime.as_secs(),
        "scope": scope.replace(',', " "),
    })))
}
