//! Pictures of H.264 that are missing: the numbers of their frames say so, and libav fills them in without a word.

use h264_reader::nal::sps::{ChromaFormat, SeqParameterSet};
use h264_reader::rbsp::{BitRead as _, BitReader, decode_nal};

use crate::nal::{self, Form};

/// Bytes of a slice that hold its first fields.
const HEAD: usize = 24;

/// Counts the frames of a stream as its packets come by.
#[derive(Clone)]
pub(super) struct FrameNumbers {
    form: Form,
    /// Bits of a frame number; `None` where numbers may be left out, or it is not known.
    bits: Option<u32>,
    /// Of the last picture that others are made from; `None` at the beginning and after a seek.
    last: Option<u32>,
}

impl FrameNumbers {
    /// For a stream with this configuration.
    pub(super) fn of(extradata: &[u8]) -> Self {
        let form = Form::of(extradata);
        let sets = nal::Configuration::read(extradata).map(|configuration| configuration.sequence);
        let sets = sets.unwrap_or_else(|| nal::start_coded(extradata));
        let set = sets.into_iter().find(|unit| nal::kind(unit) == nal::SPS);
        Self { form, bits: set.and_then(number_bits), last: None }
    }

    /// Forgets where it is, for a seek.
    pub(super) fn restart(&mut self) {
        self.last = None;
    }

    /// Whether frames are missing before this packet (ITU-T H.264 §7.4.3, `frame_num`).
    pub(super) fn has_gap_before(&mut self, packet: &[u8]) -> bool {
        let mut gap = false;
        for unit in self.form.units(packet) {
            match nal::kind(unit) {
                nal::SPS => self.bits = number_bits(unit),
                kind @ (nal::SLICE | nal::IDR) => {
                    let Some((bits, number)) = self.bits.and_then(|bits| Some((bits, frame_number(unit, bits)?)))
                    else {
                        continue;
                    };
                    let next = |last: u32| (last + 1) % (1 << bits);
                    // A picture may set the count to 0 (memory management control operation 5).
                    gap |= kind == nal::SLICE
                        && number > 1
                        && self.last.is_some_and(|last| number != last && number != next(last));
                    if unit.first().is_some_and(|first| first >> 5 & 3 != 0) {
                        self.last = Some(number);
                    }
                }
                _ => {}
            }
        }
        gap
    }
}

fn number_bits(unit: &[u8]) -> Option<u32> {
    let payload = decode_nal(unit).ok()?;
    let set = SeqParameterSet::from_bits(BitReader::new(&payload[..])).ok()?;
    let planes_apart =
        set.chroma_info.chroma_format == ChromaFormat::YUV444 && set.chroma_info.separate_colour_plane_flag;
    let counted = !set.gaps_in_frame_num_value_allowed_flag && !planes_apart;
    counted.then(|| u32::from(set.log2_max_frame_num_minus4) + 4)
}

/// `frame_num`, behind `first_mb_in_slice`, `slice_type` and `pic_parameter_set_id` (§7.3.3).
fn frame_number(unit: &[u8], bits: u32) -> Option<u32> {
    let payload = decode_nal(&unit[..unit.len().min(HEAD)]).ok()?;
    let mut reader = BitReader::new(&payload[..]);
    for field in ["first_mb_in_slice", "slice_type", "pic_parameter_set_id"] {
        reader.read_ue(field).ok()?;
    }
    reader.read_var(bits, "frame_num").ok()
}
