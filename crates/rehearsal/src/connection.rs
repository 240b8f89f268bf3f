//! Connections that can be cut without an answer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Cuts the connection of the request that it came with. It holds how many bytes may still leave.
#[derive(Debug, Clone)]
pub(crate) struct Scissors(Arc<AtomicU64>);

/// No cut.
const WHOLE: u64 = u64::MAX;

impl Default for Scissors {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(WHOLE)))
    }
}

impl Scissors {
    /// From now on every write fails, so that not a byte of an answer leaves.
    pub(crate) fn cut(&self) {
        self.cut_after(0);
    }

    /// So many bytes leave yet, head included.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.0.store(bytes, Ordering::SeqCst);
    }

    fn left(&self) -> io::Result<u64> {
        match self.0.load(Ordering::SeqCst) {
            0 => Err(io::ErrorKind::ConnectionReset.into()),
            left => Ok(left),
        }
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().scissors.clone()
    }
}

/// A listener whose connections can be cut.
#[derive(Debug)]
pub(crate) struct CuttableListener(pub(crate) TcpListener);

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Answers are small and wait for nothing.
                    let _ = stream.set_nodelay(true);
                    return (CuttableStream { stream, scissors: Scissors::default() }, address);
                }
                Err(error) => {
                    // Out of file descriptors, most likely; some will be closed soon.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection that can be cut.
#[derive(Debug)]
pub(crate) struct CuttableStream {
    stream: TcpStream,
    scissors: Scissors,
}

impl AsyncRead for CuttableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.scissors.left()?;
        let part = usize::try_from(left).map_or(buf, |left| &buf[..buf.len().min(left)]);
        let written = Pin::new(&mut self.stream).poll_write(cx, part);
        if let (Poll::Ready(Ok(written)), true) = (&written, left != WHOLE) {
            self.scissors.cut_after(left.saturating_sub(*written as u64));
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.scissors.left()? != WHOLE {
            return self.poll_write(cx, bufs.iter().find(|buf| !buf.is_empty()).map_or(&[], |buf| buf));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.scissors.left()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
