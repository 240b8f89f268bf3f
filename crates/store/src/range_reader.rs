//! An object as a file that is read here and there.

use std::io::{self, Read, Seek, SeekFrom};

use bytes::Bytes;

use crate::bucket::Bucket;
use crate::error::StoreError;
use crate::object::Object;

/// The first request at a place takes so many bytes: the boxes in front of a video's index, and most indexes, are within.
const FIRST_BLOCK: u64 = 64 * 1024;

/// Whoever reads on gets twice as many with each request, up to these.
const LARGEST_BLOCK: u64 = 4 * 1024 * 1024;

/// Blocks that are kept.
const KEPT: usize = 4;

/// Reads an object by range requests, few and not much larger than what is wanted: at most 64 KiB more than the reader
/// takes at a place, and where it reads on at most as much again as it took. Each request asks for the very object that
/// was listed, and fails when that has changed.
///
/// An index (`moov`) in front costs one request, one behind the pictures two, and one of more than 64 KiB one more for
/// each doubling.
#[derive(Debug)]
pub struct RangeReader<'a> {
    bucket: &'a Bucket,
    object: &'a Object,
    at: u64,
    /// Where each begins; the last one is the youngest.
    blocks: Vec<(u64, Bytes)>,
    /// Where the last request ended, and how many bytes it brought.
    last: (u64, u64),
    requests: u64,
    travelled: u64,
    /// What a request failed with, for who wants it typed.
    failure: Option<StoreError>,
}

impl<'a> RangeReader<'a> {
    pub(crate) const fn new(bucket: &'a Bucket, object: &'a Object) -> Self {
        Self { bucket, object, at: 0, blocks: Vec::new(), last: (0, 0), requests: 0, travelled: 0, failure: None }
    }

    /// Requests that were made.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// Bytes of the object that travelled.
    #[must_use]
    pub const fn travelled(&self) -> u64 {
        self.travelled
    }

    /// Why the last read failed; it is told once. The reader itself answers the same as text.
    pub const fn take_failure(&mut self) -> Option<StoreError> {
        self.failure.take()
    }

    /// What is kept from the reader's place on.
    fn kept(&self) -> Option<Bytes> {
        self.blocks.iter().rev().find_map(|(begin, block)| {
            let offset = usize::try_from(self.at.checked_sub(*begin)?).ok()?;
            (offset < block.len()).then(|| block.slice(offset..))
        })
    }

    fn fetch(&mut self) -> io::Result<Bytes> {
        let reads_on = self.last.1 > 0 && self.at == self.last.0;
        let size = if reads_on { (self.last.1 * 2).clamp(FIRST_BLOCK, LARGEST_BLOCK) } else { FIRST_BLOCK };
        let end = self.at.saturating_add(size).min(self.object.size);
        self.requests += 1;
        let block = self.bucket.read(self.object, self.at..end).map_err(|error| {
            let text = error.reason.to_string();
            self.failure = Some(error);
            io::Error::other(text)
        })?;
        self.travelled += block.len() as u64;
        self.last = (end, end - self.at);
        if self.blocks.len() >= KEPT {
            self.blocks.remove(0);
        }
        self.blocks.push((self.at, block.clone()));
        Ok(block)
    }
}

impl Read for RangeReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.at >= self.object.size {
            return Ok(0);
        }
        let bytes = match self.kept() {
            Some(bytes) => bytes,
            None => self.fetch()?,
        };
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for RangeReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.object.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = target.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "before the beginning"))?;
        Ok(self.at)
    }
}
