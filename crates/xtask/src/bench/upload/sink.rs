//! A host that takes uploads and does nothing with them: it reads, counts and answers. `POST /v5/media` hands out a
//! form for it.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

/// The text fields of the form, as S3 has them.
pub(super) const FIELDS: [(&str, &str); 5] = [
    ("key", "uploads/12/video.mp4"),
    ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
    ("x-amz-date", "20261130T000000Z"),
    ("policy", "e30="),
    ("x-amz-signature", "0000"),
];

/// What is read at once.
const READ: usize = 1 << 20;

/// A running host. It ends with the program.
#[derive(Debug)]
pub(super) struct Sink {
    address: SocketAddr,
    took: Arc<Took>,
}

#[derive(Debug, Default)]
struct Took {
    uploads: AtomicU64,
    bytes: AtomicU64,
}

impl Sink {
    pub(super) fn api_base(&self) -> String {
        format!("http://{}/v5", self.address)
    }

    pub(super) fn upload_url(&self) -> String {
        format!("http://{}/upload", self.address)
    }

    /// Fails unless so many uploads came, each with at least so many bytes.
    pub(super) fn expect(&self, uploads: u64, bytes: u64) -> Result<()> {
        let came = (self.took.uploads.load(Ordering::SeqCst), self.took.bytes.load(Ordering::SeqCst));
        ensure!(
            came.0 == uploads && came.1 >= uploads * bytes,
            "{} uploads came, of {} bytes together",
            came.0,
            came.1
        );
        Ok(())
    }
}

/// Starts to listen on a free port of this machine.
pub(super) fn start() -> Result<Sink> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    let address = listener.local_addr()?;
    let took = Arc::new(Took::default());
    let sink = Sink { address, took: Arc::clone(&took) };
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let took = Arc::clone(&took);
            thread::spawn(move || {
                if let Err(error) = serve(stream, address, &took) {
                    println!("the sink: {error:#}");
                }
            });
        }
    });
    Ok(sink)
}

/// Answers the requests of one connection (RFC 9112), as far as these two clients use it.
fn serve(stream: TcpStream, address: SocketAddr, took: &Took) -> Result<()> {
    let mut answers = stream.try_clone()?;
    let mut requests = BufReader::with_capacity(READ, stream);
    loop {
        let Some(head) = Head::read(&mut requests)? else { return Ok(()) };
        if head.expects_continue {
            answers.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let read = std::io::copy(&mut requests.by_ref().take(head.length), &mut std::io::sink())?;
        ensure!(read == head.length, "{read} of {} bytes came", head.length);
        if head.line.starts_with("POST /v5/media ") {
            let form = json!({
                "media_id": "12",
                "media_type": "video",
                "upload_url": format!("http://{address}/upload"),
                "upload_parameters": serde_json::Map::from_iter(FIELDS.map(|(name, value)| (name.to_owned(), value.into()))),
            });
            let body = form.to_string();
            let length = body.len();
            write!(
                answers,
                "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )?;
        } else if head.line.starts_with("POST /upload ") {
            took.uploads.fetch_add(1, Ordering::SeqCst);
            took.bytes.fetch_add(read, Ordering::SeqCst);
            answers.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
        } else {
            bail!("an unexpected request: {}", head.line);
        }
    }
}

/// The head of a request.
struct Head {
    line: String,
    length: u64,
    expects_continue: bool,
}

impl Head {
    /// `None` when the connection ends.
    fn read(stream: &mut BufReader<TcpStream>) -> Result<Option<Self>> {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut head = Self { line: line.trim_end().to_owned(), length: 0, expects_continue: false };
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { return Ok(Some(head)) };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = value.trim().parse().context("Content-Length")?,
                "expect" => head.expects_continue = true,
                "transfer-encoding" => bail!("a chunked body"),
                _ => {}
            }
        }
    }
}
