//! Stands between client and server, counts what travels, and cuts the line when it is told to.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[derive(Default)]
struct Counts {
    up: AtomicU64,
    down: AtomicU64,
    requests: AtomicU64,
    /// Bytes from the client after which nothing passes any more; 0 for no such limit.
    cut_after: AtomicU64,
    cut: AtomicBool,
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
            let heads = bytes.windows(11).filter(|window| window == b" HTTP/1.1\r\n").count();
            counts.requests.fetch_add(heads as u64, Ordering::SeqCst);
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
