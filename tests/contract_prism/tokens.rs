//! `POST /oauth/token` with both grants, by the description.

use std::sync::Arc;

use pinpress_publish::{
    AppCredentials, AuthorizationCode, Client, ClientOptions, RedirectUri, TokenEndpoint, TokenFile, TokenSource,
};
use serde_json::json;

use crate::forwarder::{Forwarder, Passed};
use crate::prism::Prism;

fn asked_for_tokens(forwarder: &Forwarder) -> Vec<Passed> {
    forwarder.passed().into_iter().filter(|one| one.path == "oauth/token").collect()
}

#[tokio::test]
async fn tokens_are_asked_for_as_described() {
    let Some(prism) = Prism::mock() else { return };
    let forwarder = Forwarder::start(prism.base()).await;
    // Made-up tokens have spaces.
    forwarder.prefer("dynamic=false");
    let options = ClientOptions { api_base: forwarder.base().parse().unwrap(), ..ClientOptions::default() };
    let app = AppCredentials::new("1490", "PLANTsecret").unwrap();
    let code: AuthorizationCode = "PLANTcode".parse().unwrap();
    let endpoint = TokenEndpoint::new(&options).unwrap();
    let login = endpoint.exchange(&app, &code, &RedirectUri::default()).await.unwrap();
    assert!(!format!("{login:?}").contains("PLANT"));

    let folder = tempfile::tempdir().unwrap();
    let kept = json!({"schema": "pinpress.tokens/1", "logins": {(forwarder.base()): {
        "app_id": "1490", "app_secret": "PLANTsecret", "access_token": "pina_PLANT", "refresh_token": "pinr_PLANT",
        "issued_at": "2026-01-23T00:00:00Z", "expires_at": "2026-01-24T00:00:00Z",
    }}});
    let path = folder.path().join("tokens.json");
    std::fs::write(&path, kept.to_string()).unwrap();
    let file = Arc::new(TokenFile::new(&path, &options.api_base));
    let client = Client::new(TokenSource::kept(file).unwrap(), options).unwrap();
    client.user_account().await.unwrap();
    assert!(!std::fs::read_to_string(&path).unwrap().contains("pina_PLANT"), "it was refreshed");

    let asked = asked_for_tokens(&forwarder);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked.iter().all(|one| one.violations.is_none() && one.status == 200), "{asked:?}");
}

#[tokio::test]
async fn a_wrong_request_for_tokens_is_found_out() {
    let Some(prism) = Prism::mock() else { return };
    let forwarder = Forwarder::start(prism.base()).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = || client.post(format!("{}/oauth/token", forwarder.base()));
    let grant = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    for request in [
        post().form(&grant),
        post().basic_auth("1490", Some("x")).form(&[("grant_type", "password")]),
        post().basic_auth("1490", Some("x")).form(&[("refresh_token", "x")]),
    ] {
        request.send().await.unwrap();
        let asked = asked_for_tokens(&forwarder);
        assert!(asked.len() == 1 && asked[0].violations.is_some(), "{asked:?}");
    }
}
