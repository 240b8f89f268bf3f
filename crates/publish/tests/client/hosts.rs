//! Upload hosts that misbehave, by hand-written HTTP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use pinpress_publish::{Client, NetworkFault, PublishError, PublishState, publish};
use pinpress_rehearsal::{Call, Fault, FaultRule, Rehearsal};

use crate::ground::{BOARD, Ground, Keeper, TOKEN, client, count};

/// A host that takes one request whole and answers with `answer`; without one it keeps silent until the client is gone.
/// What came, at the end.
pub(crate) fn host(answer: Option<String>) -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = BufReader::new(stream);
        let (mut came, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            came.extend_from_slice(line.as_bytes());
            match line.to_ascii_lowercase().split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().unwrap(),
                Some(_) => {}
                None if line == "\r\n" => break,
                None => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        came.extend(body);
        match answer {
            Some(answer) => stream.get_mut().write_all(answer.as_bytes()).unwrap(),
            None => drop(stream.read_to_end(&mut Vec::new())),
        }
        came
    });
    (address, thread)
}

/// A rehearsal whose uploads go to `upload_url`.
fn sends_to(ground: &Ground, upload_url: &str, parameters: &str) -> Rehearsal {
    let body = format!(
        r#"{{"media_id":"1","media_type":"video","upload_url":"{upload_url}","upload_parameters":{parameters}}}"#
    );
    ground.rehearsal(vec![FaultRule::always(Call::RegisterMedia, Fault::Body(body))])
}

fn impatient(rehearsal: &Rehearsal) -> Client {
    client(&rehearsal.api_base(), |options| {
        options.retry.attempts = 1;
        options.upload_idle_timeout = Duration::from_millis(200);
    })
}

async fn failure(ground: &Ground, rehearsal: &Rehearsal) -> PublishError {
    let draft = ground.draft(&rehearsal.board_id(BOARD).unwrap(), "Soup");
    publish(&impatient(rehearsal), &draft, PublishState::New, &Keeper::default(), &()).await.unwrap_err()
}

#[tokio::test]
async fn a_redirect_of_the_upload_is_refused_and_nothing_is_sent_there() {
    for parameters in ["{}", r#"{"key":"k"}"#] {
        for status in ["301 Moved Permanently", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"] {
            let ground = Ground::new();
            let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
            let target = elsewhere.local_addr().unwrap();
            let answer = format!("HTTP/1.1 {status}\r\nLocation: http://{target}/\r\nContent-Length: 0\r\n\r\n");
            let (address, thread) = host(Some(answer));
            let rehearsal = sends_to(&ground, &format!("http://{address}/u"), parameters);
            let error = failure(&ground, &rehearsal).await;
            assert!(matches!(&error, PublishError::Refused { refusal, .. } if refusal.status / 100 == 3), "{error}");
            let came = thread.join().unwrap();
            assert!(came.len() > 300_000, "the first host had it all");
            assert!(!String::from_utf8_lossy(&came).contains(TOKEN), "and no token");
            elsewhere.set_nonblocking(true).unwrap();
            let nobody = elsewhere.accept().unwrap_err();
            assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock, "{status}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up() {
    let ground = Ground::new();
    let (address, thread) = host(None);
    let rehearsal = sends_to(&ground, &format!("http://{address}/u"), "{}");
    let error = failure(&ground, &rehearsal).await;
    assert!(matches!(error, PublishError::Network { fault: NetworkFault::Stalled, .. }), "{error:?}");
    assert!(error.to_string().contains("300000 of 300000 bytes were sent, then nothing"), "{error}");
    // The host waits for the end of the connection, which the tasks of this thread bring about.
    tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_form_whose_time_is_over_is_not_begun_with() {
    let ground = Ground::new();
    let rehearsal = ground.rehearsal(vec![FaultRule::nth(Call::RegisterMedia, 1, Fault::FormExpired)]);
    let client = client(&rehearsal.api_base(), |_| {});
    let draft = ground.draft(&rehearsal.board_id(BOARD).unwrap(), "Soup");
    publish(&client, &draft, PublishState::New, &Keeper::default(), &()).await.unwrap();
    assert_eq!((count(&rehearsal, Call::RegisterMedia), count(&rehearsal, Call::Upload)), (2, 1));
}

#[tokio::test]
async fn no_try_begins_after_the_time_of_the_tries() {
    let ground = Ground::new();
    let rehearsal = ground.rehearsal(vec![
        FaultRule::always(Call::GetUserAccount, Fault::ErrorBeforeEffect),
        FaultRule::always(Call::Upload, Fault::ErrorBeforeEffect),
    ]);
    let client = client(&rehearsal.api_base(), |options| {
        options.retry.limit = Duration::ZERO;
        options.upload_limit = Duration::ZERO;
    });
    client.user_account().await.unwrap_err();
    let draft = ground.draft(&rehearsal.board_id(BOARD).unwrap(), "Soup");
    publish(&client, &draft, PublishState::New, &Keeper::default(), &()).await.unwrap_err();
    assert_eq!((count(&rehearsal, Call::GetUserAccount), count(&rehearsal, Call::Upload)), (1, 1));
}
