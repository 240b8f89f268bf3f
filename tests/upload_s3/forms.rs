//! Forms that are as they were signed, and forms that are not.

use std::time::Duration;

use jiff::SignedDuration;
use pinpress_publish::{AccessToken, Client, ClientOptions, MediaUpload, PublishError, RetryPolicy};
use pinpress_rehearsal::{Call, Fault, FaultRule, Rehearsal, RehearsalOptions};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::server::{SECRET_KEY, Server};
use crate::signed::Terms;

/// A client that registered an upload and was told of this form.
async fn registered(server: &Server, parameters: &[(&str, String)]) -> (Client, MediaUpload) {
    let pairs = parameters.iter().map(|(name, value)| ((*name).to_owned(), Value::String(value.clone())));
    let answer = json!({
        "media_id": "12", "media_type": "video", "upload_url": server.upload_url(),
        "upload_parameters": Value::Object(pairs.collect()),
    });
    let mut options = RehearsalOptions::new(server.file("kept"));
    options.faults = vec![FaultRule::always(Call::RegisterMedia, Fault::Body(answer.to_string()))];
    let rehearsal = Rehearsal::start(options).unwrap();
    let quick = Duration::from_millis(1);
    // A refusal that comes while bytes are on their way can be lost with the connection.
    let retry = RetryPolicy { attempts: 20, first_delay: quick, max_delay: quick, ..RetryPolicy::default() };
    let options = ClientOptions { api_base: rehearsal.api_base().parse().unwrap(), retry, ..ClientOptions::default() };
    let client = Client::new(AccessToken::new(rehearsal.token()).unwrap(), options).unwrap();
    let upload = client.register(&()).await.unwrap();
    (client, upload)
}

/// Short enough to be on its way whole before it is refused.
const SHORT: &[u8] = &[7; 2_000];

/// Every byte value, and what could be taken for the end of a part.
fn video() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..1_500_007_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    bytes.extend_from_slice(b"\r\n--boundary\r\n--\r\n\r\n");
    bytes
}

#[tokio::test]
async fn the_clients_form_brings_every_byte() {
    let server = Server::start();
    let (file, bytes) = (server.file("a \"b\" ü.mp4"), video());
    std::fs::write(&file, &bytes).unwrap();
    let terms = Terms::new("uploads/11/aa/22/3:video:203014033110991560:5212123920968240771");
    let (client, upload) = registered(&server, &terms.parameters()).await;
    client.upload(&upload, &file, &()).await.unwrap();
    assert!(server.object(&terms.key).is_some_and(|object| object == bytes), "other bytes came");
}

#[tokio::test]
async fn what_the_server_refuses_is_told_without_the_form() {
    let server = Server::start();
    let file = server.file("a.mp4");
    std::fs::write(&file, SHORT).unwrap();
    let good = Terms::new("key");
    let mut changed = good.parameters();
    changed[1].1.push('x');
    let cases = [
        // Some codes are as long as secrets are, and not shown.
        (Terms { secret_key: "another", ..good.clone() }.parameters(), 403, "HTTP 403"),
        (Terms { length_max: 1_000, ..good.clone() }.parameters(), 400, "EntityTooLarge"),
        (changed, 400, "field &apos;key&apos; failed"),
    ];
    for (parameters, status, code) in cases {
        let (client, upload) = registered(&server, &parameters).await;
        let error = client.upload(&upload, &file, &()).await.unwrap_err();
        let PublishError::Refused { refusal, .. } = &error else { panic!("{error}") };
        assert_eq!(refusal.status, status, "{error}");
        assert!(error.to_string().contains(code), "{error}");
        let text = format!("{error} {error:?}");
        for (name, secret) in &parameters {
            if ["policy", "x-amz-signature", "x-amz-security-token", "x-amz-credential"].contains(name) {
                assert!(!text.contains(secret), "{name}: {text}");
            }
        }
        assert!(!text.contains(SECRET_KEY));
        assert!(server.object("key").is_none() && server.object("keyx").is_none());
    }
}

#[tokio::test]
async fn a_form_past_its_time_is_asked_for_again() {
    let server = Server::start();
    let file = server.file("a.mp4");
    std::fs::write(&file, SHORT).unwrap();
    let terms = Terms { lifetime: SignedDuration::from_secs(-5), ..Terms::new("key") };
    let (client, upload) = registered(&server, &terms.parameters()).await;
    let error = client.upload(&upload, &file, &()).await.unwrap_err();
    assert!(matches!(error, PublishError::FormExpired), "{error}");
    assert!(server.object("key").is_none());
}

/// Sends parts by hand; the answer is the status and S3's code.
async fn sent(server: &Server, form: Form) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let Ok(answer) = client.post(server.upload_url()).multipart(form).send().await else {
        return (0, "closed before all was sent".to_owned());
    };
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    let code = text.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next()).unwrap_or_default();
    (status, code.to_owned())
}

/// That the judge sees what it is there for.
#[tokio::test]
async fn the_server_is_strict() {
    let server = Server::start();
    let file = || Part::bytes(SHORT).file_name("a.mp4").mime_str("video/mp4").unwrap();
    let form = |parameters: Vec<(&'static str, String)>| {
        parameters.into_iter().fold(Form::new(), |form, (name, value)| form.text(name, value))
    };
    let terms = Terms::new("by-hand");
    assert_eq!(sent(&server, form(terms.parameters()).part("file", file())).await.0, 204);
    let expired = Terms { lifetime: SignedDuration::from_secs(-5), ..terms.clone() };
    let foreign = Terms { secret_key: "another", ..terms.clone() };
    let last = |terms: &Terms| form(terms.parameters()).part("file", file());
    let more = form(terms.parameters()).text("acl", "public-read").part("file", file());
    // The file before the fields: nothing that comes after it counts.
    let first = Form::new().part("file", file());
    let first = terms.parameters().into_iter().fold(first, |form, (name, value)| form.text(name, value));
    let refused = [("expired", last(&expired)), ("foreign", last(&foreign)), ("one more", more), ("first", first)];
    std::fs::remove_file(server.bucket().join("by-hand")).unwrap();
    for (what, form) in refused {
        let (status, code) = sent(&server, form).await;
        assert!(![200, 201, 204].contains(&status), "{what}: {status} {code}");
        assert!(server.object("by-hand").is_none(), "{what}");
    }
}
