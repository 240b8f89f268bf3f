//! What a plan will roughly cost: for `--plan`, and for whether the disk has room.

use pinpress_media::{Action, AudioStep, Estimate, Plan, RateStep, VideoEncode, VideoStep};
use pinpress_probe::MediaInfo;

/// Bits a pixel of x264 at CRF 20, in hundredths: eight real clips took 0.5 to 54 at `medium`, half of them under 11.
const CENTIBITS_AT_20: u64 = 10;

/// Bits a second of a sound that is copied and does not say.
const SOUND_BIT_RATE: u64 = 256_000;

/// Bytes a second of a copy with its proof: a Matroska file of 707 MB took 2.3 to 2.7 s.
const COPIED_A_SECOND: u64 = 280_000_000;

/// Pixels a second and thread that libav decodes of H.264, by the time that four seconds of a moving 1080×1920 took.
const DECODED_A_SECOND: u64 = 170_000_000;

/// Pixels a second and thread that x264 encodes, by preset: of the same four seconds at CRF 20 with one thread, the
/// decoder's time taken off.
const ENCODED_A_SECOND: [(&str, u64); 10] = [
    ("ultrafast", 150_000_000),
    ("superfast", 66_000_000),
    ("veryfast", 40_000_000),
    ("faster", 22_000_000),
    ("fast", 18_000_000),
    ("medium", MEDIUM_A_SECOND),
    ("slow", 10_500_000),
    ("slower", 5_400_000),
    ("veryslow", 4_300_000),
    ("placebo", 1_200_000),
];

/// The same of the default, which stands in for what has no presets.
const MEDIUM_A_SECOND: u64 = 15_500_000;

/// The size of what `plan` makes and how long it takes with `threads`. A guess from rates that were measured on one
/// machine: material and processors differ by as much as a factor of ten.
#[must_use]
pub fn estimate(info: &MediaInfo, plan: &Plan, threads: usize) -> Estimate {
    let millis = plan.duration.or(info.duration).map_or(0, pinpress_media::wire_millis);
    let source_millis = info.duration.map_or(millis, pinpress_media::wire_millis).max(1);
    let copied = |bytes: u64| bytes.saturating_mul(1000) / COPIED_A_SECOND;
    if plan.action == Action::Passthrough {
        return Estimate { bytes: info.size_bytes, millis: copied(info.size_bytes) };
    }
    let audio = match &plan.audio {
        Some(AudioStep::Encode { bit_rate, .. }) => u64::from(*bit_rate),
        Some(AudioStep::Copy { stream }) => {
            let audio = info.audio.iter().find(|audio| audio.index == *stream);
            audio.and_then(|audio| audio.bit_rate).unwrap_or(SOUND_BIT_RATE)
        }
        None => 0,
    };
    let sound_bytes = audio.saturating_mul(millis) / 8_000;
    let Some(VideoStep::Encode(encode)) = &plan.video else {
        let shown = u64::from(plan.repeat.max(1)).saturating_mul(source_millis.min(millis.max(1)));
        let share = info.size_bytes.saturating_mul(shown.min(millis.max(1))) / source_millis;
        let bytes = if matches!(plan.audio, Some(AudioStep::Encode { .. })) {
            share.saturating_add(sound_bytes)
        } else {
            share
        };
        return Estimate { bytes, millis: copied(bytes) };
    };
    let video = info.video.iter().find(|video| video.index == encode.stream);
    let rate = match encode.rate {
        RateStep::Constant(rate) => Some(rate),
        RateStep::Keep => video.and_then(|video| video.frame_rate),
    };
    let a_second = rate.map_or(30, |rate| u64::try_from(rate.rational().ceil()).unwrap_or(30)).max(1);
    let pixels = u64::from(encode.canvas.width) * u64::from(encode.canvas.height) * a_second;
    let bits = (pixels.saturating_mul(centibits(encode.quality)) / 100).min(encode.max_bit_rate.unwrap_or(u64::MAX));
    let source = video.map_or(0, |video| u64::from(video.coded.width) * u64::from(video.coded.height)) * a_second;
    let threads = u64::try_from(threads).unwrap_or(1).max(1);
    let time = |pixels: u64, speed: u64| pixels.saturating_mul(millis) / speed.saturating_mul(threads).max(1);
    Estimate {
        bytes: (bits.saturating_mul(millis) / 8_000).saturating_add(sound_bytes),
        millis: time(pixels, speed(encode)) + time(source, DECODED_A_SECOND) + time(pixels, DECODED_A_SECOND),
    }
}

/// Hundredths of a bit a pixel. Six steps of CRF halve the bit rate or double it (x264's rate control).
fn centibits(quality: u8) -> u64 {
    let steps = (i32::from(quality) - 20).div_euclid(6);
    if steps >= 0 { (CENTIBITS_AT_20 >> steps.min(10)).max(1) } else { CENTIBITS_AT_20 << steps.unsigned_abs().min(10) }
}

fn speed(encode: &VideoEncode) -> u64 {
    ENCODED_A_SECOND.iter().find(|(preset, _)| *preset == encode.preset).map_or(MEDIUM_A_SECOND, |(_, speed)| *speed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_steps_of_quality_double_or_halve() {
        assert_eq!([14, 20, 26, 32].map(centibits), [20, 10, 5, 2]);
        assert!(centibits(0) > 80 && centibits(51) >= 1);
    }
}
