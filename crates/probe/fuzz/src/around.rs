//! A small file around what a target makes up.

/// A box with a 32-bit size.
pub(crate) fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len() + 8).unwrap_or(u32::MAX);
    [&size.to_be_bytes()[..], kind, payload].concat()
}

/// A file of `ftyp` and a `moov` with that payload; where `moov` begins.
pub(crate) fn file_around(moov: &[u8]) -> (Vec<u8>, usize) {
    let ftyp = boxed(b"ftyp", b"isom\0\0\0\0isom");
    let at = ftyp.len();
    ([ftyp, boxed(b"moov", moov)].concat(), at)
}
