//! What the packets of a copied stream hold, as a hash: taken when they are handed to the muxer, taken again when the
//! file is read back, and compared. Nothing is decoded.
//!
//! An MP4 holds some streams in another form than their source: H.264 and HEVC from a transport stream or AVI get
//! lengths in place of start codes (ISO/IEC 14496-15 §5.3), AAC loses its ADTS headers. Both sides are hashed in a form
//! that they share.

use ffmpeg_next::{Packet, codec, ffi};
use twox_hash::xxhash3_128::Hasher;

use crate::nal;

/// Bytes of the length before a NAL unit, as libav's muxer writes it.
const LENGTH_BYTES: usize = 4;

/// The packets of one stream, in file order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamDigest {
    /// What was hashed.
    pub units: Units,
    /// Packets; empty ones are not written and not counted.
    pub packets: u64,
    /// Bytes of payload that were hashed, without headers and start codes.
    pub bytes: u64,
    /// XXH3 in 128 bits, over each packet's payload and where it ends. It is there to notice what went wrong, not what
    /// was forged.
    pub hash: u128,
}

/// What source and result have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// The payload of each packet.
    Packets,
    /// The NAL units of each packet, without start codes, lengths and zero bytes behind them (`trailing_zero_8bits`,
    /// ISO/IEC 14496-10 Annex B): the last byte of a NAL unit is never zero (§7.4.1).
    NalUnits,
}

/// How packets hold their units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    /// Behind an ADTS header (ISO/IEC 13818-7 §6.2), where a packet begins with its sync word.
    Adts,
    /// Behind start codes.
    StartCodes,
    /// Behind lengths.
    Lengths,
}

/// A running [`StreamDigest`].
pub(crate) struct Digester {
    form: Form,
    hasher: Hasher,
    packets: u64,
    bytes: u64,
    /// A packet did not have the form that it should have.
    broken: bool,
}

impl Digester {
    /// For packets on their way to a track of libav's MP4 muxer that has these parameters. `None` where the muxer may
    /// rewrite them in a way that is not known here.
    ///
    /// # Safety
    /// `parameters` has to be valid.
    pub(crate) unsafe fn before_muxer(parameters: &ffi::AVCodecParameters) -> Option<Self> {
        // SAFETY: libav keeps so many bytes there; null comes with a size of 0.
        let extra = unsafe {
            match usize::try_from(parameters.extradata_size) {
                Ok(size) if size > 0 && !parameters.extradata.is_null() => {
                    std::slice::from_raw_parts(parameters.extradata, size)
                }
                _ => &[],
            }
        };
        // The muxer drops parameter sets from the packets of `hvc1`, and those of AVC-Intra it leaves alone.
        let form = match (codec::Id::from(parameters.codec_id), extra) {
            (codec::Id::AAC, _) => Form::Adts,
            (codec::Id::H264, [1, ..]) => Form::Plain,
            (codec::Id::H264, [0, ..]) => Form::StartCodes,
            (codec::Id::HEVC, _) if parameters.codec_tag == u32::from_le_bytes(*b"hvc1") => return None,
            (codec::Id::HEVC, [0, 0, 1, ..] | [0, 0, 0, 1, ..]) if extra.len() > 6 => Form::StartCodes,
            (codec::Id::HEVC, [1, ..]) => Form::Plain,
            _ => return None,
        };
        Some(Self::new(form))
    }

    /// For packets that are read from an MP4.
    pub(crate) fn after_muxer(units: Units) -> Self {
        Self::new(match units {
            Units::Packets => Form::Plain,
            Units::NalUnits => Form::Lengths,
        })
    }

    fn new(form: Form) -> Self {
        Self { form, hasher: Hasher::new(), packets: 0, bytes: 0, broken: false }
    }

    pub(crate) fn add(&mut self, packet: &Packet) {
        if let Some(data) = packet.data().filter(|data| !data.is_empty()) {
            self.add_bytes(data);
        }
    }

    fn add_bytes(&mut self, data: &[u8]) {
        self.packets += 1;
        match self.form {
            Form::Plain => self.unit(data),
            Form::Adts => match adts_header(data) {
                Some(header) => match data.get(header..) {
                    Some(payload) => self.unit(payload),
                    None => self.broken = true,
                },
                None => self.unit(data),
            },
            Form::StartCodes => {
                nal::start_coded(data).into_iter().for_each(|unit| self.unit(unit));
                self.end_packet();
            }
            Form::Lengths => {
                self.length_units(data);
                self.end_packet();
            }
        }
    }

