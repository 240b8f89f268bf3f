//! The boxes of the file itself: where `moov` is, and whether the file reaches it.

use std::io::{self, Read, Seek, SeekFrom};

use super::Undecided;
use super::limits::{MAX_MOOV_BYTES, MAX_TOP_LEVEL_BOXES};

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
    /// Whether a `moof` follows: `moov` alone does not tell the samples.
    pub(super) fragmented: bool,
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

/// A box header with a 64-bit size. As many bytes are read at each box: they also hold the brand of `ftyp`.
const LONG_HEADER: usize = 16;

/// Walks the top-level boxes by their headers alone: one seek and one read of at most 16 bytes for each.
pub(super) fn walk(reader: &mut (impl Read + Seek), len: u64) -> io::Result<Layout> {
    let mut brand = None;
    let mut moov = None;
    let mut first_mdat = None;
    let mut pictures_without_time = false;
    let mut fragmented = false;
    let mut at = 0_u64;
    for count in 0.. {
        if count > MAX_TOP_LEVEL_BOXES {
            return Ok(Layout::Other(Undecided::Unsound("too many top-level boxes".to_owned())));
        }
        let Some(header) = header_at(reader, at, len)? else { break };
        if at == 0 && !FIRST.contains(&&header.kind) {
            return Ok(Layout::Other(Undecided::NotIsoBmff));
        }
        match &header.kind {
            b"ftyp" if brand.is_none() => brand = header.brand,
            b"moof" if moov.is_none() => return Ok(Layout::Other(Undecided::Fragmented)),
            b"moof" => {
                fragmented = true;
                break;
            }
            // HEIF and AVIF stills have a `meta` of their own, and no `moov`.
            b"meta" => pictures_without_time = true,
            b"mdat" => first_mdat = first_mdat.or(Some(at)),
            b"moov" if moov.is_none() => {
                if header.end > len {
                    return Ok(Layout::CutOff);
                }
                moov = Some((header.payload_at, header.end.saturating_sub(header.payload_at), at));
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
        // Without an index, up to the end or to less than a header: a recording that goes on, or a copy that does. A
        // file that has only said what it is going to be has not got further.
        return Ok(if (first_mdat.is_some() || brand.is_some()) && !pictures_without_time {
            Layout::CutOff
        } else {
            Layout::Other(Undecided::NotIsoBmff)
        });
    };
    if moov_len > MAX_MOOV_BYTES {
        return Ok(Layout::Other(Undecided::Unsound(format!("moov of {moov_len} bytes"))));
    }
    let moov_first = first_mdat.is_none_or(|mdat| moov_box_at < mdat);
    Ok(Layout::Indexed(TopLevel { brand, moov_at, moov_len, moov_first, fragmented }))
}

/// `moov` with a header of 32 bits, whatever it has in the file: 8 bytes, and the payload.
pub(super) fn read_moov(reader: &mut (impl Read + Seek), top: &TopLevel) -> io::Result<Vec<u8>> {
    // `walk` answers no `moov` over the limit, which is far below 4 GiB.
    let size = u32::try_from(top.moov_len.min(MAX_MOOV_BYTES) + 8).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(size as usize);
    bytes.extend_from_slice(&size.to_be_bytes());
    bytes.extend_from_slice(b"moov");
    reader.seek(SeekFrom::Start(top.moov_at))?;
    reader.take(top.moov_len).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == top.moov_len + 8 {
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
    /// The first four bytes of the payload: the major brand, when this is `ftyp`.
    brand: Option<[u8; 4]>,
}

fn header_at(reader: &mut (impl Read + Seek), at: u64, len: u64) -> io::Result<Option<FileBox>> {
    let left = usize::try_from(len.saturating_sub(at)).unwrap_or(usize::MAX);
    let mut bytes = [0; LONG_HEADER];
    let header = &mut bytes[..left.min(LONG_HEADER)];
    if header.len() < 8 {
        return Ok(None);
    }
    reader.seek(SeekFrom::Start(at))?;
    reader.read_exact(header)?;
    let whole = header.len() == LONG_HEADER;
    let [s0, s1, s2, s3, k0, k1, k2, k3, long @ ..] = bytes;
    let kind = [k0, k1, k2, k3];
    let (payload_at, end) = match u64::from(u32::from_be_bytes([s0, s1, s2, s3])) {
        // To the end of the file (ISO/IEC 14496-12 §4.2.2).
        0 => (at + 8, len),
        1 if whole => {
            let size = u64::from_be_bytes(long).max(LONG_HEADER as u64);
            (at + LONG_HEADER as u64, at.saturating_add(size))
        }
        size => (at + 8, at.saturating_add(size.max(8))),
    };
    let brand = if end.min(len).saturating_sub(payload_at) < 4 {
        None
    } else if payload_at == at + 8 {
        Some([long[0], long[1], long[2], long[3]])
    } else if kind == *b"ftyp" {
        // Legal, and never seen: the payload is not in what was read.
        let mut major = [0; 4];
        reader.read_exact(&mut major)?;
        Some(major)
    } else {
        None
    };
    Ok(Some(FileBox { kind, payload_at, end, brand }))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Remembers which bytes were asked for.
    struct Watched {
        bytes: Cursor<Vec<u8>>,
        reads: Vec<(u64, usize)>,
    }

    impl Read for Watched {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.reads.push((self.bytes.position(), buffer.len()));
            self.bytes.read(buffer)
        }
    }

    impl Seek for Watched {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.bytes.seek(to)
        }
    }

    fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(payload.len() + 8).unwrap();
        [&size.to_be_bytes()[..], kind, payload].concat()
    }

    fn long(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let size = payload.len() as u64 + 16;
        [&1_u32.to_be_bytes()[..], kind, &size.to_be_bytes(), payload].concat()
    }

    fn walked(bytes: Vec<u8>) -> (Layout, Vec<(u64, usize)>) {
        let len = bytes.len() as u64;
        let mut watched = Watched { bytes: Cursor::new(bytes), reads: Vec::new() };
        (walk(&mut watched, len).unwrap(), watched.reads)
    }

    #[test]
    fn one_read_a_box_and_nothing_of_mdat() {
        let file = [boxed(b"ftyp", b"isom\0\0\0\0"), long(b"mdat", &[0; 1000]), boxed(b"moov", &[7; 100])].concat();
        let (layout, reads) = walked(file);
        assert_eq!(reads, [(0, 16), (16, 16), (1032, 16)]);
        let Layout::Indexed(top) = layout else { panic!("{layout:?}") };
        let expected =
            TopLevel { brand: Some(*b"isom"), moov_at: 1040, moov_len: 100, moov_first: false, fragmented: false };
        assert_eq!(top, expected);
    }

    #[test]
    fn the_brand_is_found_behind_a_long_header_and_not_in_the_next_box() {
        let brand_of = |ftyp: Vec<u8>| match walked([ftyp, boxed(b"moov", &[0; 8])].concat()).0 {
            Layout::Indexed(top) => top.brand,
            layout => panic!("{layout:?}"),
        };
        assert_eq!(brand_of(long(b"ftyp", b"M4V \0\0\0\0")), Some(*b"M4V "));
        assert_eq!(brand_of(boxed(b"ftyp", b"")), None);
    }

    #[test]
    fn a_reader_that_is_shorter_than_said_is_an_error() {
        let bytes = boxed(b"moov", &[0; 100]);
        let len = bytes.len() as u64;
        let Layout::Indexed(top) = walk(&mut Cursor::new(&bytes), len).unwrap() else { panic!("no index") };
        assert!(read_moov(&mut Cursor::new(&bytes[..50]), &top).is_err());
        assert!(walk(&mut Cursor::new(&bytes[..4]), len).is_err());
    }
}
