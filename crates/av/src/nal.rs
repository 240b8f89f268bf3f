//! NAL units of H.264, and what stills need to know of those of H.265, in the two forms that containers have them in.

/// `nal_unit_type` of a slice of a picture that is no IDR picture (ITU-T H.264 table 7-1).
pub(crate) const SLICE: u8 = 1;
/// `nal_unit_type` of a slice of an IDR picture (ITU-T H.264 table 7-1).
pub(crate) const IDR: u8 = 5;
/// `nal_unit_type` of supplemental enhancement information.
pub(crate) const SEI: u8 = 6;
/// `nal_unit_type` of a sequence parameter set.
pub(crate) const SPS: u8 = 7;
/// `nal_unit_type` of a picture parameter set.
pub(crate) const PPS: u8 = 8;

/// Where `hvcC` has `lengthSizeMinusOne`, in the two lowest bits; the number of its lists of sets follows.
const HVCC_LENGTHS: usize = 21;
/// `nal_unit_type` of a sequence parameter set of H.265 (ITU-T H.265 table 7-1).
const H265_SPS: u8 = 33;
/// From this `nal_unit_type` of H.265 on a unit is no slice.
const H265_NO_SLICE: u8 = 32;
/// The last `nal_unit_type` of H.265 that can be of a picture that is no reference within its sub-layer: those are even.
const H265_LAST_NON_REFERENCE: u8 = 14;

/// `payloadType` of a recovery point (ITU-T H.264 §D.1.8).
const RECOVERY_POINT: u32 = 6;

/// How units are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Each has its length before it, in so many bytes, 1 to 4 (ISO/IEC 14496-15 §5.3.3.1).
    Lengths(usize),
    /// Each has a start code before it (ITU-T H.264 annex B).
    StartCodes,
}

impl Form {
    /// The form of a stream with these parameters: `avcC` begins with its version, which is 1, a start code with 0.
    pub(crate) fn of(extradata: &[u8]) -> Self {
        match extradata {
            [1, _, _, _, lengths, ..] => Self::Lengths(usize::from(lengths & 3) + 1),
            _ => Self::StartCodes,
        }
    }

    /// The form of an H.265 stream with these parameters: `hvcC` begins with its version, which is 1 (ISO/IEC 14496-15
    /// §8.3.3.1.2), a start code with 0.
    pub(crate) fn of_h265(extradata: &[u8]) -> Self {
        match extradata.get(HVCC_LENGTHS) {
            Some(lengths) if extradata.first() == Some(&1) => Self::Lengths(usize::from(lengths & 3) + 1),
            _ => Self::StartCodes,
        }
    }

    /// The units of a packet. What is left over at the end of a broken one is no unit.
    pub(crate) fn units(self, data: &[u8]) -> Vec<&[u8]> {
        match self {
            Self::Lengths(size) => {
                let mut units = Vec::new();
                let mut rest = data;
                while let Some((head, behind)) = rest.split_at_checked(size) {
                    let length = head.iter().fold(0, |length: usize, byte| length << 8 | usize::from(*byte));
                    let Some((unit, behind)) = behind.split_at_checked(length) else { break };
                    units.push(unit);
                    rest = behind;
                }
                units
            }
            Self::StartCodes => start_coded(data),
        }
    }

    /// A packet of these units; `None` where one is longer than its length can say.
    pub(crate) fn join<'a>(self, units: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
        let mut data = Vec::new();
        for unit in units {
            match self {
                Self::Lengths(size) => {
                    let length = u32::try_from(unit.len()).ok()?.to_be_bytes();
                    let (unused, used) = length.split_at_checked(4_usize.checked_sub(size)?)?;
                    if unused.iter().any(|byte| *byte != 0) {
                        return None;
                    }
                    data.extend_from_slice(used);
                }
                Self::StartCodes => data.extend_from_slice(&[0, 0, 0, 1]),
            }
            data.extend_from_slice(unit);
        }
        Some(data)
    }
}

