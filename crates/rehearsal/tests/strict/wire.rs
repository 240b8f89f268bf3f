//! HTTP/1.1 by hand, so that a request can be as wrong as it likes.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use pinpress_rehearsal::{Checked, Rehearsal, RehearsalOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the inspector takes for a video.
pub(crate) const VIDEO: &[u8] = b"\0\0\0\x18ftypmp42 a video, as far as anybody here can tell";

pub(crate) fn rehearsal(change: impl FnOnce(&mut RehearsalOptions)) -> (TempDir, Rehearsal) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = RehearsalOptions::new(folder.path().join("kept"));
    options.inspect = Arc::new(|path| {
        let whole = std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\0\0\0\x18ftyp"));
        if whole { Ok(Checked { facts: vec!["starts like one".to_owned()] }) } else { Err("no video".to_owned()) }
    });
    change(&mut options);
    let rehearsal = Rehearsal::start(options).unwrap();
    (folder, rehearsal)
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Status and Pinterest's code.
    pub(crate) fn refusal(&self) -> (u16, i64) {
        let body = self.json();
        assert!(body["message"].is_string() && body.as_object().unwrap().len() == 2, "{body}");
        (self.status, body["code"].as_i64().unwrap())
    }
}

/// Sends these bytes and reads what comes until the connection is closed.
pub(crate) fn raw(rehearsal: &Rehearsal, request: &[u8], then_close: bool) -> Answer {
    let mut stream = TcpStream::connect(rehearsal.address()).unwrap();
    // The server may have answered and closed before everything is written.
    let _ = stream.write_all(request);
    if then_close {
        stream.shutdown(Shutdown::Write).unwrap();
    }
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").map_or(all.len(), |place| place + 4);
    let head = String::from_utf8_lossy(&all[..end]).into_owned();
    let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head, body: all[end..].to_vec() }
}

/// A whole request with its `Content-Length`.
pub(crate) fn ask(rehearsal: &Rehearsal, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request =
        format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    raw(rehearsal, &[request.as_bytes(), body].concat(), false)
}

/// A call of the API with the right token.
pub(crate) fn call(rehearsal: &Rehearsal, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let bearer = format!("Bearer {}", rehearsal.token());
    let headers = [("Authorization", &*bearer), ("Content-Type", "application/json")];
    let body = body.map(Value::to_string).unwrap_or_default();
    ask(rehearsal, method, &format!("/v5/{path}"), &headers, body.as_bytes())
}

pub(crate) fn register(rehearsal: &Rehearsal) -> Value {
    let answer = call(rehearsal, "POST", "media", Some(&json!({"media_type": "video"})));
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// The fields of a form in the order of the answer.
pub(crate) fn fields(registration: &Value) -> Vec<(String, String)> {
    let parameters = registration["upload_parameters"].as_object().unwrap();
    parameters.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

pub(crate) fn text_part(name: &str, value: &str) -> Vec<u8> {
    format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes()
}

pub(crate) fn file_part(bytes: &[u8]) -> Vec<u8> {
    let head = "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"v.mp4\"\r\nContent-Type: video/mp4\r\n\r\n";
    [head.as_bytes(), bytes, b"\r\n"].concat()
}

/// Sends parts as a form.
pub(crate) fn send_form(rehearsal: &Rehearsal, parts: &[Vec<u8>], headers: &[(&str, &str)]) -> Answer {
    let body = [parts.concat(), b"--frontier--\r\n".to_vec()].concat();
    let mut all = vec![("Content-Type", "multipart/form-data; boundary=frontier")];
    all.extend(headers);
    ask(rehearsal, "POST", "/upload", &all, &body)
}

/// Sends a video as it should be.
pub(crate) fn send_video(rehearsal: &Rehearsal, registration: &Value, bytes: &[u8]) -> Answer {
    let mut parts: Vec<_> = fields(registration).iter().map(|(name, value)| text_part(name, value)).collect();
    parts.push(file_part(bytes));
    send_form(rehearsal, &parts, &[])
}

/// Asks for the status until it is settled.
pub(crate) fn settled(rehearsal: &Rehearsal, media_id: &str) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    loop {
        let answer = call(rehearsal, "GET", &format!("media/{media_id}"), None).json();
        let status = answer["status"].as_str().unwrap().to_owned();
        if seen.last() != Some(&status) {
            seen.push(status.clone());
        }
        if status != "processing" {
            return seen;
        }
    }
}

/// A video that a Pin can be made of.
pub(crate) fn ready(rehearsal: &Rehearsal) -> String {
    let registration = register(rehearsal);
    assert_eq!(send_video(rehearsal, &registration, VIDEO).status, 204);
    let media_id = registration["media_id"].as_str().unwrap().to_owned();
    assert_eq!(settled(rehearsal, &media_id).last().unwrap(), "succeeded");
    media_id
}

/// A good body of `POST /pins`.
pub(crate) fn pin_body(rehearsal: &Rehearsal, media_id: &str) -> Value {
    json!({
        "board_id": rehearsal.board_id("Rehearsal").unwrap(),
        "title": "A <b>bold</b> title",
        "link": "https://e.example/?a=1&b=2",
        "media_source": {
            "source_type": "video_id",
            "media_id": media_id,
            "cover_image_content_type": "image/jpeg",
            "cover_image_data": "/9j/4AAQSkZJRg==",
        },
    })
}
