//! The smallest movie that the gate decides.

use crate::around::boxed;

/// The payload of a `moov` with one frame of H.264 video, whose sequence parameter set is `nal`.
pub(crate) fn movie_of(nal: &[u8]) -> Vec<u8> {
    let length = u16::try_from(nal.len()).unwrap_or(u16::MAX).to_be_bytes();
    // ISO/IEC 14496-15 §5.3.3.1: version, profile, compatibility, level, length size, one parameter set.
    let avcc = [&[1, 100, 0, 31, 0xFF, 0xE1][..], &length, nal, &[0]].concat();
    movie_with(b"vide", &boxed(b"avc1", &[vec![0; 78], boxed(b"avcC", &avcc)].concat()))
}

/// The payload of a `moov` with one sample, of that handler, described by that sample entry (a whole box).
pub(crate) fn movie_with(handler: &[u8; 4], entry: &[u8]) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let full = |fields: &[u32]| [words(&[0]), words(fields)].concat();
    let stbl = [
        boxed(b"stsd", &[&full(&[1])[..], entry].concat()),
        boxed(b"stts", &full(&[1, 1, 1])),
        boxed(b"stsc", &full(&[1, 1, 1, 1])),
        boxed(b"stsz", &full(&[8, 1])),
        boxed(b"stco", &full(&[1, 0])),
    ];
    let handler = [words(&[0, 0]), handler.to_vec(), vec![0; 13]].concat();
    let dref = [full(&[1]), boxed(b"url ", &words(&[1]))].concat();
    let minf = [boxed(b"vmhd", &[0; 12]), boxed(b"dinf", &boxed(b"dref", &dref)), boxed(b"stbl", &stbl.concat())];
    let mdhd = boxed(b"mdhd", &full(&[0, 0, 25, 1, 0]));
    let mdia = [mdhd, boxed(b"hdlr", &handler), boxed(b"minf", &minf.concat())].concat();
    let matrix = words(&[0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]);
    // Enabled, in the movie; track 1.
    let tkhd = [words(&[7, 0, 0, 1, 0, 1, 0, 0, 0, 0]), matrix.clone(), words(&[0, 0])].concat();
    let trak = [boxed(b"tkhd", &tkhd), boxed(b"mdia", &mdia)].concat();
    let mut mvhd = full(&[0, 0, 25, 1]);
    mvhd.resize(36, 0);
    mvhd.extend(matrix);
    mvhd.resize(100, 0);
    [boxed(b"mvhd", &mvhd), boxed(b"trak", &trak)].concat()
}