/// What stands between start codes, without the zeros that belong to none.
pub(crate) fn start_coded(data: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(three) = data.get(at..at + 3) {
        match three {
            [0, 0, 1] => {
                starts.push(at + 3);
                at += 3;
            }
            [_, _, third] if *third > 1 => at += 3,
            _ => at += 1,
        }
    }
    let ends = starts.iter().skip(1).map(|next| next - 3).chain([data.len()]);
    let mut units = Vec::new();
    for (start, end) in starts.iter().zip(ends) {
        let mut unit = data.get(*start..end).unwrap_or_default();
        // A unit never ends in a zero (§7.4.1): those are of the next start code, or fill.
        while let [rest @ .., 0] = unit {
            unit = rest;
        }
        if !unit.is_empty() {
            units.push(unit);
        }
    }
    units
}

/// `nal_unit_type`; 0 for none at all.
pub(crate) fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |first| first & 0x1F)
}

/// Whether no other picture is made from the one of these units: `nal_ref_idc` of its slices is 0 (§7.4.1). Whether one
/// has no slice is not known.
pub(crate) fn is_disposable(units: &[&[u8]]) -> bool {
    let mut slices = units.iter().filter(|unit| (SLICE..=IDR).contains(&kind(unit))).peekable();
    slices.peek().is_some() && slices.all(|unit| unit.first().is_some_and(|first| first >> 5 & 3 == 0))
}

/// The highest `TemporalId` that pictures of an H.265 stream with these parameters may have; `None` where no sequence
/// parameter set says (`sps_max_sub_layers_minus1`, ITU-T H.265 §7.3.2.2.1).
pub(crate) fn highest_h265_layer(extradata: &[u8]) -> Option<u8> {
    let units = match Form::of_h265(extradata) {
        Form::Lengths(_) => hvcc_units(extradata),
        Form::StartCodes => start_coded(extradata),
    };
    let sets = units.into_iter().filter(|unit| h265_kind(unit) == H265_SPS);
    sets.filter_map(|unit| Some(unit.get(2)? >> 1 & 7)).max()
}

/// The units of the lists of an `hvcC` (ISO/IEC 14496-15 §8.3.3.1.2).
fn hvcc_units(extradata: &[u8]) -> Vec<&[u8]> {
    let mut units = Vec::new();
    let Some((lists, mut rest)) = extradata.get(HVCC_LENGTHS + 1..).and_then(<[u8]>::split_first) else { return units };
    for _ in 0..*lists {
        let Some(([_, high, low], behind)) = rest.split_first_chunk::<3>() else { break };
        rest = behind;
        for _ in 0..u16::from_be_bytes([*high, *low]) {
            let Some((length, behind)) = rest.split_first_chunk::<2>() else { return units };
            let Some((unit, behind)) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length))) else {
                return units;
            };
            units.push(unit);
            rest = behind;
        }
    }
    units
}

/// `nal_unit_type` of a unit of H.265.
fn h265_kind(unit: &[u8]) -> u8 {
    unit.first().map_or(u8::MAX, |first| first >> 1 & 0x3F)
}

/// Whether no other picture is made from the one of these units of H.265, of which `highest` is the highest
/// `TemporalId`: pictures of a lower one may be made into those above (ITU-T H.265 §7.4.2.2).
pub(crate) fn is_disposable_h265(units: &[&[u8]], highest: u8) -> bool {
    let mut slices = units.iter().filter(|unit| h265_kind(unit) < H265_NO_SLICE).peekable();
    slices.peek().is_some()
        && slices.all(|unit| {
            let kind = h265_kind(unit);
            let layer = unit.get(1).map_or(0, |second| (second & 7).saturating_sub(1));
            kind <= H265_LAST_NON_REFERENCE && kind.is_multiple_of(2) && layer == highest
        })
}

/// Whether these units are of an IDR picture: none behind it refers to one before it, and frame numbers begin anew.
pub(crate) fn is_idr(units: &[&[u8]]) -> bool {
    units.iter().any(|unit| kind(unit) == IDR)
}

