//! Whether the disk has room, before hours go into filling it.

use std::path::Path;

use pinpress_media::{Action, AudioStep, Failure, FailureKind, Plan, VideoStep};
use pinpress_probe::MediaInfo;

/// Bytes that stay free besides.
const RESERVE: u64 = 16 * 1024 * 1024;

/// x264 at the default quality seldom needs more than a tenth of a bit a pixel.
const PIXELS_A_BIT: u64 = 10;

/// Bytes that the output of `plan` will need at most, roughly.
#[must_use]
pub fn estimate(info: &MediaInfo, plan: &Plan) -> u64 {
    let millis = plan.duration.or(info.duration).map_or(0, pinpress_media::wire_millis);
    let Some(VideoStep::Encode(encode)) = &plan.video else {
        return info.size_bytes.saturating_mul(u64::from(plan.repeat.max(1)));
    };
    if plan.action == Action::Passthrough {
        return info.size_bytes;
    }
    let rate = info.video.iter().find(|video| video.index == encode.stream).and_then(|video| video.frame_rate);
    let frames = rate.map_or(30, |rate| u64::try_from(rate.rational().ceil()).unwrap_or(30)).max(1);
    let pixels = u64::from(encode.canvas.width) * u64::from(encode.canvas.height) * frames;
    let video = (pixels / PIXELS_A_BIT).min(encode.max_bit_rate.unwrap_or(u64::MAX));
    let audio = match &plan.audio {
        Some(AudioStep::Encode { bit_rate, .. }) => u64::from(*bit_rate),
        Some(AudioStep::Copy { .. }) => 256_000,
        None => 0,
    };
    (video + audio).saturating_mul(millis) / 8_000
}

/// Fails when the filesystem of `output` has no room for so many bytes. Where the system does not tell, it passes.
///
/// # Errors
/// `Io`, with how much is missing.
pub fn check(output: &Path, bytes: u64) -> Result<(), Failure> {
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(disk) = rustix::fs::statvfs(folder) else { return Ok(()) };
    room(disk.f_bavail.saturating_mul(disk.f_frsize), bytes)
}

fn room(free: u64, bytes: u64) -> Result<(), Failure> {
    let needed = bytes.saturating_add(RESERVE);
    if free >= needed {
        return Ok(());
    }
    let (missing, needed) = ((needed - free) / 1_000_000 + 1, needed / 1_000_000 + 1);
    Err(Failure::new(
        FailureKind::Io,
        format!("the output folder's disk is too full: about {needed} MB needed, {missing} MB missing: make room"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_before_work_begins() {
        assert!(room(RESERVE + 10, 10).is_ok());
        let failure = room(RESERVE + 9, 10).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Io);
        assert!(failure.message.contains("1 MB missing"), "{failure}");
    }
}
