//! The elementary stream descriptor (ISO/IEC 14496-1 §7.2.6): which codec an `mp4a` or `mp4v` entry really carries.

/// The parts of a decoder configuration that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DecoderConfig<'a> {
    /// `objectTypeIndication` (ISO/IEC 14496-1 table 5, and <https://mp4ra.org/registered-types/object-types>).
    pub(super) object_type: u8,
    /// What the codec itself is configured with; empty when there is none.
    pub(super) specific: &'a [u8],
}

/// Tags of ISO/IEC 14496-1 table 1.
const ES_DESCRIPTOR: u8 = 3;
const DECODER_CONFIG: u8 = 4;
const DECODER_SPECIFIC: u8 = 5;

/// Reads the payload of an `esds` box, version and flags included.
pub(super) fn decoder_config(payload: &[u8]) -> Option<DecoderConfig<'_>> {
    let (tag, stream, _) = descriptor(payload.get(4..)?)?;
    // Some writers leave the outer descriptor out, and libav reads on (`ff_mov_read_esds`).
    let config = if tag == ES_DESCRIPTOR { find(stream_body(stream)?, DECODER_CONFIG)? } else { stream };
    if tag != ES_DESCRIPTOR && tag != DECODER_CONFIG {
        return None;
    }
    // Object type, stream type, buffer size, greatest and average bit rate: 13 bytes.
    let object_type = *config.first()?;
    Some(DecoderConfig { object_type, specific: find(config.get(13..)?, DECODER_SPECIFIC).unwrap_or(&[]) })
}

/// What follows the fields of an `ES_Descriptor`.
fn stream_body(stream: &[u8]) -> Option<&[u8]> {
    let flags = *stream.get(2)?;
    let mut at = 3;
    if flags & 0x80 != 0 {
        at += 2;
    }
    if flags & 0x40 != 0 {
        at += 1 + usize::from(*stream.get(at)?);
    }
    if flags & 0x20 != 0 {
        at += 2;
    }
    stream.get(at..)
}

fn find(mut bytes: &[u8], wanted: u8) -> Option<&[u8]> {
    loop {
        let (tag, body, rest) = descriptor(bytes)?;
        if tag == wanted {
            return Some(body);
        }
        bytes = rest;
    }
}

/// The first descriptor: tag, body, and what follows. Sizes are seven bits a byte, in at most four bytes (§8.3.3);
/// one that claims too much ends where its bytes do, as libav takes it.
fn descriptor(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, mut rest) = bytes.split_first()?;
    let mut size = 0_usize;
    for _ in 0..4 {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        size = size << 7 | usize::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let (body, after) = rest.split_at(size.min(rest.len()));
    Some((tag, body, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As ffmpeg's muxer writes it, sizes in four bytes.
    const FFMPEG: &[u8] = b"\0\0\0\0\x03\x80\x80\x80\x25\0\x02\0\x04\x80\x80\x80\x17\x40\x15\0\0\0\0\0\0\0\0\x01\xF4\0\
        \x05\x80\x80\x80\x05\x11\x90\x56\xE5\0\x06\x80\x80\x80\x01\x02";

    #[test]
    fn sizes_of_four_bytes_and_of_one() {
        let expected = Some(DecoderConfig { object_type: 0x40, specific: b"\x11\x90\x56\xE5\0" });
        assert_eq!(decoder_config(FFMPEG), expected);
        let short = b"\0\0\0\0\x03\x19\0\0\0\x04\x11\x40\x15\0\0\0\0\0\0\0\0\x01\xF4\0\x05\x02\x12\x10";
        assert_eq!(decoder_config(short), Some(DecoderConfig { object_type: 0x40, specific: b"\x12\x10" }));
    }

    #[test]
    fn fields_that_flags_announce_are_passed_over() {
        let address = b"\0\0\0\0\x03\x20\0\x02\xE0\0\x01\x03abc\0\x02\x04\x0D\x6B\x15\0\0\0\0\0\0\0\0\x01\xF4\0";
        assert_eq!(decoder_config(address), Some(DecoderConfig { object_type: 0x6B, specific: b"" }));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes: Vec<u8>) {
            let _ = decoder_config(&bytes);
        }

        #[test]
        fn a_cut_one_tells_nothing_it_has_not(end in 0..FFMPEG.len()) {
            if let Some(config) = decoder_config(&FFMPEG[..end]) {
                proptest::prop_assert_eq!(config.object_type, 0x40);
            }
        }
    }
}
