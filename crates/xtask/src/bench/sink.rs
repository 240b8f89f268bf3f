//! A host that takes uploads and does nothing with them: it reads, counts and answers, as fast as it can or as a link
//! of a given rate would. `POST /v5/media` hands out a form for it, and every Pin is created.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

/// The text fields of the form, as S3 has them.
pub(crate) const FIELDS: [(&str, &str); 5] = [
    ("key", "uploads/12/video.mp4"),
    ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
    ("x-amz-date", "20261130T000000Z"),
    ("policy", "e30="),
    ("x-amz-signature", "0000"),
];

/// The one board.
pub(crate) const BOARD: &str = "Bench";

/// What is read at once.
const READ: usize = 1 << 20;

/// What is read at once from a link of limited rate: little enough that several uploads share it evenly.
const READ_SLOWLY: u64 = 16 << 10;

/// A running host. It ends with the program.
#[derive(Debug)]
pub(crate) struct Sink {
    address: SocketAddr,
    took: Arc<Took>,
}

#[derive(Debug, Default)]
struct Took {
    uploads: AtomicU64,
    bytes: AtomicU64,
    pins: AtomicU64,
}

/// A link that all uploads share.
#[derive(Debug)]
struct Link {
    bytes_per_second: u64,
    /// When what was read so far has come through.
    free: Mutex<Instant>,
}

impl Link {
    /// Waits as long as so many bytes take behind those that came before.
    fn carry(&self, bytes: u64) {
        let takes = Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / self.bytes_per_second);
        let through = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            *free = (*free).max(Instant::now()) + takes;
            *free
        };
        thread::sleep(through.saturating_duration_since(Instant::now()));
    }
}

impl Sink {
    pub(crate) fn api_base(&self) -> String {
        format!("http://{}/v5", self.address)
    }

    pub(crate) fn upload_url(&self) -> String {
        format!("http://{}/upload", self.address)
    }

    /// Fails unless so many uploads came, each with at least so many bytes.
    pub(crate) fn expect(&self, uploads: u64, bytes: u64) -> Result<()> {
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

/// Starts to listen on a free port of this machine. Uploads come with `bytes_per_second` in all, where that is given.
pub(crate) fn start(bytes_per_second: Option<u64>) -> Result<Sink> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    let address = listener.local_addr()?;
    let took = Arc::new(Took::default());
    let link =
        bytes_per_second.map(|rate| Arc::new(Link { bytes_per_second: rate.max(1), free: Mutex::new(Instant::now()) }));
    let sink = Sink { address, took: Arc::clone(&took) };
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (took, link) = (Arc::clone(&took), link.clone());
            thread::spawn(move || {
                if let Err(error) = serve(stream, address, &took, link.as_deref()) {
                    println!("the sink: {error:#}");
                }
            });
        }
    });
    Ok(sink)
}

/// Answers the requests of one connection (RFC 9112), as far as these two clients use it.
fn serve(stream: TcpStream, address: SocketAddr, took: &Took, link: Option<&Link>) -> Result<()> {
    let mut answers = stream.try_clone()?;
    let mut requests = BufReader::with_capacity(READ, stream);
    loop {
        let Some(head) = Head::read(&mut requests)? else { return Ok(()) };
        if head.expects_continue {
            answers.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let is_upload = head.line.starts_with("POST /upload ");
        let mut body = requests.by_ref().take(head.length);
        let read = match link.filter(|_| is_upload) {
            None => std::io::copy(&mut body, &mut std::io::sink())?,
            Some(link) => read_over(link, &mut body)?,
        };
        ensure!(read == head.length, "{read} of {} bytes came", head.length);
        if is_upload {
            took.uploads.fetch_add(1, Ordering::SeqCst);
            took.bytes.fetch_add(read, Ordering::SeqCst);
            answers.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
            continue;
        }
        let (status, body) = if head.line.starts_with("POST /v5/media ") {
            let parameters = FIELDS.map(|(name, value)| (name.to_owned(), value.into()));
            let form = json!({
                "media_id": "12",
                "media_type": "video",
                "upload_url": format!("http://{address}/upload"),
                "upload_parameters": serde_json::Map::from_iter(parameters),
            });
            ("201 Created", form)
        } else if head.line.starts_with("GET /v5/media/") {
            ("200 OK", json!({ "media_id": "12", "media_type": "video", "status": "succeeded" }))
        } else if head.line.starts_with("GET /v5/boards") {
            ("200 OK", json!({ "items": [{ "id": "1", "name": BOARD }], "bookmark": null }))
        } else if head.line.starts_with("POST /v5/pins ") {
            let number = took.pins.fetch_add(1, Ordering::SeqCst) + 1;
            ("201 Created", json!({ "id": number.to_string(), "board_id": "1" }))
        } else {
            bail!("an unexpected request: {}", head.line);
        };
        let body = body.to_string();
        let length = body.len();
        write!(
            answers,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )?;
    }
}

/// Reads to the end, no faster than `link` carries it.
fn read_over(link: &Link, body: &mut impl Read) -> Result<u64> {
    let mut all = 0;
    loop {
        let read = std::io::copy(&mut body.by_ref().take(READ_SLOWLY), &mut std::io::sink())?;
        if read == 0 {
            return Ok(all);
        }
        link.carry(read);
        all += read;
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