    fn length_units(&mut self, mut rest: &[u8]) {
        while let Some((length, behind)) = rest.split_first_chunk::<LENGTH_BYTES>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            let Some((unit, behind)) = behind.split_at_checked(length) else { break };
            let unit = without_zeros(unit);
            if !unit.is_empty() {
                self.unit(unit);
            }
            rest = behind;
        }
        self.broken |= !rest.is_empty();
    }

    /// A unit and how long it is: so none can pass for two.
    fn unit(&mut self, unit: &[u8]) {
        self.hasher.write(&(unit.len() as u64).to_le_bytes());
        self.hasher.write(unit);
        self.bytes += unit.len() as u64;
    }

    /// No unit is as long.
    fn end_packet(&mut self) {
        self.hasher.write(&u64::MAX.to_le_bytes());
    }

    /// `None` when a packet did not have its form.
    pub(crate) fn finish(self) -> Option<StreamDigest> {
        let units = match self.form {
            Form::Plain | Form::Adts => Units::Packets,
            Form::StartCodes | Form::Lengths => Units::NalUnits,
        };
        (!self.broken).then(|| StreamDigest {
            units,
            packets: self.packets,
            bytes: self.bytes,
            hash: self.hasher.finish_128(),
        })
    }
}

/// Bytes of the ADTS header that the packet begins with: two more when a checksum follows (`protection_absent` is 0).
fn adts_header(data: &[u8]) -> Option<usize> {
    match data {
        [0xFF, second, ..] if second & 0xF0 == 0xF0 => Some(if second & 1 == 1 { 7 } else { 9 }),
        _ => None,
    }
}

fn without_zeros(unit: &[u8]) -> &[u8] {
    let end = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &unit[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(form: Form, packets: &[&[u8]]) -> Option<StreamDigest> {
        let mut digester = Digester::new(form);
        packets.iter().for_each(|packet| digester.add_bytes(packet));
        digester.finish()
    }

    #[test]
    fn start_codes_and_lengths_hold_the_same_units() {
        let start_codes: &[u8] =
            &[0, 0, 0, 1, 9, 0xF0, 0, 0, 1, 0x67, 1, 0, 0, 2, 0, 0, 0, 0, 1, 0x65, 0, 0, 3, 1, 0, 1, 0x80, 0, 0];
        let lengths: &[u8] =
            &[0, 0, 0, 2, 9, 0xF0, 0, 0, 0, 5, 0x67, 1, 0, 0, 2, 0, 0, 0, 9, 0x65, 0, 0, 3, 1, 0, 1, 0x80, 0];
        let before = digest(Form::StartCodes, &[start_codes, start_codes]).unwrap();
        assert_eq!(before, digest(Form::Lengths, &[lengths, lengths]).unwrap());
        assert_eq!((before.packets, before.bytes, before.units), (2, 2 * 15, Units::NalUnits));
        // The same units, but the first packet ends one earlier.
        let (first, second) = (&lengths[..15], [&lengths[15..], lengths].concat());
        assert_ne!(before.hash, digest(Form::Lengths, &[first, &second]).unwrap().hash);
        assert_eq!(digest(Form::Lengths, &[&lengths[..20]]), None, "a unit is cut");
    }

    #[test]
    fn adts_headers_do_not_count() {
        let (short, long) = ([0xFF, 0xF1, 0x50, 0x80, 2, 0x1F, 0xFC, 7, 8], [0xFF, 0xF0, 1, 2, 3, 4, 5, 6, 7, 9, 9]);
        let with = digest(Form::Adts, &[&short, &long, &[0x21, 1]]).unwrap();
        assert_eq!(with, digest(Form::Plain, &[&[7, 8], &[9, 9], &[0x21, 1]]).unwrap());
        assert_eq!(digest(Form::Adts, &[&short[..6]]), None);
    }

    #[test]
    fn order_ends_and_every_byte_count() {
        let whole = digest(Form::Plain, &[b"one", b"three"]).unwrap();
        for other in [&[&b"three"[..], b"one"][..], &[b"onet", b"hree"], &[b"one"], &[b"one", b"thref"]] {
            assert_ne!(whole, digest(Form::Plain, other).unwrap());
        }
        assert_eq!(whole, digest(Form::Plain, &[b"one", b"three"]).unwrap());
    }
}
