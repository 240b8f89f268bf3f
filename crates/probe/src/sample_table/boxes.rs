//! Boxes in memory: header and payload (ISO/IEC 14496-12 §4.2).

use std::ops::Range;

use super::limits::MAX_CHILDREN;

/// One box inside a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BoxSpan {
    /// Four-character code.
    pub(super) kind: [u8; 4],
    /// Where the header begins in the buffer.
    pub(super) start: usize,
    /// The bytes after the header.
    pub(super) payload: Range<usize>,
}

impl BoxSpan {
    pub(super) fn name(&self) -> String {
        self.kind.escape_ascii().to_string()
    }
}

/// The boxes that tile `range`. `Err` names what does not fit: inside `moov` a box must be at least its own header,
/// end inside its parent, and carry a 32-bit size (see [`shorten_headers`]).
pub(super) fn children(buffer: &[u8], range: Range<usize>) -> Result<Vec<BoxSpan>, String> {
    let mut spans = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let header =
            buffer.get(at..at + 8).filter(|_| at + 8 <= range.end).ok_or("bytes left over after the last box")?;
        let size = u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let kind = [header[4], header[5], header[6], header[7]];
        if size < 8 || size > range.end - at {
            return Err(format!("box {} of {size} bytes does not fit its parent", kind.escape_ascii()));
        }
        if spans.len() == MAX_CHILDREN {
            return Err("too many boxes in one".to_owned());
        }
        spans.push(BoxSpan { kind, start: at, payload: at + 8..at + size });
        at += size;
    }
    Ok(spans)
}

/// As [`children`], with up to eight zero bytes behind the last box: QuickTime ends its lists so.
pub(super) fn padded_children(buffer: &[u8], range: Range<usize>) -> Result<Vec<BoxSpan>, String> {
    const MAX_PADDING: usize = 8;
    children(buffer, range.clone()).or_else(|reason| {
        let zeros = buffer[range.clone()].iter().rev().take(MAX_PADDING).take_while(|byte| **byte == 0).count();
        // The last box may itself end in zeros: the shortest padding that fits is tried first.
        let padded = (1..=zeros).find_map(|padding| children(buffer, range.start..range.end - padding).ok());
        padded.ok_or(reason)
    })
}

/// Boxes that hold nothing but boxes, on the way down to the sample tables.
const CONTAINERS: [&[u8; 4]; 7] = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf"];
/// `moov` to `stbl` is four steps down.
const MAX_DEPTH: u32 = 6;

/// Gives boxes with a 64-bit size a 32-bit one, in place. They are legal (ISO/IEC 14496-12 §4.2.2), but lying ones
/// made a reader loop, and nothing that needs one fits the bound on `moov`: the sixteen bytes of such a header become
/// an empty `free` box and a header of eight. What does not fit its parent is left for [`children`] to refuse.
pub(super) fn shorten_headers(buffer: &mut [u8], range: Range<usize>) {
    shorten(buffer, range, MAX_DEPTH);
}

fn shorten(buffer: &mut [u8], range: Range<usize>, depth: u32) {
    let mut at = range.start;
    while range.end.saturating_sub(at) >= 8 {
        let room = range.end - at;
        let Some(short) = u32_at(buffer, at) else { return };
        let (size, header) = if short == 1 && room >= 16 {
            let long = u32_at(buffer, at + 8).zip(u32_at(buffer, at + 12));
            let Some((0, size)) = long.filter(|(_, size)| (16..=room).contains(&(*size as usize))) else { return };
            buffer.copy_within(at + 4..at + 8, at + 12);
            buffer[at..at + 4].copy_from_slice(&8_u32.to_be_bytes());
            buffer[at + 4..at + 8].copy_from_slice(b"free");
            buffer[at + 8..at + 12].copy_from_slice(&(size - 8).to_be_bytes());
            (size as usize, 16)
        } else {
            (short as usize, 8)
        };
        if size < header || size > room {
            return;
        }
        let kind = &buffer[at + header - 4..at + header];
        if depth > 0 && CONTAINERS.iter().any(|container| kind == *container) {
            shorten(buffer, at + header..at + size, depth - 1);
        }
        at += size;
    }
}

