//! The configuration of MPEG-4 audio: `AudioSpecificConfig` (ISO/IEC 14496-3 §1.6.2.1).

use h264_reader::rbsp::{BitRead, BitReader, BitReaderError};

use super::Undecided;

/// What an AAC decoder puts out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AacFacts {
    /// libav's spelling.
    pub(super) profile: &'static str,
    /// Samples a second, bandwidth extension applied; `None` when the entry has to say.
    pub(super) sample_rate: Option<u32>,
    /// Parametric stereo applied; `None` when the stream itself says.
    pub(super) channels: Option<u16>,
}

/// Table 1.18.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// `samplingFrequencyIndex`: the rate is written out.
const RATE_WRITTEN_OUT: u8 = 15;
/// `audioObjectType` of table 1.17.
const MAIN: u8 = 1;
const LC: u8 = 2;
const SSR: u8 = 3;
const LTP: u8 = 4;
const SBR: u8 = 5;
const PS: u8 = 29;
/// Up to this rate a stream may hold bandwidth extension that nothing announces ("implicit signalling",
/// §1.6.5.2): a decoder finds it in the first frame, and puts out twice the rate.
const MAX_IMPLICIT_BASE_RATE: u32 = 24_000;

/// Reads the configuration.
pub(super) fn facts(config: &[u8]) -> Result<AacFacts, Undecided> {
    let read = Config::read(config).map_err(|_| Undecided::Unsound("audio configuration too short".to_owned()))?;
    let base = match read.object_type {
        MAIN => "Main",
        LC => "LC",
        SSR => "SSR",
        LTP => "LTP",
        other => return Err(Undecided::codec(format!("MPEG-4 audio object type {other}"))),
    };
    let channels = match read.channel_configuration {
        // A program config element in the stream says.
        0 => None,
        configuration @ 1..=6 => Some(u16::from(configuration)),
        // Table 1.19.
        7 | 12 | 14 => Some(8),
        11 => Some(7),
        other => return Err(Undecided::codec(format!("channel configuration {other}"))),
    };
    match read.extension {
        Extension::None => Ok(AacFacts { profile: base, sample_rate: read.rate, channels }),
        Extension::Unsaid if read.rate.is_some_and(|rate| rate > MAX_IMPLICIT_BASE_RATE) => {
            Ok(AacFacts { profile: base, sample_rate: read.rate, channels })
        }
        Extension::Unsaid => Err(Undecided::codec("sound that may hold bandwidth extension unannounced")),
        // Parametric stereo makes two channels of one, and may go unannounced as well.
        Extension::Sbr { parametric_stereo: None, .. } if channels.is_none_or(|channels| channels == 1) => {
            Err(Undecided::codec("sound that may hold parametric stereo unannounced"))
        }
        Extension::Sbr { rate, parametric_stereo } => {
            let stereo = parametric_stereo == Some(true) && channels == Some(1);
            let (profile, channels) = if stereo { ("HE-AACv2", Some(2)) } else { ("HE-AAC", channels) };
            Ok(AacFacts { profile, sample_rate: rate, channels })
        }
    }
}

/// Spectral band replication, as it is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extension {
    /// Nothing says.
    Unsaid,
    /// Said to be absent.
    None,
    /// Present.
    Sbr { rate: Option<u32>, parametric_stereo: Option<bool> },
}

struct Config {
    object_type: u8,
    rate: Option<u32>,
    channel_configuration: u8,
    extension: Extension,
}

impl Config {
    fn read(config: &[u8]) -> Result<Self, BitReaderError> {
        let mut bits = BitReader::new(config);
        let mut object_type = object_type(&mut bits)?;
        let rate = sampling_frequency(&mut bits)?;
        let channel_configuration = bits.read::<4, u8>("channelConfiguration")?;
        let mut extension = Extension::Unsaid;
        if object_type == SBR || object_type == PS {
            let parametric_stereo = (object_type == PS).then_some(true);
            extension = Extension::Sbr { rate: sampling_frequency(&mut bits)?, parametric_stereo };
            object_type = self::object_type(&mut bits)?;
        } else if let Some(announced) = backward_compatible(bits, object_type, channel_configuration) {
            extension = announced;
        }
        Ok(Self { object_type, rate, channel_configuration, extension })
    }
}

