//! The token and the upload form reach those they are meant for, and no state, error or log.

use pinpress_publish::PublishState;
use pinpress_rehearsal::{Call, Fault, FaultRule, UploadForm};

use crate::stage::{Keeper, Stage, TOKEN, logged};

#[tokio::test]
async fn the_token_goes_to_the_api_and_never_to_the_upload_host() {
    for form in [UploadForm::Multipart, UploadForm::Put] {
        let stage = Stage::with(Vec::new(), |options| options.upload = form);
        stage.publish(&Keeper::default()).await.unwrap();
        let requests = stage.rehearsal.requests();
        assert!(requests.len() >= 5);
        let bearer = format!("Bearer {TOKEN}");
        for request in requests {
            if request.call == Some(Call::Upload) {
                let everything = format!("{request:?}");
                assert!(!everything.contains(TOKEN), "{everything}");
            } else {
                assert_eq!(request.header("authorization"), Some(&*bearer), "{request:?}");
                assert!(!request.target.contains(TOKEN));
            }
        }
    }
}

/// Secrets of a form as a registration would hand it out.
const PLANTED: [&str; 3] = ["cGxhbnRlZC1wb2xpY3k=", "planted-security-token", "9f86d081884c7d65"];

fn planted_registration(upload_url: &str) -> String {
    let [policy, token, signature] = PLANTED;
    format!(
        r#"{{"media_id":"12","media_type":"video","upload_url":"{upload_url}?sig={signature}",
            "upload_parameters":{{"key":"k","policy":"{policy}","x-amz-security-token":"{token}","x-amz-signature":"{signature}"}}}}"#
    )
}

fn assert_clean(text: &str, of: &str) {
    for secret in PLANTED.iter().chain([&TOKEN]) {
        assert!(!text.contains(secret), "{of} shows {secret}: {text}");
    }
}

#[tokio::test]
async fn nothing_shows_a_secret_at_any_verbosity() {
    let keeper = Keeper::default();
    let whole = Stage::new(Vec::new());
    whole.publish(&keeper).await.unwrap();

    // A form that the upload host refuses.
    let upload_url = format!("http://{}/upload", whole.rehearsal.address());
    let body = planted_registration(&upload_url);
    let refusing = Stage::new(vec![FaultRule::always(Call::RegisterMedia, Fault::Body(body.clone()))]);
    let error = refusing.publish(&keeper).await.unwrap_err();
    assert!(error.to_string().contains("key"), "{error}");
    assert_clean(&format!("{error} {error:?}"), "a refused upload");
    let upload = refusing.client.register(&()).await.unwrap();
    assert_clean(&format!("{upload:?}"), "the registration");

    // Registrations that are not as described: another type, another shape, cut short, no JSON.
    for broken in [
        body.replace("\"12\"", "12"),
        body.replace("{\"key\"", "[{\"key\"").replace("}}", "}]}"),
        body[..body.len() - 30].to_owned(),
        format!("<html>{body}"),
    ] {
        let stage = Stage::new(vec![FaultRule::always(Call::RegisterMedia, Fault::Body(broken))]);
        let error = stage.publish(&keeper).await.unwrap_err();
        assert_clean(&format!("{error} {error:?}"), "an undecodable registration");
    }

    // A server that echoes the token.
    let echo = format!(r#"{{"items":"{TOKEN}"}}"#);
    let stage = Stage::new(vec![FaultRule::always(Call::ListBoards, Fault::Body(echo))]);
    let error = stage.client.boards().await.unwrap_err();
    assert_clean(&format!("{error} {error:?}"), "an echo");
    assert_clean(&format!("{:?}", stage.client), "the client");

    let states = serde_json::to_string::<Vec<PublishState>>(&keeper.states.lock().unwrap()).unwrap();
    assert_clean(&states, "a state");
    let log = logged();
    assert!(log.contains("answered") && log.contains("TRACE"), "the log was caught: {log}");
    assert_clean(&log, "the log");
}
