//! Waits on this machine for the answer that the browser brings.
//!
//! Anyone on this machine, and any page that the browser shows, can ask this port for something. Only a request that
//! has our state ends the wait; all others are answered and forgotten.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::authorize::{AnswerError, AuthorizationCode, RedirectUri, State};
use super::error::LoopbackError;
use super::page;

/// The head of a request; browsers send some 2 KB.
const HEAD_MAX: usize = 16 << 10;
/// For one request, from its connection on. Browsers open connections that they may never use.
const REQUEST_LIMIT: Duration = Duration::from_secs(20);
/// Connections at the same time; more are closed at once.
const CONNECTIONS_MAX: usize = 64;
/// How often another free port is looked for.
const FREE_PORT_TRIES: u32 = 16;

/// Listens where the browser is sent, on both addresses that `localhost` may mean.
#[derive(Debug)]
pub struct Loopback {
    v4: TcpListener,
    v6: Option<TcpListener>,
    redirect_uri: RedirectUri,
}

impl Loopback {
    /// Listens on the port of `redirect_uri`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the port is taken on either address.
    pub async fn listen(redirect_uri: &RedirectUri) -> Result<Self, LoopbackError> {
        let port = redirect_uri.port();
        let mut tries = 0;
        loop {
            match Self::on_both(port).await {
                Ok(loopback) => return Ok(loopback),
                // What is free on the one address may be taken on the other.
                Err(_) if port == 0 && tries < FREE_PORT_TRIES => tries += 1,
                Err(source) => return Err(LoopbackError::Port { source, port }),
            }
        }
    }

    async fn on_both(port: u16) -> io::Result<Self> {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = v4.local_addr()?.port();
        let v6 = match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
            Ok(listener) => Some(listener),
            // A browser that is answered by another program there would hand it the code.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => None,
        };
        Ok(Self { v4, v6, redirect_uri: RedirectUri::on_port(port) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// Waits for the browser.
    ///
    /// # Errors
    /// When the user declines, or nothing comes within `limit`.
    pub async fn code(self, state: &State, limit: Duration) -> Result<AuthorizationCode, LoopbackError> {
        let waited = tokio::time::timeout(limit, self.first_answer(state)).await;
        let answer = waited.map_err(|_| LoopbackError::TimedOut { waited: limit })?;
        Ok(answer?)
    }

    async fn first_answer(&self, state: &State) -> Result<AuthorizationCode, AnswerError> {
        let mut visits = JoinSet::new();
        loop {
            tokio::select! {
                Some(visit) = visits.join_next() => {
                    if let Ok(Some(answer)) = visit {
                        return answer;
                    }
                }
                stream = self.accept() => {
                    if visits.len() < CONNECTIONS_MAX {
                        let state = state.clone();
                        visits.spawn(async move {
                            let visit = visit(stream, &state);
                            tokio::time::timeout(REQUEST_LIMIT, visit).await.ok().and_then(Result::ok).flatten()
                        });
                    }
                }
            }
        }
    }

    async fn accept(&self) -> TcpStream {
        loop {
            let accepted = match &self.v6 {
                Some(v6) => tokio::select! {
                    accepted = self.v4.accept() => accepted,
                    accepted = v6.accept() => accepted,
                },
                None => self.v4.accept().await,
            };
            match accepted {
                Ok((stream, peer)) if is_here(peer) => return stream,
                Ok(_) => {}
                Err(error) => {
                    // Out of file descriptors, most likely; some will be closed soon.
                    tracing::warn!(%error, "cannot accept the browser's connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

const fn is_here(peer: SocketAddr) -> bool {
    match peer.ip() {
        IpAddr::V4(address) => address.is_loopback(),
        IpAddr::V6(address) => address.is_loopback(),
    }
}

/// What a request means.
enum Visit {
    Answer(Result<AuthorizationCode, AnswerError>),
    Stranger(&'static str),
}

/// Reads one request and answers it. `None` when it was not the one that is waited for.
async fn visit(mut stream: TcpStream, state: &State) -> io::Result<Option<Result<AuthorizationCode, AnswerError>>> {
    let mut head = Vec::with_capacity(2_048);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() >= HEAD_MAX || stream.read_buf(&mut head).await? == 0 {
            return Ok(None);
        }
    }
    let visit = read(&head, state);
    let page = match &visit {
        Visit::Answer(Ok(_)) => page::answer(
            "200 OK",
            "pinpress has your answer",
            "You can close this page. pinpress goes on in the terminal.",
        ),
        Visit::Answer(Err(_)) => page::answer(
            "200 OK",
            "pinpress has no permission",
            "You can close this page. The terminal says what came back, and what to do.",
        ),
        Visit::Stranger(status) => page::answer(
            status,
            "Nothing here",
            "pinpress waits here for an answer of Pinterest's, and this is not the one.",
        ),
    };
    stream.write_all(page.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(match visit {
        Visit::Answer(answer) => Some(answer),
        Visit::Stranger(_) => None,
    })
}

/// Only `GET /?…` with our state is an answer.
fn read(head: &[u8], state: &State) -> Visit {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut headers);
    let (Ok(_), Some(method), Some(target)) = (request.parse(head), request.method, request.path) else {
        return Visit::Stranger("400 Bad Request");
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path != "/" {
        return Visit::Stranger("404 Not Found");
    }
    if method != "GET" {
        return Visit::Stranger("405 Method Not Allowed");
    }
    match AuthorizationCode::from_query(query, state) {
        Err(AnswerError::OtherState) => Visit::Stranger("400 Bad Request"),
        answer => Visit::Answer(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn nothing_without_our_state_is_an_answer(head in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            proptest::prop_assert!(matches!(read(&head, &State::random()), Visit::Stranger(_)));
        }

        #[test]
        fn no_query_without_our_state_is_an_answer(query in "[ -~]{0,80}", other in "[A-Za-z0-9_-]{0,60}") {
            for query in [query.clone(), format!("code=1&state={other}&{query}"), format!("state={other}&error={query}")] {
                let head = format!("GET /?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n");
                proptest::prop_assert!(matches!(read(head.as_bytes(), &State::random()), Visit::Stranger(_)));
            }
        }
    }
}
