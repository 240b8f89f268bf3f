//! The token and the upload form, planted and looked for in everything that could be kept or shown.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use pinpress_publish::{Observer, PublishError, PublishState, Waiting, publish};
use pinpress_rehearsal::{Call, Fault, FaultRule};
use tracing_subscriber::fmt::MakeWriter;

use crate::ground::{BOARD, Ground, Keeper, client};
use crate::hosts::host;

/// In every secret here, the token's among them.
const PLANT: &str = "PLANT";

/// All that was logged in this process, libraries included, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    })
}

/// Hears what people are told.
#[derive(Default)]
struct Told(Mutex<String>);

impl Observer for Told {
    fn state(&self, state: &PublishState) {
        let _ = write!(self.0.lock().unwrap(), "{state:?}");
    }

    fn waiting(&self, waiting: &Waiting) {
        let _ = write!(self.0.lock().unwrap(), "{waiting:?}");
    }
}

/// A registration whose form is secret from its address to its last field.
fn registration(host: &str) -> String {
    format!(
        r#"{{"media_id":"1","media_type":"video","upload_url":"http://{host}/PLANT-folder?X-Amz-Signature=PLANT0",
            "upload_parameters":{{"key":"PLANT-key","policy":"PLANT-policy","x-amz-security-token":"PLANT-token",
            "x-amz-signature":"PLANT-signature"}}}}"#
    )
}

fn shown(error: &PublishError) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(reason) = source {
        let _ = write!(text, " {reason} {reason:?}");
        source = reason.source();
    }
    text
}

fn assert_clean(text: &str, of: &str) {
    assert!(!text.contains(PLANT), "{of}: {text}");
}

/// Publishes with this registration and answers all that was told, the error last.
async fn fails_with(body: String) -> String {
    let ground = Ground::new();
    let rehearsal = ground.rehearsal(vec![FaultRule::always(Call::RegisterMedia, Fault::Body(body))]);
    let client = client(&rehearsal.api_base(), |options| {
        options.retry.attempts = 2;
        options.upload_idle_timeout = Duration::from_millis(300);
    });
    let draft = ground.draft(&rehearsal.board_id(BOARD).unwrap(), "Soup");
    let (keeper, told) = (Keeper::default(), Told::default());
    let error = publish(&client, &draft, PublishState::New, &keeper, &told).await.unwrap_err();
    let told = told.0.into_inner().unwrap();
    format!("{} {told} {client:?} {draft:?} {}", serde_json::to_string(&keeper.last()).unwrap(), shown(&error))
}

/// An answer of S3 that echoes all that it was given, even in the two fields that are kept.
fn echo(status: &str) -> String {
    let body = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Invalid according to Policy: \
                Policy Condition failed: [\"eq\", \"$key\", \"PLANT-key\"] PLANT-signature</Message>\
                <StringToSign>PLANT-policy</StringToSign><Token-0>PLANT-token</Token-0></Error>";
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_failure_of_an_upload_shows_the_form() {
    log();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let text = fails_with(registration(&closed)).await;
    assert!(text.contains("no connection"), "{text}");
    assert_clean(&text, "a closed port");

    for (answer, word) in [
        (echo("403 Forbidden"), "AccessDenied"),
        ("HTTP/1.1 302 Found\r\nLocation: /PLANT\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(), "302"),
        ("PLANT-policy is no HTTP\r\n\r\n".to_owned(), "the connection broke"),
    ] {
        let (address, thread) = host(Some(answer));
        let text = fails_with(registration(&address.to_string())).await;
        assert!(String::from_utf8_lossy(&thread.join().unwrap()).contains("PLANT-policy"), "the host was sent it");
        assert!(text.contains(word) || text.contains("no connection"), "{text}");
        assert_clean(&text, word);
    }
    let (address, thread) = host(None);
    let text = fails_with(registration(&address.to_string())).await;
    thread.join().unwrap();
    assert_clean(&text, "a host that keeps silent");
    assert_clean(&fails_with(registration("e.example")).await, "an address in the clear");
}

#[tokio::test]
async fn no_state_receipt_or_log_shows_the_token() {
    log();
    let ground = Ground::new();
    let rehearsal = ground.rehearsal(vec![
        FaultRule::nth(Call::GetMedia, 1, Fault::ErrorBeforeEffect),
        FaultRule::nth(Call::CreatePin, 1, Fault::AnswerLost),
    ]);
    let client = client(&rehearsal.api_base(), |_| {});
    let draft = ground.draft(&rehearsal.board_id(BOARD).unwrap(), "Soup");
    let (keeper, told) = (Keeper::default(), Told::default());
    let receipt = publish(&client, &draft, PublishState::New, &keeper, &told).await.unwrap();
    assert_clean(&serde_json::to_string(&receipt).unwrap(), "the receipt");
    assert_clean(&serde_json::to_string(&keeper.last()).unwrap(), "the state");
    assert_clean(&told.0.into_inner().unwrap(), "what is told");
    assert_clean(&format!("{client:?} {:?} {:?}", client.options(), client.budget()), "the client");
    let upload = client.register(&()).await.unwrap();
    assert!(format!("{upload:?}").contains("REDACTED"), "{upload:?}");
    // Other tests of this program log here too; none may show a secret.
    let text = String::from_utf8_lossy(&log().0.lock().unwrap()).into_owned();
    assert!(text.contains("answered") && text.contains("TRACE"), "the log was caught");
    assert_clean(&text, "the log");
}
