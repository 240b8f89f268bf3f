//! How much memory a request will take, by estimate, and how much there is: many jobs on a small machine, or a few of
//! 4K, wait for one another instead of making it swap.

use pinpress_probe::{MediaInfo, check};
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::wire::Request;

/// What a job takes without pictures: libraries, tables, packets.
const PLAIN: u64 = 40 << 20;

/// What an encode takes beside its pictures.
const ENCODER: u64 = 60 << 20;

/// Bytes for each pixel of the source while its picture is encoded: some sixty pictures in x264's look-ahead and among
/// its references, and a dozen between decoder, filters and encoder. Measured at x264's preset `medium`, onto a blurred
/// square: 852×480 took 201 MB, 1920×1080 323 MB, 3840×2160 1,055 MB, and as 10-bit H.265 1,198 MB.
const BYTES_PER_ENCODED_PIXEL: u64 = 130;

/// The same while a cover is picked: the decoder's pictures, and one at full size in floating point.
const BYTES_PER_COVER_PIXEL: u64 = 30;

/// What is assumed where nobody has looked yet: 1920×1080.
const USUAL_PIXELS: u64 = 1920 * 1080;

/// How much of the memory that is free jobs may have, in percent: the rest is for the files that the system caches, and
/// for what was estimated too low.
const SHARE_PERCENT: u64 = 80;

/// Bytes that `request` will take.
pub(super) fn estimate(request: &Request) -> u64 {
    match request {
        Request::Fix { info, spec, .. } if !check(info, spec).passes() => {
            let pictures = pixels(info).saturating_mul(BYTES_PER_ENCODED_PIXEL);
            pictures.saturating_add(PLAIN + ENCODER)
        }
        Request::Cover { .. } => PLAIN + USUAL_PIXELS * BYTES_PER_COVER_PIXEL,
        Request::Fix { .. }
        | Request::Probe { .. }
        | Request::Decode { .. }
        | Request::Plan { .. }
        | Request::About => PLAIN,
    }
}

fn pixels(info: &MediaInfo) -> u64 {
    let of = |video: &pinpress_probe::VideoStream| u64::from(video.coded.width) * u64::from(video.coded.height);
    info.primary_video().map_or(0, of)
}

/// Bytes that all jobs together may take on this machine as it is now; also within a container's own limit.
pub(super) fn budget() -> u64 {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(memory);
    let free = system.available_memory();
    let free = system.cgroup_limits().map_or(free, |limits| free.min(limits.free_memory));
    free / 100 * SHARE_PERCENT
}
