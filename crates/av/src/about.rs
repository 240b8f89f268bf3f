//! Which libraries are linked, and what they can do.

use ffmpeg_next::{codec, encoder, filter, format, util};

/// H.264 and AAC encoders that a fix could use, best first: x264, the hardware ones, `OpenH264`, libav's AAC.
const ENCODERS: [&str; 9] = [
    "libx264",
    "h264_videotoolbox",
    "h264_nvenc",
    "h264_qsv",
    "h264_vaapi",
    "h264_amf",
    "libopenh264",
    "libfdk_aac",
    "aac",
];

/// Filters that fixes are made of and that some builds leave out.
const FILTERS: [&str; 5] = ["zscale", "tonemap", "bwdif", "gblur", "aresample"];

/// What is linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Library and version: `libavcodec 59.37.100`.
    pub libraries: Vec<String>,
    /// Encoders that are there, of those that a fix could use. A hardware encoder may still find no hardware.
    pub encoders: Vec<String>,
    /// Filters that fixes need and that are missing.
    pub missing_filters: Vec<String>,
    /// The licence that the libraries were built under.
    pub licence: String,
}

/// Asks the linked libraries.
#[must_use]
pub fn about() -> About {
    crate::log::init();
    let libraries = [
        ("libavutil", util::version()),
        ("libavcodec", codec::version()),
        ("libavformat", format::version()),
        ("libavfilter", filter::version()),
    ]
    .map(|(name, version)| format!("{name} {}.{}.{}", version >> 16, (version >> 8) & 0xFF, version & 0xFF));
    let present = |name: &&&str| encoder::find_by_name(name).is_some();
    let absent = |name: &&&str| filter::find(name).is_none();
    About {
        libraries: libraries.into(),
        encoders: ENCODERS.iter().filter(present).map(|name| (*name).to_owned()).collect(),
        missing_filters: FILTERS.iter().filter(absent).map(|name| (*name).to_owned()).collect(),
        licence: codec::license().to_owned(),
    }
}
