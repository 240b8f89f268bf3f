//! A video in a few words.

use pinpress_probe::{Decoded, MediaInfo, Reader};

/// `matroska, h264 1080×1920, 29.97 fps, 12.5 s, aac`.
pub(crate) fn in_short(info: &MediaInfo) -> String {
    let mut words = vec![info.container.name().to_owned()];
    if let Some(video) = info.primary_video() {
        words.push(format!("{} {}", video.codec, video.display()));
        words.extend(video.frame_rate.map(|rate| rate.to_string()));
    }
    words.extend(info.duration.map(|duration| duration.to_string()));
    words.extend(info.primary_audio().map(|audio| audio.codec.clone()));
    words.join(", ")
}

/// Who read a file.
pub(crate) const fn reader(reader: Reader) -> &'static str {
    match reader {
        Reader::SampleTable => "sample table",
        Reader::Libav => "libav",
    }
}

/// What stands behind the facts of a file that was decoded: `decoded whole`. Nothing where findings tell of faults.
pub(crate) fn decoded(decoded: &Decoded) -> Option<String> {
    if decoded.is_whole() {
        return Some("decoded whole".to_owned());
    }
    let left_out = decoded.streams.iter().filter(|stream| !stream.decoder);
    let left_out: Vec<_> = left_out.map(|stream| format!("{} ({})", stream.index, stream.codec)).collect();
    (!left_out.is_empty()).then(|| format!("no decoder for stream {}", left_out.join(", ")))
}
