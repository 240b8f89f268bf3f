//! Speech of old phones: AMR frames that share a packet.
//!
//! A 3GP sample may hold a second of AMR, 50 frames. libavcodec's decoder takes the first frame of a packet and drops
//! the rest without a word, so that nearly all sound is lost; packets are cut here first.

use std::ops::Range;

/// How long each frame lasts, in milliseconds (3GPP TS 26.101 and 26.201).
pub(crate) const FRAME_MS: i64 = 20;

/// Bytes of a frame by its type, the byte of the table of contents included (RFC 4867 §5.3, octet-aligned; 3GPP TS
/// 26.101 annex A). Types without a speech frame are that byte alone.
const NARROW: [usize; 16] = [13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1];

/// The same for AMR-WB (3GPP TS 26.201 annex A).
const WIDE: [usize; 16] = [18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 1, 1, 1, 1, 1, 1];

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Band {
    /// AMR-NB, 8 kHz.
    Narrow,
    /// AMR-WB, 16 kHz.
    Wide,
}

/// The frames of a packet. A last one that is cut off is kept as it is: the decoder says what is wrong with it.
pub(crate) fn frames(packet: &[u8], band: Band) -> Vec<Range<usize>> {
    let sizes = match band {
        Band::Narrow => &NARROW,
        Band::Wide => &WIDE,
    };
    let mut frames = Vec::new();
    let mut at = 0;
    while let Some(head) = packet.get(at) {
        let end = (at + sizes[usize::from(head >> 3 & 0x0F)]).min(packet.len());
        frames.push(at..end);
        at = end;
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_speech_is_fifty_frames() {
        // Type 7, 12.2 kb/s, with the quality bit.
        let frame = [&[0x3C_u8][..], &[0; 31]].concat();
        let packet = frame.repeat(50);
        let found = frames(&packet, Band::Narrow);
        assert_eq!((found.len(), found[49].clone()), (50, 1568..1600));
    }

    #[test]
    fn frames_tile_any_packet() {
        for length in 0..200_u8 {
            let packet: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            for band in [Band::Narrow, Band::Wide] {
                let found = frames(&packet, band);
                let mut at = 0;
                for frame in found {
                    assert!(frame.start == at && frame.end > at);
                    at = frame.end;
                }
                assert_eq!(at, packet.len());
            }
        }
    }
}
