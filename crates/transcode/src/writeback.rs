//! Bytes on their way to the disk while there is other work: writing goes on, or the proof reads.
//!
//! A file of 500 MB takes a second and more of `fsync` when that begins at the end, and next to none when the disk has
//! been at work all along.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Bytes that are written before the disk is told: each time costs a flush of its cache.
const STEP: u64 = 64 * 1024 * 1024;

/// How often the file is looked at.
const PACE: Duration = Duration::from_millis(20);

/// The file is still being written.
const GROWING: u8 = 0;
/// It is as long as it will be.
const WRITTEN: u8 = 1;
/// Nobody wants it any more.
const ABANDONED: u8 = 2;

/// A thread that makes one file durable as it grows. Dropping it lets the thread end by itself.
#[derive(Debug)]
pub(crate) struct WriteBack {
    state: Arc<AtomicU8>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl WriteBack {
    /// Begins with the file at `path`. Without a thread all of it is left to the end.
    pub(crate) fn begin(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let state = Arc::new(AtomicU8::new(GROWING));
        let watched = Arc::clone(&state);
        let thread = thread::Builder::new().name("write-back".to_owned()).spawn(move || follow(&file, &watched)).ok();
        Ok(Self { state, thread })
    }

    /// Nothing more will be written: what is left goes to the disk now.
    pub(crate) fn written(&self) {
        self.tell(WRITTEN);
    }

    /// Waits until all of it is on the disk. The system tells of a failed write once, so this has to be asked.
    pub(crate) fn wait(mut self) -> io::Result<()> {
        self.tell(WRITTEN);
        let ended = self.thread.take().map(JoinHandle::join);
        ended.unwrap_or(Ok(Ok(()))).unwrap_or_else(|_| Err(io::Error::other("the thread that writes to disk panicked")))
    }

    fn tell(&self, state: u8) {
        self.state.store(state, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for WriteBack {
    fn drop(&mut self) {
        self.tell(ABANDONED);
    }
}

fn follow(file: &File, state: &AtomicU8) -> io::Result<()> {
    let mut durable = 0;
    loop {
        match state.load(Ordering::Relaxed) {
            GROWING => {}
            WRITTEN => return file.sync_all(),
            _ => return Ok(()),
        }
        let len = file.metadata()?.len();
        if len >= durable + STEP {
            file.sync_data()?;
            durable = len;
        } else {
            thread::park_timeout(PACE);
        }
    }
}