/// Whether decoding may begin with the picture of these units and all that follow come out exact: an IDR picture, or a
/// recovery point that needs no frames to recover.
pub(crate) fn is_clean_entry(units: &[&[u8]]) -> bool {
    units.iter().any(|unit| match kind(unit) {
        IDR => true,
        SEI => recovers_at_once(unit),
        _ => false,
    })
}

/// Whether a message of the unit is a recovery point with `recovery_frame_cnt` 0: its first bit is 1 (§9.1).
fn recovers_at_once(unit: &[u8]) -> bool {
    let mut bytes = unit.iter().skip(1).copied();
    loop {
        let (Some(kind), Some(size)) = (sei_number(&mut bytes), sei_number(&mut bytes)) else { return false };
        if size == 0 {
            continue;
        }
        let Some(first) = bytes.next() else { return false };
        if kind == RECOVERY_POINT {
            return first & 0x80 != 0;
        }
        for _ in 1..size {
            bytes.next();
        }
    }
}

/// A number that is a run of 255 and what is left (§7.3.2.3.1). Bytes that prevent a start code inside an earlier
/// message make it look longer than it is; then what follows makes no sense, and a recovery point is missed.
fn sei_number(bytes: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let mut number: u32 = 0;
    loop {
        let byte = bytes.next()?;
        number = number.checked_add(u32::from(byte))?;
        if byte != 0xFF {
            return Some(number);
        }
    }
}

/// The parameter sets of an `avcC` (ISO/IEC 14496-15 §5.3.3.1): the bytes before them, the sequence and picture
/// parameter sets, and the bytes behind.
pub(crate) struct Configuration<'a> {
    head: Vec<u8>,
    pub(crate) sequence: Vec<&'a [u8]>,
    pub(crate) picture: Vec<&'a [u8]>,
    tail: &'a [u8],
}

/// The version, profile, compatibility, level and the size of lengths.
const HEAD: usize = 5;

impl<'a> Configuration<'a> {
    /// Reads an `avcC`; `None` when it is none.
    pub(crate) fn read(extradata: &'a [u8]) -> Option<Self> {
        let (head, rest) = extradata.split_at_checked(HEAD)?;
        if head.first() != Some(&1) {
            return None;
        }
        let (count, rest) = rest.split_first()?;
        let head = head.to_vec();
        let (sequence, rest) = sets(rest, count & 0x1F)?;
        let (count, rest) = rest.split_first()?;
        let (picture, tail) = sets(rest, *count)?;
        Some(Self { head, sequence, picture, tail })
    }

    /// `AVCLevelIndication` is the highest of all sets.
    pub(crate) fn raise_level(&mut self, level: u8) {
        if let Some(told) = self.head.get_mut(3) {
            *told = level.max(*told);
        }
    }

    /// The bytes; `None` where there are more sets, or longer ones, than it has room for.
    pub(crate) fn write(&self) -> Option<Vec<u8>> {
        let mut bytes = self.head.clone();
        let count = u8::try_from(self.sequence.len()).ok().filter(|count| *count < 0x20)?;
        bytes.push(0xE0 | count);
        let put = |sets: &[&[u8]], bytes: &mut Vec<u8>| {
            for set in sets {
                bytes.extend_from_slice(&u16::try_from(set.len()).ok()?.to_be_bytes());
                bytes.extend_from_slice(set);
            }
            Some(())
        };
        put(&self.sequence, &mut bytes)?;
        bytes.push(u8::try_from(self.picture.len()).ok()?);
        put(&self.picture, &mut bytes)?;
        bytes.extend_from_slice(self.tail);
        Some(bytes)
    }
}

