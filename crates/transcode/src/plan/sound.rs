//! What becomes of the sound.

use pinpress_media::AudioStep;
use pinpress_probe::{AudioStream, RuleId};

/// AAC-LC at 64 kb/s a channel is transparent for nearly all material;
/// a source that has less is not blown up.
const BITS_PER_CHANNEL: u64 = 64_000;
const LEAST_BITS_PER_CHANNEL: u64 = 32_000;

/// Copies AAC where no rule forces more, encodes the rest.
pub(super) fn step(audio: &AudioStream, mut rules: Vec<RuleId>) -> AudioStep {
    // What MP4 cannot carry is encoded whatever the rule set says of codecs (ISO/IEC 14496-12 sample entries that
    // libav's muxer writes).
    let carried = matches!(audio.codec.as_str(), "aac" | "mp3" | "ac3" | "eac3" | "alac");
    if !carried && !rules.contains(&RuleId::AudioCodec) {
        rules.push(RuleId::AudioCodec);
    }
    rules.sort_unstable();
    if rules.is_empty() {
        return AudioStep::Copy { stream: audio.index };
    }
    // AAC-LC carries up to 5.1 in its common channel configurations; more is mixed down to stereo.
    let channels = audio.channels.filter(|channels| (1..=6).contains(channels)).unwrap_or(2);
    let per_channel = audio.bit_rate.map_or(BITS_PER_CHANNEL, |rate| rate / u64::from(channels));
    let per_channel = per_channel.clamp(LEAST_BITS_PER_CHANNEL, BITS_PER_CHANNEL);
    let bit_rate = u32::try_from(per_channel * u64::from(channels)).unwrap_or(384_000);
    AudioStep::Encode {
        stream: audio.index,
        rules,
        // Multiples of 11,025 come from the CD side of the world, everything else goes to 48,000.
        sample_rate: if audio.sample_rate.is_some_and(|rate| rate % 11_025 == 0) { 44_100 } else { 48_000 },
        channels,
        bit_rate,
    }
}
