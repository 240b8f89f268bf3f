//! Visual sample entries (ISO/IEC 14496-12 §12.1.3; QuickTime File Format, "Video sample descriptions").

use super::Undecided;
use super::boxes::{BoxSpan, padded_children, u16_at, u32_at};
use crate::geometry::{AspectRatio, CodedSize};
use crate::info::Scan;

/// Fields and boxes of one visual sample entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VisualEntry {
    /// `avc1`, `hvc1`, `apcn`.
    pub(super) kind: [u8; 4],
    /// `width` and `height`: of the coded picture, but for the codec's own cropping.
    pub(super) size: CodedSize,
    /// `pasp`.
    pub(super) pixel_aspect: Option<AspectRatio>,
    /// `clap`, rounded down to whole samples.
    pub(super) clean_aperture: Option<CodedSize>,
    /// `colr` of type `nclx` or `nclc`: primaries, transfer, matrix (ITU-T H.273), full range.
    pub(super) colour: Option<(u16, u16, u16, Option<bool>)>,
    /// `fiel` (QuickTime File Format, "Field handling"): one field a frame, or two.
    pub(super) fields: Option<Scan>,
    /// `dvcC`, `dvvC` or `dvwC`.
    pub(super) dolby_vision: bool,
    pub(super) dolby_vision_profile: Option<u8>,
    /// All boxes of the entry, the codec's configuration among them.
    pub(super) boxes: Vec<BoxSpan>,
}

/// Bytes of the fields before the boxes.
const FIELDS: usize = 78;

/// Reads an entry of the buffer `bytes`.
pub(super) fn read(bytes: &[u8], entry: &BoxSpan) -> Result<VisualEntry, Undecided> {
    let short = || Undecided::Unsound("sample entry too short".to_owned());
    let payload = &bytes[entry.payload.clone()];
    let side = |at| u16_at(payload, at).map(u32::from).ok_or_else(short);
    if payload.len() < FIELDS {
        return Err(short());
    }
    let boxes = padded_children(bytes, entry.payload.start + FIELDS..entry.payload.end).map_err(Undecided::Unsound)?;
    let mut read = VisualEntry {
        kind: entry.kind,
        size: CodedSize { width: side(24)?, height: side(26)? },
        pixel_aspect: None,
        clean_aperture: None,
        colour: None,
        fields: None,
        dolby_vision: false,
        dolby_vision_profile: None,
        boxes: Vec::new(),
    };
    for span in &boxes {
        read.extension(span.kind, &bytes[span.payload.clone()]);
    }
    read.boxes = boxes;
    Ok(read)
}

impl VisualEntry {
    /// The payload of a box of the entry.
    pub(super) fn boxed<'a>(&self, bytes: &'a [u8], kind: &[u8; 4]) -> Result<&'a [u8], Undecided> {
        let span = self.boxes.iter().find(|span| span.kind == *kind);
        span.map(|span| &bytes[span.payload.clone()])
            .ok_or_else(|| Undecided::codec(format!("{} without {}", self.kind.escape_ascii(), kind.escape_ascii())))
    }

    fn extension(&mut self, kind: [u8; 4], payload: &[u8]) {
        match &kind {
            b"pasp" => {
                self.pixel_aspect = u32_at(payload, 0)
                    .zip(u32_at(payload, 4))
                    .and_then(|(across, down)| AspectRatio::new(across, down));
            }
            b"clap" => {
                let ratio =
                    |at| u32_at(payload, at).zip(u32_at(payload, at + 4)).and_then(|(num, den)| num.checked_div(den));
                self.clean_aperture = ratio(0)
                    .zip(ratio(8))
                    .filter(|(width, height)| *width > 0 && *height > 0)
                    .map(|(width, height)| CodedSize { width, height });
            }
            b"colr" if matches!(payload.get(..4), Some(b"nclx" | b"nclc")) => {
                let full = (payload.get(..4) == Some(b"nclx")).then(|| payload.get(10).map(|flags| flags & 0x80 != 0));
                if let (Some(primaries), Some(transfer), Some(matrix)) =
                    (u16_at(payload, 4), u16_at(payload, 6), u16_at(payload, 8))
                {
                    self.colour = Some((primaries, transfer, matrix, full.flatten()));
                }
            }
            b"fiel" => {
                self.fields = match payload.first() {
                    Some(1) => Some(Scan::Progressive),
                    Some(2) => Some(Scan::Interlaced),
                    _ => None,
                };
            }
            b"dvcC" | b"dvvC" | b"dvwC" => {
                self.dolby_vision = true;
                // Two bytes of version, then seven bits.
                self.dolby_vision_profile = payload.get(2).map(|bits| bits >> 1);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        [&u32::try_from(payload.len() + 8).unwrap().to_be_bytes()[..], kind, payload].concat()
    }

    #[test]
    fn boxes_may_come_in_any_order_and_end_in_zeros() {
        let mut fields = [0; FIELDS];
        fields[24..28].copy_from_slice(&[5, 160, 4, 56]);
        let colour = [&b"nclc"[..], &[0, 9, 0, 16, 0, 9]].concat();
        let aperture: Vec<u8> =
            [1400, 1, 1080, 1, 0, 1, 0, 1_u32].iter().flat_map(|field| field.to_be_bytes()).collect();
        let bytes = [
            &fields[..],
            &boxed(b"fiel", &[2, 9]),
            &boxed(b"pasp", &[0, 0, 0, 4, 0, 0, 0, 3]),
            &boxed(b"colr", &colour),
            &boxed(b"clap", &aperture),
            &boxed(b"avcC", &[1, 2, 3]),
            &boxed(b"dvvC", &[1, 0, 5 << 1 | 1, 0x2D, 0]),
            &[0; 4],
        ]
        .concat();
        let span = BoxSpan { kind: *b"avc1", start: 0, payload: 0..bytes.len() };
        let told = read(&bytes, &span).unwrap();
        assert_eq!(told.size, CodedSize { width: 1440, height: 1080 });
        assert_eq!(told.pixel_aspect, AspectRatio::new(4, 3));
        assert_eq!(told.colour, Some((9, 16, 9, None)));
        assert_eq!(told.clean_aperture, Some(CodedSize { width: 1400, height: 1080 }));
        assert_eq!(told.fields, Some(Scan::Interlaced));
        assert_eq!((told.dolby_vision, told.dolby_vision_profile), (true, Some(5)));
        assert_eq!(told.boxed(&bytes, b"avcC").unwrap(), [1, 2, 3]);
        assert!(told.boxed(&bytes, b"hvcC").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(payload in proptest::collection::vec(proptest::num::u8::ANY, 0..160)) {
            let span = BoxSpan { kind: *b"avc1", start: 0, payload: 0..payload.len() };
            let _ = read(&payload, &span);
        }
    }
}