/// A big-endian 32-bit number at `at` of `payload`.
pub(super) fn u32_at(payload: &[u8], at: usize) -> Option<u32> {
    payload.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)
}

/// A big-endian 16-bit number at `at` of `payload`.
pub(super) fn u16_at(payload: &[u8], at: usize) -> Option<u16> {
    payload.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(payload.len() + 8).unwrap();
        [&size.to_be_bytes()[..], kind, payload].concat()
    }

    #[test]
    fn boxes_tile_their_parent() {
        let buffer = [boxed(b"free", &[1, 2, 3]), boxed(b"mvhd", &[])].concat();
        let spans = children(&buffer, 0..buffer.len()).unwrap();
        assert_eq!(spans.iter().map(|span| span.kind).collect::<Vec<_>>(), [*b"free", *b"mvhd"]);
        assert_eq!(spans[0].payload, 8..11);
    }

    fn long(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let size = (payload.len() + 16) as u64;
        [&1_u32.to_be_bytes()[..], kind, &size.to_be_bytes(), payload].concat()
    }

    #[test]
    fn long_headers_become_short_ones_at_every_depth() {
        let inner = [long(b"stsd", &[7; 5]), boxed(b"stts", &[1])].concat();
        let mut buffer = long(b"trak", &long(b"mdia", &boxed(b"minf", &long(b"stbl", &inner))));
        let whole = buffer.len();
        shorten_headers(&mut buffer, 0..whole);
        assert_eq!(buffer.len(), whole, "nothing moves");
        let mut range = 0..buffer.len();
        for kind in [b"trak", b"mdia", b"minf", b"stbl"] {
            let spans = children(&buffer, range).unwrap();
            range = spans.iter().find(|span| span.kind == *kind).unwrap().payload.clone();
        }
        let tables = children(&buffer, range).unwrap();
        let told: Vec<_> = tables.iter().map(|span| (span.kind, &buffer[span.payload.clone()])).collect();
        assert_eq!(told, [(*b"free", &[][..]), (*b"stsd", &[7; 5]), (*b"stts", &[1])]);
    }

    #[test]
    fn long_headers_that_lie_are_refused() {
        for size in [0_u64, 15, 18, u64::from(u32::MAX) + 18, u64::MAX] {
            let mut buffer = long(b"trak", &[0]);
            buffer[8..16].copy_from_slice(&size.to_be_bytes());
            let whole = buffer.len();
            shorten_headers(&mut buffer, 0..whole);
            assert!(children(&buffer, 0..whole).is_err(), "a size of {size} passed");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_keep_their_length_and_end(mut bytes: Vec<u8>) {
            let whole = bytes.len();
            shorten_headers(&mut bytes, 0..whole);
            let _ = children(&bytes, 0..whole);
            proptest::prop_assert_eq!(bytes.len(), whole);
        }
    }

    #[test]
    fn there_is_an_end_to_small_boxes() {
        let buffer = boxed(b"free", &[]).repeat(MAX_CHILDREN + 1);
        assert_eq!(children(&buffer, 0..buffer.len() - 8).unwrap().len(), MAX_CHILDREN);
        assert!(children(&buffer, 0..buffer.len()).is_err(), "one too many passed");
    }

    #[test]
    fn sizes_that_lie_are_refused() {
        for size in [0_u32, 1, 7, 9, u32::MAX] {
            let mut buffer = boxed(b"free", &[]);
            buffer[..4].copy_from_slice(&size.to_be_bytes());
            assert!(children(&buffer, 0..buffer.len()).is_err(), "a size of {size} passed");
        }
        assert!(children(&[0; 5], 0..5).is_err(), "half a header passed");
    }
}
