//! Stands between client and server, counts what travels, and cuts the line when it is told to.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Counts {
    up: AtomicU64,
    down: AtomicU64,
    requests: AtomicU64,
    /// Bytes from the client after which nothing passes any more; 0 for no such limit.
    cut_after: AtomicU64,
    cut: AtomicBool,
    /// What stands behind the first line of each request.
    headers: Mutex<Vec<String>>,
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    counts: Arc<Counts>,
}

impl Proxy {
    pub(crate) fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { break };
                if shared.cut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(upstream) = TcpStream::connect(server) else { break };
                let (up, down) = (Arc::clone(&shared), Arc::clone(&shared));
                let pair = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
                std::thread::spawn(move || pass(client, upstream, &up, true));
                std::thread::spawn(move || pass(pair.1, pair.0, &down, false));
            }
        });
        Self { address, counts }
    }

    /// Bytes from the server: heads and bodies.
    pub(crate) fn down(&self) -> u64 {
        self.counts.down.load(Ordering::SeqCst)
    }

    pub(crate) fn up(&self) -> u64 {
        self.counts.up.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> u64 {
        self.counts.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn headers(&self) -> Vec<String> {
        self.counts.headers.lock().unwrap().clone()
    }

    /// Cuts every line for good once the client has sent so many bytes.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.counts.cut_after.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.counts.cut.load(Ordering::SeqCst)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, counts: &Counts, up: bool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || counts.cut.load(Ordering::SeqCst) {
            break;
        }
        let bytes = &buffer[..count];
        if up {
            let sent = counts.up.fetch_add(count as u64, Ordering::SeqCst) + count as u64;
            // The head of a request is in one piece here: it is short, and sent at once.
            const FIRST_LINE: &[u8] = b" HTTP/1.1\r\n";
            for at in (0..count).filter(|at| bytes[*at..].starts_with(FIRST_LINE)) {
                counts.requests.fetch_add(1, Ordering::SeqCst);
                let head = String::from_utf8_lossy(&bytes[at + FIRST_LINE.len()..]).into_owned();
                let headers = head.split("\r\n\r\n").next().unwrap_or_default();
                counts.headers.lock().unwrap().push(headers.to_ascii_lowercase());
            }
            let limit = counts.cut_after.load(Ordering::SeqCst);
            if limit > 0 && sent > limit {
                counts.cut.store(true, Ordering::SeqCst);
                break;
            }
        } else {
            counts.down.fetch_add(count as u64, Ordering::SeqCst);
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
