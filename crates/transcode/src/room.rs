//! How much room the index (`moov`) gets before the samples, so that it is first without a second pass over the file.

use pinpress_media::{Action, AudioStep, Plan, VideoStep, wire_millis};
use pinpress_probe::MediaInfo;

/// Sources below this go through the second pass: it takes a few hundredths of a second, and a small file has no
/// unused room then.
const SMALL: u64 = 16 * 1024 * 1024;

/// What a sample takes in the index, in bytes: its size (`stsz`, 4), an entry of its own for duration and for
/// composition (`stts` and `ctts`, 8 each, shared where they repeat), and a share of its chunk (`stco` 4 or 8, `stsc`
/// 12, shared where they repeat) and of `stss` (4). Remuxed, the real clips beside the repository take up to 13.7; each
/// entry of its own in a file past 4 GiB would take 44.
const SAMPLE_BYTES: u64 = 24;

/// The same where something is encoded, which is not thrown away for some unused kilobytes.
const SAMPLE_BYTES_AT_MOST: u64 = 44;

/// What does not grow with the samples: headers, parameter sets, metadata. The real clips take less than 3 KiB.
const FIXED_BYTES: u64 = 32 * 1024;

/// Samples in a packet of AAC.
const PACKET_SAMPLES: u64 = 1024;

/// Bytes to leave free; `None` where a second pass is the better choice: for small files, where nobody knows how many
/// samples there will be, and where the picture is encoded. That takes minutes for what a second pass moves in a
/// second, and its size is known only behind it.
pub(crate) fn for_moov(plan: &Plan, info: &MediaInfo) -> Option<u32> {
    let encodes_sound = matches!(plan.audio, Some(AudioStep::Encode { .. }));
    let step = match &plan.video {
        Some(VideoStep::Encode(_) | VideoStep::Extend(_)) | None => return None,
        Some(step) if plan.action != Action::Passthrough && info.size_bytes >= SMALL => step,
        Some(_) => return None,
    };
    let video = info.video.iter().find(|video| video.index == step.stream())?;
    let pictures = video.frame_count?;
    let packets = match &plan.audio {
        None => 0,
        Some(audio) => {
            let source = info.audio.iter().find(|stream| stream.index == audio.stream())?;
            let rate = match audio {
                AudioStep::Copy { .. } => source.sample_rate?,
                AudioStep::Encode { sample_rate, .. } => *sample_rate,
            };
            wire_millis(source.duration.or(info.duration)?).checked_mul(u64::from(rate))? / 1000 / PACKET_SAMPLES + 2
        }
    };
    let samples = pictures.checked_add(packets)?.checked_mul(u64::from(plan.repeat.max(1)))?;
    let bytes = if encodes_sound { SAMPLE_BYTES_AT_MOST } else { SAMPLE_BYTES };
    u32::try_from(samples.checked_mul(bytes)?.checked_add(FIXED_BYTES)?).ok()
}
