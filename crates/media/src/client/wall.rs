//! How long a request may take in all, however much progress it reports: a file can be made to keep a decoder busy
//! for ever.

use std::time::Duration;

use pinpress_probe::Seconds;

use crate::wire::Request;

/// Seconds for each second of media: nobody waits for an encode that is a hundred times slower than playing.
const PER_MEDIA_SECOND: u64 = 100;

/// Bytes for each further second: the slowest network disk that one would work on.
const BYTES_PER_SECOND: u64 = 1 << 20;

/// The time for `request`: `base`, and what the length of its source and the time that it plays ask for.
pub(super) fn limit(base: Duration, request: &Request) -> Duration {
    let bytes = request.source().and_then(|path| std::fs::metadata(path).ok()).map_or(0, |file| file.len());
    let seconds = media_seconds(request).saturating_mul(PER_MEDIA_SECOND).saturating_add(bytes / BYTES_PER_SECOND);
    base.saturating_add(Duration::from_secs(seconds))
}

fn media_seconds(request: &Request) -> u64 {
    let of_millis = |millis: i64| u64::try_from(millis).unwrap_or(0).div_ceil(1_000);
    match request {
        Request::Fix { info, .. } | Request::Plan { info, .. } => {
            info.duration.map_or(0, |time: Seconds| of_millis(time.millis()))
        }
        Request::Decode { total_ms, .. } => total_ms.unwrap_or(0).div_ceil(1_000),
        Request::Probe { .. } | Request::Cover { .. } | Request::About => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn length_and_playing_time_add_to_the_base() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("two-mebibytes.mp4");
        std::fs::File::create(&path).unwrap().set_len(2 << 20).unwrap();
        let base = Duration::from_secs(600);
        let source = || Path::new(&path).into();
        assert_eq!(limit(base, &Request::Probe { source: source() }), Duration::from_secs(602));
        let decode = Request::Decode { source: source(), total_ms: Some(1_500) };
        assert_eq!(limit(base, &decode), Duration::from_secs(802));
        assert_eq!(limit(base, &Request::About), base);
    }
}
