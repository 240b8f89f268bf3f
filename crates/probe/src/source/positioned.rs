//! Reading at a place without moving the file's own cursor.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// A reader with a place of its own in an open file. Seeking costs no system call, and readers of one file do not
/// disturb each other.
#[derive(Debug)]
pub struct PositionedReader<'a> {
    file: &'a File,
    len: u64,
    at: u64,
}

impl<'a> PositionedReader<'a> {
    pub(super) const fn new(file: &'a File, len: u64) -> Self {
        Self { file, len, at: 0 }
    }
}

impl Read for PositionedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_at(self.file, buffer, self.at)?;
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

impl Seek for PositionedReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = at.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the file"))?;
        Ok(self.at)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn two_readers_of_one_file_have_places_of_their_own() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let (mut one, mut other) = (PositionedReader::new(&file, 10), PositionedReader::new(&file, 10));
        let mut two = [0; 2];
        one.seek(SeekFrom::End(-3)).unwrap();
        one.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"78");
        other.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"01");
        one.seek(SeekFrom::Current(-4)).unwrap();
        one.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"56");
        assert!(one.seek(SeekFrom::Current(-8)).is_err(), "before the file");
        other.seek(SeekFrom::Start(20)).unwrap();
        assert_eq!(other.read(&mut two).unwrap(), 0, "past the end");
    }
}
