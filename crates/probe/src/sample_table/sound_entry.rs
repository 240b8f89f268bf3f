//! Audio sample entries (ISO/IEC 14496-12 §12.2.3; QuickTime File Format, "Sound sample descriptions", versions 0, 1
//! and 2).

use super::Undecided;
use super::boxes::{BoxSpan, padded_children, u16_at, u32_at};

/// Fields and boxes of one audio sample entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SoundEntry {
    /// `mp4a`, `sowt`, `Opus`.
    pub(super) kind: [u8; 4],
    /// Channels.
    pub(super) channels: u32,
    /// Bits of an uncompressed sample.
    pub(super) bits: u32,
    /// Samples a second; 0 when the field says nothing.
    pub(super) sample_rate: u32,
    /// Version 2 only: `formatSpecificFlags` of linear PCM.
    pub(super) pcm_flags: Option<u32>,
    /// Packs a fixed number of bytes and samples into what the sample table counts (version 1).
    pub(super) packed: bool,
    /// The boxes of the entry, and of a `wave` box in it.
    pub(super) boxes: Vec<BoxSpan>,
}

/// Bytes of the fields of each version, from the start of the entry's payload.
const FIELDS: usize = 28;
const FIELDS_V1: usize = FIELDS + 16;
const FIELDS_V2: usize = FIELDS + 36;

/// Reads an entry. `quicktime`: the file's brand, or its lack of one, makes versions 1 and 2 QuickTime's;
/// `description_version` is that of `stsd`.
pub(super) fn read(
    bytes: &[u8],
    entry: &BoxSpan,
    quicktime: bool,
    description_version: u8,
) -> Result<SoundEntry, Undecided> {
    let payload = &bytes[entry.payload.clone()];
    let short = || Undecided::Unsound("sound entry too short".to_owned());
    let word = |at| u16_at(payload, at).map(u32::from).ok_or_else(short);
    let long = |at| u32_at(payload, at).ok_or_else(short);
    let version = word(8)?;
    // ISO/IEC 14496-12 has a version 1 of its own, with the fields of version 0 (§12.2.3.2).
    let version = if quicktime || description_version == 0 { version } else { 0 };
    let mut read = SoundEntry {
        kind: entry.kind,
        channels: word(16)?,
        bits: word(18)?,
        sample_rate: long(24)? >> 16,
        pcm_flags: None,
        packed: false,
        boxes: Vec::new(),
    };
    let fields = match version {
        0 => FIELDS,
        1 => {
            let samples_per_packet = long(28)?;
            read.packed = samples_per_packet > 1;
            FIELDS_V1
        }
        2 => {
            let rate = u64::from(long(32)?) << 32 | u64::from(long(36)?);
            read.sample_rate = whole_number(rate).unwrap_or(0);
            read.channels = long(40)?;
            read.bits = long(48)?;
            read.pcm_flags = Some(long(52)?);
            FIELDS_V2
        }
        other => return Err(Undecided::codec(format!("a sound entry of version {other}"))),
    };
    let start = entry.payload.start + fields;
    if start > entry.payload.end {
        return Err(short());
    }
    read.boxes = padded_children(bytes, start..entry.payload.end).map_err(Undecided::Unsound)?;
    if let Some(wave) = read.boxes.iter().find(|span| span.kind == *b"wave").cloned() {
        read.boxes.extend(padded_children(bytes, wave.payload).map_err(Undecided::Unsound)?);
    }
    Ok(read)
}

impl SoundEntry {
    /// The payload of a box of the entry.
    pub(super) fn boxed<'a>(&self, bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
        self.boxes.iter().find(|span| span.kind == *kind).map(|span| &bytes[span.payload.clone()])
    }
}

/// A 64-bit float (IEEE 754) that is a whole number below 2³², as sample rates are.
fn whole_number(bits: u64) -> Option<u32> {
    const MANTISSA: u32 = 52;
    let exponent = u32::try_from(bits >> MANTISSA).ok()?.checked_sub(1023)?;
    if exponent > 31 {
        return None;
    }
    let mantissa = bits & ((1 << MANTISSA) - 1) | 1 << MANTISSA;
    let shift = MANTISSA - exponent;
    (mantissa.trailing_zeros() >= shift).then(|| u32::try_from(mantissa >> shift).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        [&u32::try_from(payload.len() + 8).unwrap().to_be_bytes()[..], kind, payload].concat()
    }

    fn entry(version: u16, more: &[u8]) -> (Vec<u8>, BoxSpan) {
        let fields = [&[0_u8; 6][..], &[0, 1], &version.to_be_bytes(), &[0; 6], &[0, 2, 0, 16, 0, 0, 0, 0]].concat();
        let bytes = boxed(b"mp4a", &[&fields[..], &[0xBB, 0x80, 0, 0], more].concat());
        let span = BoxSpan { kind: *b"mp4a", start: 0, payload: 8..bytes.len() };
        (bytes, span)
    }

    #[test]
    fn each_version_has_its_boxes_behind_its_own_fields() {
        let esds = boxed(b"esds", &[9; 3]);
        let (bytes, span) = entry(0, &esds);
        let told = read(&bytes, &span, false, 0).unwrap();
        assert_eq!((told.channels, told.bits, told.sample_rate), (2, 16, 48_000));
        assert_eq!(told.boxed(&bytes, b"esds"), Some(&[9; 3][..]));

        let wave = boxed(b"wave", &[boxed(b"frma", b"mp4a"), esds.clone(), vec![0, 0, 0, 8, 0, 0, 0, 0]].concat());
        let (bytes, span) = entry(1, &[&[0, 0, 4, 0][..], &[0; 12], &wave, &[0; 4]].concat());
        let told = read(&bytes, &span, true, 0).unwrap();
        assert!(told.packed);
        assert_eq!(told.boxed(&bytes, b"esds"), Some(&[9; 3][..]));

        let v2 = [
            &[0, 0, 0, 72][..],
            &96_000_f64.to_be_bytes(),
            &6_u32.to_be_bytes(),
            &[0x7F, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 12],
            &[0; 8],
        ]
        .concat();
        let (bytes, span) = entry(2, &v2);
        let told = read(&bytes, &span, true, 0).unwrap();
        assert_eq!((told.channels, told.bits, told.sample_rate, told.pcm_flags), (6, 24, 96_000, Some(12)));
    }

    #[test]
    fn version_1_of_iso_has_no_more_fields() {
        let (bytes, span) = entry(1, &boxed(b"esds", &[9; 3]));
        assert!(read(&bytes, &span, false, 1).unwrap().boxed(&bytes, b"esds").is_some());
    }

    #[test]
    fn whole_numbers_of_floats() {
        for number in [1, 8_000, 44_100, 192_000, u32::MAX] {
            assert_eq!(whole_number(f64::from(number).to_bits()), Some(number));
        }
        for other in [0.0, 0.5, 44_100.5, -48_000.0, 4_294_967_296.0, f64::NAN, f64::INFINITY] {
            assert_eq!(whole_number(other.to_bits()), None, "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(payload: Vec<u8>, quicktime: bool, version in 0_u8..2) {
            let span = BoxSpan { kind: *b"mp4a", start: 0, payload: 0..payload.len() };
            let _ = read(&payload, &span, quicktime, version);
        }
    }
}
