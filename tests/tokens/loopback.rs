//! The answer that the browser brings, and everything else that knocks.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::time::Duration;

use pinpress_publish::{
    AnswerError, AuthorizationCode, Loopback, LoopbackError, RedirectUri, Scopes, State, TokenEndpoint, authorize_url,
};

use crate::stage::{Stage, visit};

const PATIENCE: Duration = Duration::from_secs(60);

/// The address that the browser is sent back to after a consent.
async fn sent_back(stage: &Stage, redirect_uri: &RedirectUri, state: &State, page: &str) -> String {
    let question = authorize_url(&stage.options().api_base, &stage.app(), redirect_uri, &Scopes::default(), state);
    let answer = visit(&question.replace("/oauth/?", page)).await;
    answer.headers()["location"].to_str().unwrap().to_owned()
}

fn knock(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_answered_and_the_right_answer_ends_the_wait() {
    let stage = Stage::new(Vec::new());
    let loopback = Loopback::listen(&RedirectUri::on_port(0)).await.unwrap();
    let (redirect_uri, state) = (loopback.redirect_uri().clone(), State::random());
    let waiting = tokio::spawn({
        let state = state.clone();
        async move { loopback.code(&state, PATIENCE).await }
    });
    let port = redirect_uri.port();
    // A connection that a browser opened and never used.
    let idle = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let back = sent_back(&stage, &redirect_uri, &state, "/oauth/allow?").await;
    let target = back.split_once(&port.to_string()).unwrap().1;
    let forged = target.replace("state=", "state=x");
    for (request, status) in [
        (format!("GET {forged} HTTP/1.1\r\n\r\n"), "400"),
        ("GET /?code=PLANT HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("GET /?error=access_denied HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("GET /favicon.ico HTTP/1.1\r\n\r\n".to_owned(), "404"),
        (format!("GET /elsewhere{} HTTP/1.1\r\n\r\n", &target[1..]), "404"),
        (format!("POST {target} HTTP/1.1\r\n\r\n"), "405"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = knock(port, &request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request} {answer}");
        assert!(!answer.contains("PLANT") && answer.contains("not the one"), "{answer}");
    }
    assert_eq!(knock(port, &format!("GET /?{} HTTP/1.1\r\n", "x".repeat(20_000))), "", "a head without an end");
    let page = visit(&back).await;
    assert_eq!((page.status().as_u16(), page.headers()["cache-control"].to_str().unwrap()), (200, "no-store"));
    assert!(page.text().await.unwrap().contains("You can close this page"));
    let code = waiting.await.unwrap().unwrap();
    drop(idle);
    let endpoint = TokenEndpoint::new(&stage.options()).unwrap();
    let login = endpoint.exchange(&stage.app(), &code, &redirect_uri).await.unwrap();
    assert!(login.expires_at().is_some() && login.refresh_expires_at().is_some());
    let again = endpoint.exchange(&stage.app(), &code, &redirect_uri).await.unwrap_err();
    assert!(again.to_string().contains("Invalid authorization code"), "a code is good once: {again}");
}

#[tokio::test]
async fn who_declines_is_told_and_so_is_pinpress() {
    let stage = Stage::new(Vec::new());
    let loopback = Loopback::listen(&RedirectUri::on_port(0)).await.unwrap();
    let (redirect_uri, state) = (loopback.redirect_uri().clone(), State::random());
    let back = sent_back(&stage, &redirect_uri, &state, "/oauth/deny?").await;
    let (code, page) = tokio::join!(loopback.code(&state, PATIENCE), visit(&back));
    let error = code.unwrap_err();
    assert!(matches!(error, LoopbackError::Answer(AnswerError::Declined { .. })), "{error}");
    assert!(error.to_string().contains("access_denied"), "{error}");
    assert!(page.text().await.unwrap().contains("no permission"));
}

#[tokio::test]
async fn the_wait_ends() {
    let loopback = Loopback::listen(&RedirectUri::on_port(0)).await.unwrap();
    let error = loopback.code(&State::random(), Duration::from_millis(1)).await.unwrap_err();
    assert!(matches!(error, LoopbackError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn a_taken_port_is_told_on_either_address() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Loopback::listen(&RedirectUri::on_port(port)).await.unwrap_err();
    assert!(error.to_string().contains(&port.to_string()) && error.to_string().contains("--no-browser"), "{error}");
    let Ok(taken) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else { return };
    let port = taken.local_addr().unwrap().port();
    let error = Loopback::listen(&RedirectUri::on_port(port)).await.unwrap_err();
    assert!(matches!(error, LoopbackError::Port { .. }), "{error}");
}

#[tokio::test]
async fn the_browser_may_come_over_either_address() {
    for host in ["127.0.0.1", "[::1]"] {
        if host != "127.0.0.1" && TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
            continue;
        }
        let stage = Stage::new(Vec::new());
        let loopback = Loopback::listen(&RedirectUri::on_port(0)).await.unwrap();
        let (redirect_uri, state) = (loopback.redirect_uri().clone(), State::random());
        let back = sent_back(&stage, &redirect_uri, &state, "/oauth/allow?").await.replace("localhost", host);
        let (code, page) = tokio::join!(loopback.code(&state, PATIENCE), visit(&back));
        code.unwrap();
        assert_eq!(page.status(), 200);
    }
}

#[tokio::test]
async fn another_redirect_uri_brings_no_tokens() {
    let stage = Stage::new(Vec::new());
    let (redirect_uri, state) = (RedirectUri::default(), State::random());
    let back = sent_back(&stage, &redirect_uri, &state, "/oauth/allow?").await;
    let code = AuthorizationCode::from_pasted(&back, &state).unwrap();
    let endpoint = TokenEndpoint::new(&stage.options()).unwrap();
    let error = endpoint.exchange(&stage.app(), &code, &RedirectUri::on_port(9)).await.unwrap_err();
    assert!(error.to_string().contains("redirect URI is registered"), "{error}");
}
