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
/// end inside its parent, and carry a 32-bit size. (64-bit sizes are legal, but nothing that needs one fits the
/// bound on `moov`, and lying ones made a reader loop.)
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
