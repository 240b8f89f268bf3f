//! The codec of a sound, from its sample entry.

use super::sound_entry::SoundEntry;
use super::{Undecided, aac, esds};

/// What the entry says of the sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SoundFacts {
    /// libav's codec name.
    pub(super) codec: &'static str,
    /// libav's spelling.
    pub(super) profile: Option<&'static str>,
    /// Samples a second.
    pub(super) sample_rate: Option<u32>,
    /// Channels.
    pub(super) channels: Option<u16>,
    /// Uncompressed sound only: bytes of one sample of all channels, whatever `stsz` claims.
    pub(super) frame_bytes: Option<u32>,
}

/// Reads what `entry`, of the buffer `bytes`, says.
pub(super) fn facts(entry: &SoundEntry, bytes: &[u8]) -> Result<SoundFacts, Undecided> {
    let unsound = |what: &str| Undecided::Unsound(format!("{what} box too short, or missing"));
    match &entry.kind {
        b"mp4a" => mpeg(entry, bytes),
        b".mp3" => mp3(entry),
        b"ac-3" => {
            let specific = entry.boxed(bytes, b"dac3").ok_or_else(|| unsound("dac3"))?;
            ac3(specific).ok_or_else(|| unsound("dac3"))
        }
        b"ec-3" => {
            let specific = entry.boxed(bytes, b"dec3").ok_or_else(|| unsound("dec3"))?;
            eac3(specific).ok_or_else(|| Undecided::codec("E-AC-3 of several substreams"))
        }
        // Opus in ISO BMFF §4.3.2: version, channels. It always comes out at 48 kHz.
        b"Opus" => {
            let channels = entry.boxed(bytes, b"dOps").and_then(|specific| specific.get(1));
            let channels = channels.copied().filter(|count| *count > 0).ok_or_else(|| unsound("dOps"))?;
            Ok(fixed("opus", 48_000, u16::from(channels)))
        }
        // TS 26.244 §6.5: narrow band and wide band, one channel.
        b"samr" => Ok(fixed("amr_nb", 8_000, 1)),
        b"sawb" => Ok(fixed("amr_wb", 16_000, 1)),
        b"alac" => {
            let cookie = entry.boxed(bytes, b"alac").and_then(|cookie| cookie.get(4..28));
            let cookie = cookie.ok_or_else(|| unsound("alac"))?;
            let rate = u32::from_be_bytes([cookie[20], cookie[21], cookie[22], cookie[23]]);
            Ok(fixed("alac", rate, u16::from(cookie[9])))
        }
        b"fLaC" => {
            // Version and flags, the header of the block, then STREAMINFO (RFC 9639 §8.2).
            let info = entry.boxed(bytes, b"dfLa").and_then(|boxed| boxed.get(8..42));
            let info = info.ok_or_else(|| unsound("dfLa"))?;
            let rate = u32::from_be_bytes([0, info[10], info[11], info[12]]) >> 4;
            Ok(fixed("flac", rate, u16::from(info[12] >> 1 & 7) + 1))
        }
        _ => uncompressed(entry, bytes),
    }
}

fn fixed(codec: &'static str, sample_rate: u32, channels: u16) -> SoundFacts {
    SoundFacts {
        codec,
        profile: None,
        sample_rate: (sample_rate > 0).then_some(sample_rate),
        channels: (channels > 0).then_some(channels),
        frame_bytes: None,
    }
}

/// The layer stands in the frames; the third is what is meant, and libav's demuxer says the same. Where it is the
/// second, the rule, the remedy and all else stay as they are. The channels stand in the frames too: the entry's field
/// is 2 whatever it holds (ISO/IEC 14496-12 §12.2.3).
fn mp3(entry: &SoundEntry) -> Result<SoundFacts, Undecided> {
    if entry.sample_rate == 0 {
        return Err(Undecided::codec("a sound entry without a rate"));
    }
    Ok(fixed("mp3", entry.sample_rate, 0))
}

fn mpeg(entry: &SoundEntry, bytes: &[u8]) -> Result<SoundFacts, Undecided> {
    let config = entry.boxed(bytes, b"esds").ok_or_else(|| Undecided::codec("sound in mp4a without esds"))?;
    let config = esds::decoder_config(config).ok_or_else(|| Undecided::Unsound("esds too short".to_owned()))?;
    match config.object_type {
        // MPEG-4 audio, told apart by its own configuration; MPEG-2 AAC Main, LC and SSR.
        0x40 | 0x66..=0x68 => {
            let aac = aac::facts(config.specific)?;
            Ok(SoundFacts {
                codec: "aac",
                profile: Some(aac.profile),
                sample_rate: aac.sample_rate.or((entry.sample_rate > 0).then_some(entry.sample_rate)),
                channels: aac.channels,
                frame_bytes: None,
            })
        }
        // MPEG-2 and MPEG-1 audio.
        0x69 | 0x6B => mp3(entry),
        other => Err(Undecided::codec(format!("sound of object type {other:#x}"))),
    }
}

