//! What the bytes say before libav is asked: the top-level boxes of ISO BMFF, the document type of Matroska.
//!
//! libav tells neither where `moov` stands nor whether a file was cut, and calls Matroska and WebM by one name.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Boxes that are looked at; a fragmented file of hours has more, and says so within these.
const MAX_BOXES: usize = 4096;

/// Bytes of the EBML header that are looked at; writers need fewer than 64.
const EBML_BYTES: usize = 512;

/// What stands at the top level of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopLevel {
    /// ISO BMFF: the boxes.
    pub iso: Option<IsoBoxes>,
    /// EBML: the document type, `matroska` or `webm` (RFC 8794 §11.2.6).
    pub doc_type: Option<String>,
}

/// The top-level boxes of an ISO BMFF file (ISO/IEC 14496-12 §4.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IsoBoxes {
    /// The major brand of `ftyp`, where there is one.
    pub major_brand: Option<[u8; 4]>,
    /// Whether there is a `moov`.
    pub has_moov: bool,
    /// Whether there is an `mdat`.
    pub has_mdat: bool,
    /// Whether `moov` comes before the first `mdat`.
    pub moov_first: bool,
    /// Whether there is a `moof`.
    pub fragmented: bool,
    /// Whether a box says that it is longer than the file.
    pub past_end: bool,
    /// Whether an `mdat` says that it goes on to the end of the file, as one does that is still being written.
    pub open_mdat: bool,
}

/// Reads the top level of the file at `path`: box headers by seeking, nothing of the content.
///
/// # Errors
/// When it cannot be opened or read.
pub fn top_level(path: &Path) -> io::Result<TopLevel> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut head = Vec::with_capacity(EBML_BYTES);
    file.by_ref().take(EBML_BYTES as u64).read_to_end(&mut head)?;
    if head.starts_with(&[0x1A, 0x45, 0xDF, 0xA3]) {
        return Ok(TopLevel { iso: None, doc_type: doc_type(&head) });
    }
    Ok(TopLevel { iso: iso_boxes(&mut file, len)?, doc_type: None })
}

/// The `DocType` element: id 0x4282, a size of one byte (marker bit 0x80), text.
fn doc_type(head: &[u8]) -> Option<String> {
    let at = head.windows(2).position(|pair| pair == [0x42, 0x82])?;
    let size = usize::from(head.get(at + 2)? & 0x7F);
    let text = head.get(at + 3..at + 3 + size)?;
    Some(std::str::from_utf8(text).ok()?.trim_end_matches('\0').to_owned())
}

fn iso_boxes(file: &mut File, len: u64) -> io::Result<Option<IsoBoxes>> {
    let mut boxes = IsoBoxes::default();
    let mut at = 0u64;
    for count in 0..MAX_BOXES {
        let mut header = [0u8; 16];
        file.seek(SeekFrom::Start(at))?;
        let got = read_up_to(file, &mut header)?;
        if got < 8 {
            if count == 0 {
                return Ok(None);
            }
            break;
        }
        let kind = [header[4], header[5], header[6], header[7]];
        if count == 0 && !matches!(&kind, b"ftyp" | b"moov" | b"mdat" | b"free" | b"skip" | b"wide" | b"pnot" | b"styp")
        {
            return Ok(None);
        }
        let short = u64::from(u32::from_be_bytes([header[0], header[1], header[2], header[3]]));
        let size = match short {
            0 => len - at,
            1 if got == 16 => {
                let [.., a, b, c, d, e, f, g, h] = header;
                u64::from_be_bytes([a, b, c, d, e, f, g, h])
            }
            size => size,
        };
        match &kind {
            b"ftyp" if got >= 12 => boxes.major_brand = Some([header[8], header[9], header[10], header[11]]),
            b"moov" => {
                boxes.has_moov = true;
                boxes.moov_first |= !boxes.has_mdat;
            }
            b"mdat" => {
                boxes.has_mdat = true;
                boxes.open_mdat |= short == 0;
            }
            b"moof" => boxes.fragmented = true,
            _ => {}
        }
        let Some(next) = at.checked_add(size).filter(|_| size >= 8) else { break };
        boxes.past_end |= next > len;
        if next >= len {
            break;
        }
        at = next;
    }
    Ok(Some(boxes))
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
