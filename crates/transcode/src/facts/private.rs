//! Metadata that tells about the person or the place.

use pinpress_av::Facts;
use pinpress_probe::PrivateTag;

/// The kinds that are there, in order, each once.
pub(super) fn tags(facts: &Facts) -> Vec<PrivateTag> {
    let streams = facts.streams.iter().flat_map(|stream| &stream.metadata);
    let mut found: Vec<_> = facts.metadata.iter().chain(streams).filter_map(|(key, _)| kind(key)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// By libav's key, which is the container's own: `location` (from `©xyz` and `loci`), `location-eng`,
/// `com.apple.quicktime.location.ISO6709`, `make`, `com.apple.quicktime.model`, `com.android.manufacturer`, `firmware`.
#[must_use]
pub(super) fn kind(key: &str) -> Option<PrivateTag> {
    let key = key.to_ascii_lowercase();
    let last = key.rsplit(['.', '-', '_', ' ']).next().unwrap_or(&key);
    if key.contains("location") || key.contains("gps") || key.contains("iso6709") || matches!(last, "xyz" | "loci") {
        return Some(PrivateTag::Location);
    }
    let device = matches!(last, "make" | "model" | "manufacturer" | "serial" | "firmware" | "device" | "camera");
    (device || key.contains("serial_number") || key.contains("serialnumber") || key.contains("lens_model"))
        .then_some(PrivateTag::Device)
}

/// Keys that a fixed file keeps: what a viewer may read of the work itself.
const WORK: [&str; 7] = ["title", "artist", "album", "genre", "copyright", "composer", "show"];

/// Keys that describe the old container, not the video.
const CONTAINER: [&str; 5] = ["major_brand", "minor_version", "compatible_brands", "encoder", "handler_name"];

/// The metadata that goes into a fixed file: of the work alone, or with `all` whatever does not describe the old
/// container.
#[must_use]
pub fn kept_metadata(facts: &Facts, all: bool) -> Vec<(String, String)> {
    let keeps = |key: &str| {
        let key = key.to_ascii_lowercase();
        if all { !CONTAINER.contains(&key.as_str()) } else { WORK.contains(&key.as_str()) }
    };
    facts.metadata.iter().filter(|(key, _)| keeps(key)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_phones_and_cameras() {
        for key in ["location", "location-eng", "com.apple.quicktime.location.ISO6709", "GPS_latitude"] {
            assert_eq!(kind(key), Some(PrivateTag::Location), "{key}");
        }
        for key in ["make", "com.apple.quicktime.model", "com.android.manufacturer", "firmware", "serial_number"] {
            assert_eq!(kind(key), Some(PrivateTag::Device), "{key}");
        }
        for key in ["title", "language", "encoder", "creation_time", "major_brand", "com.android.version"] {
            assert_eq!(kind(key), None, "{key}");
        }
    }
}
