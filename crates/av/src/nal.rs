//! NAL units of H.264 in the two forms that containers have them in.

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
    fn an_entry_is_an_idr_picture_or_recovers_at_once() {
        assert!(is_idr(&[&[0x09, 0xF0], &[0x65, 0x88]]) && is_clean_entry(&[&[0x09, 0xF0], &[0x65, 0x88]]));
        assert!(!is_clean_entry(&[&[0x41, 0x88]]));
        let recovers: [&[u8]; 2] = [&[0x06, 5, 2, 1, 1, 6, 1, 0xC4, 0x80], &[0x41]];
        assert!(is_clean_entry(&recovers) && !is_idr(&recovers), "behind another message");
        assert!(!is_clean_entry(&[&[0x06, 6, 1, 0x44, 0x80], &[0x41]]), "after one frame");
    }
}