/// `AC3SpecificBox` (ETSI TS 102 366 §F.4).
fn ac3(specific: &[u8]) -> Option<SoundFacts> {
    let bits = u32::from_be_bytes([0, *specific.first()?, *specific.get(1)?, *specific.get(2)?]);
    let channels = dolby_channels(bits >> 11 & 7, bits >> 10 & 1);
    Some(fixed("ac3", dolby_rate(bits >> 22 & 3)?, channels))
}

/// `EC3SpecificBox` (ETSI TS 102 366 §F.6) of one independent substream and none that depends on it.
fn eac3(specific: &[u8]) -> Option<SoundFacts> {
    let substreams = specific.get(1)? & 7;
    let bits = u32::from_be_bytes([0, *specific.get(2)?, *specific.get(3)?, *specific.get(4)?]);
    let dependent = bits >> 1 & 0xF;
    if substreams != 0 || dependent != 0 {
        return None;
    }
    let channels = dolby_channels(bits >> 9 & 7, bits >> 8 & 1);
    Some(fixed("eac3", dolby_rate(bits >> 22 & 3)?, channels))
}

/// `acmod` (table 4.3) and `lfeon`.
const fn dolby_channels(mode: u32, low_frequency: u32) -> u16 {
    let full: u16 = match mode {
        0 | 2 => 2,
        1 => 1,
        3 | 4 => 3,
        5 | 6 => 4,
        _ => 5,
    };
    if low_frequency == 1 { full + 1 } else { full }
}

/// `fscod` (table 4.1); 3 is reserved.
const fn dolby_rate(code: u32) -> Option<u32> {
    match code {
        0 => Some(48_000),
        1 => Some(44_100),
        2 => Some(32_000),
        _ => None,
    }
}

/// QuickTime's uncompressed kinds, as `mov_codec_id` and `mov_parse_stsd_audio` of libavformat take them.
fn uncompressed(entry: &SoundEntry, bytes: &[u8]) -> Result<SoundFacts, Undecided> {
    let unknown = || Undecided::codec(format!("sound in {}", entry.kind.escape_ascii()));
    let little = entry.boxed(bytes, b"enda").and_then(|payload| payload.get(1)).is_some_and(|flag| *flag == 1);
    let (codec, sample_bytes) = match (&entry.kind, entry.bits) {
        (b"sowt" | b"twos", 8) => ("pcm_s8", 1),
        (b"sowt", 16) => ("pcm_s16le", 2),
        (b"sowt", 24) => ("pcm_s24le", 3),
        (b"sowt", 32) => ("pcm_s32le", 4),
        (b"twos", 16) if little => ("pcm_s16le", 2),
        (b"twos", 16) => ("pcm_s16be", 2),
        (b"twos", 24) if !little => ("pcm_s24be", 3),
        (b"twos", 32) if !little => ("pcm_s32be", 4),
        (b"raw ", 8) => ("pcm_u8", 1),
        (b"in24", _) if little => ("pcm_s24le", 3),
        (b"in24", _) => ("pcm_s24be", 3),
        (b"in32", _) if little => ("pcm_s32le", 4),
        (b"in32", _) => ("pcm_s32be", 4),
        (b"fl32", _) if little => ("pcm_f32le", 4),
        (b"fl32", _) => ("pcm_f32be", 4),
        (b"fl64", _) if little => ("pcm_f64le", 8),
        (b"fl64", _) => ("pcm_f64be", 8),
        (b"ulaw", _) => ("pcm_mulaw", 1),
        (b"alaw", _) => ("pcm_alaw", 1),
        (b"lpcm", bits) => entry.pcm_flags.and_then(|flags| linear(bits, flags)).ok_or_else(unknown)?,
        _ => return Err(unknown()),
    };
    let channels = u16::try_from(entry.channels).ok().filter(|count| *count > 0).ok_or_else(unknown)?;
    if entry.packed || entry.sample_rate == 0 {
        return Err(unknown());
    }
    Ok(SoundFacts {
        frame_bytes: Some(u32::from(channels) * sample_bytes),
        ..fixed(codec, entry.sample_rate, channels)
    })
}

