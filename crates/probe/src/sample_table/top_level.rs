//! The boxes of the file itself: where `moov` is, and whether the file reaches it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use super::Undecided;

/// A `moov` larger than this is left to libav. Two hours at 60 fps with sound need about 12 MiB.
const MAX_MOOV_BYTES: u64 = 64 << 20;
/// A progressive file has a handful of top-level boxes; one with more is left to libav.
const MAX_TOP_LEVEL_BOXES: usize = 1_000;

/// What the file's own boxes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TopLevel {
    /// Major brand of `ftyp`; old QuickTime has none.
    pub(super) brand: Option<[u8; 4]>,
    /// Where the payload of `moov` begins.
    pub(super) moov_at: u64,
    /// Bytes of that payload.
    pub(super) moov_len: u64,
    /// Whether `moov` comes before any `mdat`.
    pub(super) moov_first: bool,
}

/// How the file is laid out.
#[derive(Debug)]
pub(super) enum Layout {
    /// It has a `moov`, whole.
    Indexed(TopLevel),
    /// It is ISO BMFF, and ends before its `moov` does.
    CutOff,
    /// Not for this path.
    Other(Undecided),
}

/// Box types that begin ISO BMFF and QuickTime files. `styp`, `sidx` and `moof` begin media segments.
const FIRST: [&[u8; 4]; 12] =
    [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"uuid", b"styp", b"sidx", b"moof", b"udta"];

/// Walks the top-level boxes by their headers alone.
pub(super) fn walk(mut file: &File, len: u64) -> io::Result<Layout> {
    let mut brand = None;
    let mut moov = None;
    let mut first_mdat = None;
    let mut at = 0_u64;
    for count in 0.. {
        if count > MAX_TOP_LEVEL_BOXES {
            return Ok(Layout::Other(Undecided::Unsound("too many top-level boxes".to_owned())));
        }
        let Some(header) = header_at(file, at, len)? else { break };
        if at == 0 && !FIRST.contains(&&header.kind) {
            return Ok(Layout::Other(Undecided::NotIsoBmff));
        }
        match &header.kind {
            b"ftyp" if brand.is_none() => {
                let mut major = [0; 4];
                file.seek(SeekFrom::Start(header.payload_at))?;
                if file.read_exact(&mut major).is_ok() {
                    brand = Some(major);
                }
            }
            b"moof" => return Ok(Layout::Other(Undecided::Fragmented)),
            b"mdat" => first_mdat = first_mdat.or(Some(at)),
            b"moov" if moov.is_none() => {
                if header.end > len {
                    return Ok(Layout::CutOff);
                }
                moov = Some((header.payload_at, header.end - header.payload_at, at));
            }
            _ => {}
        }
        if header.end <= at {
            return Ok(Layout::Other(Undecided::Unsound("a box of no size".to_owned())));
        }
        at = header.end;
        if at >= len {
            break;
        }
    }
    let Some((moov_at, moov_len, moov_box_at)) = moov else {
        // Without an index: a recording that goes on, when the last box is an mdat that fills the file; else foreign.
        return Ok(if first_mdat.is_some() && at >= len {
            Layout::CutOff
        } else {
            Layout::Other(Undecided::NotIsoBmff)
        });
    };
    if moov_len > MAX_MOOV_BYTES {
        return Ok(Layout::Other(Undecided::Unsound(format!("moov of {moov_len} bytes"))));
    }
    let moov_first = first_mdat.is_none_or(|mdat| moov_box_at < mdat);
    Ok(Layout::Indexed(TopLevel { brand, moov_at, moov_len, moov_first }))
}

/// The payload of `moov`.
pub(super) fn read_moov(mut file: &File, top: &TopLevel) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(top.moov_len).unwrap_or(0));
    file.seek(SeekFrom::Start(top.moov_at))?;
    file.take(top.moov_len).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == top.moov_len {
        Ok(bytes)
    } else {
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read"))
    }
}

struct FileBox {
    kind: [u8; 4],
    payload_at: u64,
    /// May lie past the end of the file.
    end: u64,
}

fn header_at(mut file: &File, at: u64, len: u64) -> io::Result<Option<FileBox>> {
    if len.saturating_sub(at) < 8 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    let mut header = [0; 8];
    file.read_exact(&mut header)?;
    let short = u64::from(u32::from_be_bytes([header[0], header[1], header[2], header[3]]));
    let kind = [header[4], header[5], header[6], header[7]];
    Ok(Some(match short {
        // To the end of the file (ISO/IEC 14496-12 §4.2.2).
        0 => FileBox { kind, payload_at: at + 8, end: len },
        1 if len - at >= 16 => {
            let mut long = [0; 8];
            file.read_exact(&mut long)?;
            FileBox { kind, payload_at: at + 16, end: at.saturating_add(u64::from_be_bytes(long).max(16)) }
        }
        size => FileBox { kind, payload_at: at + 8, end: at.saturating_add(size.max(8)) },
    }))
}
