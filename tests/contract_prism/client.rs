//! The client against what Prism makes up by the description.

use pinpress_publish::{Client, PublishError, PublishState, publish};
use serde_json::{Value, json};

use crate::forwarder::Forwarder;
use crate::prism::{BOARD, COVERS, Forgetful, Prism, TOKEN, client, draft};

/// Rounds of answers that are made up anew.
const ROUNDS: usize = 20;

/// Every call that reads.
async fn read_everything(client: &Client) -> Result<(), PublishError> {
    let board = BOARD.parse().unwrap();
    client.user_account().await?;
    client.boards().await?;
    client.board(&board).await?;
    client.board_sections(&board).await?;
    client.pins(&board, None).await?;
    client.pins(&board, Some(&"12".parse().unwrap())).await?;
    client.pin(&"813744226420795884".parse().unwrap()).await?;
    client.media(&"5212123920968240771".parse().unwrap()).await?;
    Ok(())
}

#[tokio::test]
async fn every_call_is_as_described() {
    let Some(prism) = Prism::mock() else { return };
    let forwarder = Forwarder::start(prism.base()).await;
    let folder = tempfile::tempdir().unwrap();
    for account in [None, Some("549755885176".to_owned())] {
        let client = client(&forwarder.base(), |options| options.ad_account_id = account.clone());
        read_everything(&client).await.unwrap();
        for (cover, section) in COVERS.into_iter().zip([None, Some("13"), None]) {
            let draft = draft(folder.path(), BOARD, section, cover);
            publish(&client, &draft, PublishState::New, &Forgetful, &()).await.unwrap();
        }
        let passed = forwarder.passed();
        let wrong: Vec<_> = passed.iter().filter(|one| one.violations.is_some() || one.status >= 300).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let came = |method: &str, path: &str| {
            passed.iter().filter(|one| one.method == method && one.path.starts_with(path)).count()
        };
        assert_eq!((came("POST", "media"), came("POST", "/upload"), came("POST", "pins")), (3, 3, 3));
        for path in [
            "user_account",
            "boards",
            &format!("boards/{BOARD}/sections"),
            &format!("boards/{BOARD}/pins"),
            &format!("boards/{BOARD}/sections/12/pins"),
            "pins/813744226420795884",
            "media/5212123920968240771",
        ] {
            assert!(came("GET", path) > 0, "{path}: {passed:?}");
        }
        if let Some(account) = account {
            let asked = format!("ad_account_id={account}");
            assert!(passed.iter().filter(|one| one.query.contains(&asked)).count() > 8, "{passed:?}");
        }
    }
}

/// What Prism says of a request that the client would not make.
async fn violations(
    forwarder: &Forwarder,
    method: &str,
    path: &str,
    token: bool,
    body: Option<Value>,
) -> Option<String> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.request(method.parse().unwrap(), format!("{}/{path}", forwarder.base()));
    if token {
        request = request.bearer_auth(TOKEN);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    request.send().await.unwrap();
    forwarder.passed().pop().unwrap().violations
}

#[tokio::test]
async fn a_wrong_request_is_found_out() {
    let Some(prism) = Prism::mock() else { return };
    let forwarder = Forwarder::start(prism.base()).await;
    let pin = |source: Value| Some(json!({"board_id": BOARD, "media_source": source}));
    let source = json!({"source_type": "video_id", "media_id": "12", "cover_image_key_frame_time": 1});
    assert_eq!(violations(&forwarder, "POST", "pins", true, pin(source.clone())).await, None);
    let with = |name: &str, value: Value| {
        let mut source = source.clone();
        source[name] = value;
        pin(source)
    };
    let cases = [
        ("GET", "user_account", false, None),
        ("GET", "boards?page_size=251", true, None),
        ("GET", "boards/x", true, None),
        ("POST", "media", true, Some(json!({"media_type": "image"}))),
        ("POST", "media", true, Some(json!({}))),
        ("POST", "pins", true, with("media_id", json!(12))),
        ("POST", "pins", true, with("source_type", json!("video"))),
        ("POST", "pins", true, with("cover_image_key_frame_time", json!("1"))),
        ("POST", "pins", true, Some(json!({"board_id": 12, "media_source": source}))),
    ];
    for (method, path, token, body) in cases {
        let told = format!("{method} {path} {body:?}");
        assert!(violations(&forwarder, method, path, token, body).await.is_some(), "{told}");
    }
}

#[tokio::test]
async fn whatever_answer_is_as_described_is_read() {
    let Some(prism) = Prism::mock() else { return };
    let forwarder = Forwarder::start(prism.base()).await;
    let client = client(&forwarder.base(), |_| {});
    for _ in 0..ROUNDS {
        read_everything(&client).await.unwrap();
    }
}

#[tokio::test]
async fn refusals_are_read_and_told() {
    let Some(prism) = Prism::mock() else { return };
    let forwarder = Forwarder::start(prism.base()).await;
    let client = client(&forwarder.base(), |_| {});
    for status in [400, 401, 403, 404, 429] {
        forwarder.prefer(&format!("code={status}"));
        let error = client.board(&BOARD.parse().unwrap()).await.unwrap_err();
        let passed = forwarder.passed();
        assert_eq!(passed[0].status, status, "{passed:?}");
        // Whatever code the description has for an example, the status decides.
        let PublishError::Refused { refusal, .. } = &error else { panic!("{error}") };
        assert_eq!((refusal.status, refusal.code.is_some()), (status, true), "{error}");
        assert_eq!((error.is_unauthorized(), passed.len() > 1), (status == 401, status == 429), "{error}");
    }
}