/// `formatSpecificFlags` of Core Audio: 1 float, 2 big-endian, 4 signed, 8 packed, 16 aligned high.
fn linear(bits: u32, flags: u32) -> Option<(&'static str, u32)> {
    let (float, big, signed) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
    Some(match (float, bits, big, signed) {
        (true, 32, false, _) => ("pcm_f32le", 4),
        (true, 32, true, _) => ("pcm_f32be", 4),
        (true, 64, false, _) => ("pcm_f64le", 8),
        (true, 64, true, _) => ("pcm_f64be", 8),
        (false, 8, _, true) => ("pcm_s8", 1),
        (false, 8, _, false) => ("pcm_u8", 1),
        (false, 16, false, true) => ("pcm_s16le", 2),
        (false, 16, true, true) => ("pcm_s16be", 2),
        (false, 24, false, true) => ("pcm_s24le", 3),
        (false, 24, true, true) => ("pcm_s24be", 3),
        (false, 32, false, true) => ("pcm_s32le", 4),
        (false, 32, true, true) => ("pcm_s32be", 4),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::boxes::BoxSpan;
    use super::*;

    fn entry(kind: &[u8; 4], bits: u32) -> SoundEntry {
        SoundEntry {
            kind: *kind,
            channels: 2,
            bits,
            sample_rate: 48_000,
            pcm_flags: None,
            packed: false,
            boxes: Vec::new(),
        }
    }

    fn with_box(kind: &[u8; 4], name: &[u8; 4], payload: &[u8]) -> SoundEntry {
        SoundEntry { boxes: vec![BoxSpan { kind: *name, start: 0, payload: 0..payload.len() }], ..entry(kind, 16) }
    }

    #[test]
    fn uncompressed_kinds_and_their_widths() {
        let told = |kind: &[u8; 4], bits| facts(&entry(kind, bits), &[]).map(|facts| (facts.codec, facts.frame_bytes));
        assert_eq!(told(b"sowt", 16), Ok(("pcm_s16le", Some(4))));
        assert_eq!(told(b"twos", 16), Ok(("pcm_s16be", Some(4))));
        assert_eq!(told(b"in24", 16), Ok(("pcm_s24be", Some(6))));
        assert!(told(b"lpcm", 16).is_err(), "without flags nobody knows");
        assert!(told(b"ima4", 16).is_err());
        let linear = SoundEntry { pcm_flags: Some(4 | 8), ..entry(b"lpcm", 24) };
        assert_eq!(facts(&linear, &[]).unwrap().codec, "pcm_s24le");
        let reversed = with_box(b"in24", b"enda", &[0, 1]);
        assert_eq!(facts(&reversed, &[0, 1]).unwrap().codec, "pcm_s24le");
    }

    #[test]
    fn dolby_boxes() {
        // 48 kHz, 3/2 and LFE, 448 kbit/s: what ffmpeg writes.
        let payload = [0x10, 0x3D, 0xE0];
        let told = facts(&with_box(b"ac-3", b"dac3", &payload), &payload).unwrap();
        assert_eq!((told.codec, told.sample_rate, told.channels), ("ac3", Some(48_000), Some(6)));
        let payload = [0x0C, 0x00, 0x20, 0x04, 0x00];
        let told = facts(&with_box(b"ec-3", b"dec3", &payload), &payload).unwrap();
        assert_eq!((told.codec, told.sample_rate, told.channels), ("eac3", Some(48_000), Some(2)));
    }

    #[test]
    fn opus_comes_out_at_48_khz() {
        let payload = [0, 1, 1, 56, 0, 0, 0x3E, 0x80, 0, 0, 0];
        let told = facts(&with_box(b"Opus", b"dOps", &payload), &payload).unwrap();
        assert_eq!((told.codec, told.sample_rate, told.channels), ("opus", Some(48_000), Some(1)));
    }

    proptest::proptest! {
        #[test]
        fn any_box_ends_in_an_answer(kind in 0_usize..6, payload: Vec<u8>) {
            let (entry, name) =
                [(b"mp4a", b"esds"), (b"ac-3", b"dac3"), (b"ec-3", b"dec3"), (b"Opus", b"dOps"), (b"alac", b"alac"), (b"fLaC", b"dfLa")][kind];
            let _ = facts(&with_box(entry, name, &payload), &payload);
        }
    }
}
