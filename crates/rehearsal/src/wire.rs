//! Bodies that are cut or slow on their way in or out.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{CONNECTION, CONTENT_LENGTH};
use axum::response::Response;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::connection::Scissors;
use crate::fault::{Fault, Struck};

/// Pieces of a slow answer.
const PIECES: usize = 8;

fn pause(struck: &Struck) -> Option<Duration> {
    struck.find(|fault| match fault {
        Fault::Slow { pause } => Some(Duration::from_millis(*pause)),
        _ => None,
    })
}

/// The request as a fault lets it come.
pub(crate) fn spoil_request(request: Request, struck: &Struck, scissors: &Scissors) -> Request {
    let cut = struck.find(|fault| match fault {
        Fault::CutRequest { after } => Some(*after),
        _ => None,
    });
    let pause = pause(struck);
    if cut.is_none() && pause.is_none() {
        return request;
    }
    let scissors = scissors.clone();
    request.map(|body| {
        let mut left = cut;
        let pieces = body.into_data_stream().map_err(io::Error::other).and_then(move |piece| {
            let short = left.is_some_and(|left| (piece.len() as u64) > left);
            left = left.map(|left| left.saturating_sub(piece.len() as u64));
            if short {
                scissors.cut();
            }
            async move {
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
                if short { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(piece) }
            }
        });
        Body::from_stream(pieces)
    })
}

/// The answer as a fault lets it leave.
pub(crate) async fn spoil_answer(mut response: Response, struck: &Struck, scissors: &Scissors) -> Response {
    let cut = struck.find(|fault| match fault {
        Fault::CutAnswer { after } => Some(*after),
        _ => None,
    });
    if let Some(after) = cut {
        // What a short answer leaves of the bytes must not come to the next one.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        scissors.cut_after(after);
    }
    match pause(struck) {
        Some(pause) => trickle(response, pause).await,
        None => response,
    }
}

async fn trickle(response: Response, pause: Duration) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = axum::body::to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, Body::empty());
    };
    if whole.is_empty() {
        return Response::from_parts(parts, Body::empty());
    }
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let size = whole.len().div_ceil(PIECES);
    let pieces: Vec<Bytes> = whole.chunks(size).map(Bytes::copy_from_slice).collect();
    let slow = stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, io::Error>(piece)
    });
    Response::from_parts(parts, Body::from_stream(slow))
}
