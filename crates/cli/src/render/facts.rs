//! A video in a few words.

use pinpress_probe::{MediaInfo, Reader};

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