fn object_type(bits: &mut impl BitRead) -> Result<u8, BitReaderError> {
    const ESCAPE: u8 = 31;
    let short = bits.read::<5, u8>("audioObjectType")?;
    if short == ESCAPE { Ok(32 + bits.read::<6, u8>("audioObjectTypeExt")?) } else { Ok(short) }
}

fn sampling_frequency(bits: &mut impl BitRead) -> Result<Option<u32>, BitReaderError> {
    let index = bits.read::<4, u8>("samplingFrequencyIndex")?;
    if index == RATE_WRITTEN_OUT {
        return bits.read::<24, u32>("samplingFrequency").map(|rate| (rate > 0).then_some(rate));
    }
    Ok(RATES.get(usize::from(index)).copied())
}

/// The extension that old decoders pass over: `syncExtensionType` 0x2B7 behind `GASpecificConfig`.
fn backward_compatible(mut bits: impl BitRead, object_type: u8, channel_configuration: u8) -> Option<Extension> {
    const SBR_SYNC: u16 = 0x2B7;
    const PS_SYNC: u16 = 0x548;
    // `GASpecificConfig` is three bits, unless a core coder or a program config element makes it longer.
    bits.skip(1, "frameLengthFlag").ok()?;
    let core_coder = bits.read_bit("dependsOnCoreCoder").ok()?;
    let extension = bits.read_bit("extensionFlag").ok()?;
    if core_coder || extension || channel_configuration == 0 || !matches!(object_type, MAIN | LC | SSR | LTP) {
        return None;
    }
    if bits.read::<11, u16>("syncExtensionType").ok()? != SBR_SYNC || self::object_type(&mut bits).ok()? != SBR {
        return None;
    }
    if !bits.read_bit("sbrPresentFlag").ok()? {
        return Some(Extension::None);
    }
    let rate = sampling_frequency(&mut bits).ok()?;
    let synced = bits.read::<11, u16>("syncExtensionType").is_ok_and(|sync| sync == PS_SYNC);
    let parametric_stereo = if synced { bits.read_bit("psPresentFlag").ok() } else { None };
    Some(Extension::Sbr { rate, parametric_stereo })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(config: &[u8]) -> Option<(&'static str, Option<u32>, Option<u16>)> {
        facts(config).ok().map(|facts| (facts.profile, facts.sample_rate, facts.channels))
    }

    #[test]
    fn configurations_that_encoders_write() {
        assert_eq!(told(b"\x11\x90\x56\xE5\0"), Some(("LC", Some(48_000), Some(2))), "ffmpeg");
        assert_eq!(told(b"\x12\x10"), Some(("LC", Some(44_100), Some(2))), "phones");
        assert_eq!(told(b"\x11\xB0"), Some(("LC", Some(48_000), Some(6))), "5.1");
        // fdk-aac, hierarchical: type 5 over 24 kHz, 48 kHz extended; type 29 over one channel.
        assert_eq!(told(b"\x2B\x11\x88\0"), Some(("HE-AAC", Some(48_000), Some(2))));
        assert_eq!(told(b"\xEB\x09\x88\0"), Some(("HE-AACv2", Some(48_000), Some(2))));
        // Backward compatible: LC at 24 kHz, then 0x2B7, type 5, present, 48 kHz.
        assert_eq!(told(b"\x13\x10\x56\xE5\x98"), Some(("HE-AAC", Some(48_000), Some(2))));
    }

    #[test]
    fn what_may_go_unannounced_is_left_undecided() {
        assert_eq!(told(b"\x13\x10"), None, "LC at 24 kHz may be half of HE-AAC");
        assert_eq!(told(b"\x13\x10\x56\xE5\0"), Some(("LC", Some(24_000), Some(2))), "unless it is said not to be");
        assert_eq!(told(b"\x2B\x09\x88\0"), None, "one channel may become two");
        assert_eq!(told(b"\xF9\x46\x40"), None, "ELD");
        assert_eq!(told(b"\x11"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes: Vec<u8>) {
            let _ = facts(&bytes);
        }
    }
}
