//! H.264 packets looked into: their NAL units, in either framing.

/// `nal_unit_type` of a coded slice of an IDR picture (ITU-T H.264 Table 7-1).
const IDR_SLICE: u8 = 5;

/// The NAL units of `packet`: length-prefixed where `configuration` is an `AVCDecoderConfigurationRecord` (ISO/IEC
/// 14496-15 §5.3.3.1), else between start codes (ITU-T H.264 Annex B). What is cut short ends the list.
pub(crate) fn units<'a>(packet: &'a [u8], configuration: &[u8]) -> Vec<&'a [u8]> {
    match configuration {
        [1, _, _, _, sizes, ..] => length_prefixed(packet, usize::from(sizes & 3) + 1),
        _ => between_start_codes(packet),
    }
}

fn length_prefixed(mut packet: &[u8], prefix: usize) -> Vec<&[u8]> {
    let mut units = Vec::new();
    while let Some((length, rest)) = packet.split_at_checked(prefix) {
        let length = length.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
        let Some((unit, behind)) = rest.split_at_checked(length) else { break };
        units.push(unit);
        packet = behind;
    }
    units
}

fn between_start_codes(packet: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> =
        packet.windows(3).enumerate().filter(|(_, code)| *code == [0, 0, 1]).map(|(at, _)| at + 3).collect();
    let ends = starts.iter().skip(1).map(|next| next - 3).chain([packet.len()]);
    starts.iter().zip(ends).filter_map(|(start, end)| packet.get(*start..end)).collect()
}

/// Whether the first slice of `packet` belongs to an IDR picture, behind which no picture refers to one before it.
pub(crate) fn is_idr(packet: &[u8], configuration: &[u8]) -> bool {
    let kinds = units(packet, configuration).into_iter().filter_map(|unit| unit.first()).map(|header| header & 0x1F);
    kinds.into_iter().find(|kind| (1..=IDR_SLICE).contains(kind)) == Some(IDR_SLICE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &[u8] = &[1, 0x64, 0, 0x15, 0xFF];

    #[test]
    fn both_framings_have_the_same_units() {
        let annex_b = [0, 0, 0, 1, 0x09, 0xF0, 0, 0, 1, 0x65, 1, 2];
        let prefixed = [0, 0, 0, 2, 0x09, 0xF0, 0, 0, 0, 3, 0x65, 1, 2];
        assert_eq!(units(&annex_b, &[]), [&[0x09, 0xF0][..], &[0x65, 1, 2]]);
        assert_eq!(units(&prefixed, RECORD), units(&annex_b, &[]));
        assert!(is_idr(&annex_b, &[]) && is_idr(&prefixed, RECORD));
    }

    #[test]
    fn another_slice_and_a_cut_off_one_are_no_idr() {
        assert!(!is_idr(&[0, 0, 1, 0x41, 9, 0, 0, 1, 0x65], &[]));
        assert!(!is_idr(&[0, 0, 0, 9, 0x65], RECORD));
        assert!(!is_idr(&[], RECORD));
    }
}
