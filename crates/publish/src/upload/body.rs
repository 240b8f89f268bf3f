//! The file as a body: read ahead by a thread, exactly as long as was promised.

use std::fs::File;
use std::io::{self, Read as _};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use tokio::sync::{mpsc, watch};

/// What is read from disk at once.
pub(super) const CHUNK: usize = 256 * 1024;
/// So many chunks are read before they are asked for.
const AHEAD: usize = 2;

/// How far the body is.
#[derive(Debug, Clone, Default)]
pub(super) struct Sending {
    /// Bytes that were handed to the network.
    pub(super) sent: u64,
    /// Why the file cannot be sent.
    pub(super) flaw: Option<String>,
}

/// Exactly `total` bytes of `file`, or an error: a file that shrinks must not become a video that ends early.
pub(super) fn read_exactly(
    file: File,
    total: u64,
    moved: watch::Sender<Sending>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let (chunks, mut arriving) = mpsc::channel(AHEAD);
    // It ends with the file, or when the stream is dropped.
    tokio::task::spawn_blocking(move || read(file, total, &chunks));
    let mut sent = 0;
    futures_util::stream::poll_fn(move |context| {
        arriving.poll_recv(context).map(|chunk: Option<io::Result<Bytes>>| {
            let chunk = chunk?;
            match &chunk {
                Ok(bytes) => {
                    sent += bytes.len() as u64;
                    moved.send_replace(Sending { sent, flaw: None });
                }
                Err(error) => {
                    moved.send_replace(Sending { sent, flaw: Some(error.to_string()) });
                }
            }
            Some(chunk)
        })
    })
}

/// Reads until the end, a failure, or nobody wants more.
fn read(mut file: File, total: u64, chunks: &mpsc::Sender<io::Result<Bytes>>) {
    let mut buffer = BytesMut::new();
    let mut read = 0;
    while read < total {
        let wanted = usize::try_from(total - read).unwrap_or(CHUNK).min(CHUNK);
        // Takes the room of chunks that are sent, where there is some.
        buffer.resize(wanted, 0);
        let chunk = match fill(&mut file, &mut buffer) {
            Ok(filled) if filled < wanted => {
                let came = read + filled as u64;
                Err(io::Error::other(format!("the file became shorter while it was sent: {came} of {total} bytes")))
            }
            Ok(_) => Ok(buffer.split().freeze()),
            Err(error) => Err(error),
        };
        let failed = chunk.is_err();
        if chunks.blocking_send(chunk).is_err() || failed {
            return;
        }
        read += wanted as u64;
    }
}

/// Fills `buffer` unless the file ends first; how far it came.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt as _;

    #[tokio::test]
    async fn a_file_that_shrinks_is_an_error_and_one_that_grows_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        let bytes: Vec<u8> = (0..=250).cycle().take(CHUNK * 2 + 5).collect();
        std::fs::write(&path, &bytes).unwrap();
        let length = bytes.len() as u64;
        for (promised, whole) in [(length, true), (length - 6, true), (length + 1, false), (0, true)] {
            let (moved, progress) = watch::channel(Sending::default());
            let chunks: Vec<_> = read_exactly(File::open(&path).unwrap(), promised, moved).collect().await;
            assert_eq!(chunks.iter().all(Result::is_ok), whole);
            let read: Vec<u8> = chunks.into_iter().flatten().flatten().collect();
            let sent = if whole { promised } else { (CHUNK * 2) as u64 };
            assert_eq!(read.len() as u64, sent);
            assert!(bytes.starts_with(&read), "the same bytes in the same order");
            assert_eq!((progress.borrow().flaw.is_none(), progress.borrow().sent), (whole, sent));
        }
    }
}
