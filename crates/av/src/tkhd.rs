//! The display matrix of a finished MP4.
//!
//! libav takes it as side data of the stream, by a call that came and went with its versions; the place in the file
//! has stayed since 2001 (ISO/IEC 14496-12 §8.3.2).

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Boxes that are looked at on one level.
const MAX_BOXES: usize = 4096;

/// Writes `matrix` into the header of the file's track number `track`, from 0.
pub(crate) fn set_matrix(path: &Path, track: usize, matrix: &[i32; 9]) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let len = file.metadata()?.len();
    let missing = || io::Error::new(io::ErrorKind::InvalidData, "the track has no header");
    let moov = find(&mut file, 0..len, *b"moov", 0)?.ok_or_else(missing)?;
    let trak = find(&mut file, moov, *b"trak", track)?.ok_or_else(missing)?;
    let tkhd = find(&mut file, trak, *b"tkhd", 0)?.ok_or_else(missing)?;
    let mut version = [0u8];
    file.seek(SeekFrom::Start(tkhd.start))?;
    file.read_exact(&mut version)?;
    // Version and flags; times, track and duration in 32 or 64 bits; reserved; layer, group, volume, reserved.
    let fields = if version == [1] { 4 + 32 } else { 4 + 20 };
    let at = tkhd.start + fields + 8 + 8;
    if at + 36 > tkhd.end {
        return Err(missing());
    }
    file.seek(SeekFrom::Start(at))?;
    let bytes: Vec<u8> = matrix.iter().flat_map(|value| value.to_be_bytes()).collect();
    file.write_all(&bytes)
}

/// The content of the box of this kind number `skip`, from 0, among those in `range`.
fn find(
    file: &mut File,
    range: std::ops::Range<u64>,
    kind: [u8; 4],
    skip: usize,
) -> io::Result<Option<std::ops::Range<u64>>> {
    let (mut at, mut seen) = (range.start, 0);
    for _ in 0..MAX_BOXES {
        if at + 8 > range.end {
            break;
        }
        let mut header = [0u8; 8];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut header)?;
        let [a, b, c, d, name @ ..] = header;
        let (mut size, mut head) = (u64::from(u32::from_be_bytes([a, b, c, d])), 8);
        if size == 1 {
            let mut large = [0u8; 8];
            file.read_exact(&mut large)?;
            (size, head) = (u64::from_be_bytes(large), 16);
        } else if size == 0 {
            size = range.end - at;
        }
        if size < head || at.checked_add(size).is_none_or(|end| end > range.end) {
            break;
        }
        if name == kind {
            if seen == skip {
                return Ok(Some(at + head..at + size));
            }
            seen += 1;
        }
        at += size;
    }
    Ok(None)
}