fn sets(mut rest: &[u8], count: u8) -> Option<(Vec<&[u8]>, &[u8])> {
    let mut sets = Vec::new();
    for _ in 0..count {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let (set, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        sets.push(set);
        rest = behind;
    }
    Some((sets, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_back_from_both_forms() {
        let units: [&[u8]; 3] = [&[0x67, 1, 2], &[0x68, 3], &[0x65, 0, 0, 3, 1]];
        for form in [Form::Lengths(1), Form::Lengths(2), Form::Lengths(4), Form::StartCodes] {
            let data = form.join(units).unwrap();
            assert_eq!(form.units(&data), units, "{form:?}");
            assert_eq!(form.units(&data[..data.len() - 1]).len(), if form == Form::StartCodes { 3 } else { 2 });
        }
        assert_eq!(Form::StartCodes.units(&[0, 0, 1, 9, 0, 0, 0, 0, 1, 0x67, 5, 0, 0]), [&[9][..], &[0x67, 5]]);
        assert_eq!(Form::Lengths(1).join([&[0; 256][..]]), None, "too long for its length");
    }

    #[test]
    fn a_configuration_comes_back_byte_for_byte() {
        let bytes = [1, 100, 0, 31, 0xFF, 0xE1, 0, 3, 0x67, 1, 2, 2, 0, 1, 0x68, 0, 2, 0x68, 9, 0xFD, 0xF8, 0xF8, 0];
        let read = Configuration::read(&bytes).unwrap();
        assert_eq!((read.sequence.len(), read.picture.len()), (1, 2));
        assert_eq!(read.write().unwrap(), bytes);
        assert_eq!(Form::of(&bytes), Form::Lengths(4));
        assert!((1..19).all(|end| Configuration::read(&bytes[..end]).is_none()));
    }

    #[test]
    fn what_no_picture_of_h265_is_made_from_is_known_by_its_kind_and_its_layer() {
        // Kinds 0 and 1 are `TRAIL_N` and `TRAIL_R`, 20 is `IDR_N_LP`, 39 a message before the picture.
        let slice = |kind: u8, layer: u8| [kind << 1, layer + 1, 0xD0];
        let message: &[u8] = &[39 << 1, 1, 4];
        for (kind, layer, highest, disposable) in
            [(0, 0, 0, true), (1, 0, 0, false), (0, 0, 1, false), (2, 1, 1, true), (20, 0, 0, false), (8, 0, 0, true)]
        {
            let units: [&[u8]; 2] = [message, &slice(kind, layer)];
            assert_eq!(is_disposable_h265(&units, highest), disposable, "{kind} {layer} of {highest}");
        }
        assert!(!is_disposable_h265(&[message], 0), "no slice");
        assert!(!is_disposable_h265(&[&slice(0, 0), &slice(1, 0)], 0), "two pictures");
    }

    #[test]
    fn layers_of_h265_are_read_from_both_forms() {
        let set: &[u8] = &[0x42, 1, 0b0000_0101, 2];
        let mut configuration = vec![1; HVCC_LENGTHS];
        configuration.extend([0xF7, 2, 32, 0, 1, 0, 2, 0x40, 1, 33, 0, 1, 0, 4]);
        configuration.extend(set);
        assert_eq!(Form::of_h265(&configuration), Form::Lengths(4));
        assert_eq!(highest_h265_layer(&configuration), Some(2));
        assert_eq!(highest_h265_layer(&configuration[..configuration.len() - 1]), None);
        let coded = [&[0, 0, 0, 1, 0x40, 1, 0, 0, 1][..], set].concat();
        assert_eq!((Form::of_h265(&coded), highest_h265_layer(&coded)), (Form::StartCodes, Some(2)));
        assert_eq!(highest_h265_layer(&[]), None);
    }

    #[test]
    fn an_entry_is_an_idr_picture_or_recovers_at_once() {
        assert!(is_idr(&[&[0x09, 0xF0], &[0x65, 0x88]]) && is_clean_entry(&[&[0x09, 0xF0], &[0x65, 0x88]]));
        assert!(!is_clean_entry(&[&[0x41, 0x88]]));
        let recovers: [&[u8]; 2] = [&[0x06, 5, 2, 1, 1, 6, 1, 0xC4, 0x80], &[0x41]];
        assert!(is_clean_entry(&recovers) && !is_idr(&recovers), "behind another message");
        assert!(!is_clean_entry(&[&[0x06, 6, 1, 0x44, 0x80], &[0x41]]), "after one frame");
    }
}
