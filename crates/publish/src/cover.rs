//! The cover: where it comes from, and the four forms in which it goes over the wire.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::link;

/// Where a cover comes from. Times count from the start of the published video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoverSource {
    /// The draft names none: the picker takes the best frame.
    Pick,
    /// A picture that is there already, JPEG or PNG.
    Picture {
        /// The picture.
        file: PathBuf,
        /// When its frame is shown, where it is one.
        time: Option<Duration>,
    },
    /// The frame that is shown at this time.
    Time(Duration),
    /// A picture on the web.
    Url(String),
}

/// `--cover-as`: how the cover goes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoverAs {
    /// `cover_image_data` and `cover_image_content_type`: the exact frame.
    #[default]
    Image,
    /// `cover_image_key_frame_time`: whole seconds.
    KeyFrame,
    /// `cover_image_timestamp_ms` of the integration card dated 2026-01-23; not in the OpenAPI description.
    TimestampMs,
    /// `cover_image_url`.
    Url,
}

impl CoverAs {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::KeyFrame => "key-frame",
            Self::TimestampMs => "timestamp-ms",
            Self::Url => "url",
        }
    }
}

impl FromStr for CoverAs {
    type Err = CoverError;
    fn from_str(text: &str) -> Result<Self, CoverError> {
        [Self::Image, Self::KeyFrame, Self::TimestampMs, Self::Url]
            .into_iter()
            .find(|form| form.name() == text)
            .ok_or(CoverError::UnknownForm)
    }
}

/// A cover that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cover {
    /// The bytes of this picture.
    Image {
        /// The picture.
        file: PathBuf,
        /// What it is, by its first bytes.
        content_type: ContentType,
    },
    /// The frame at this many seconds, never past the end.
    KeyFrame {
        /// Whole seconds.
        seconds: u64,
    },
    /// The frame at this many milliseconds.
    TimestampMs {
        /// Milliseconds.
        millis: u64,
    },
    /// A picture on the web, `https`.
    Url {
        /// The address.
        url: String,
    },
}

/// OpenAPI `ContentType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// `image/jpeg`.
    Jpeg,
    /// `image/png`.
    Png,
}

impl ContentType {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// By the first bytes: SOI and the next marker of JPEG (ITU-T T.81 §B.1.1.3), the signature of PNG
    /// (ISO/IEC 15948 §5.2).
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else {
            None
        }
    }
}

/// The largest cover picture that is sent, in bytes; Pinterest's limit for pictures.
pub const PICTURE_MAX_BYTES: u64 = 20_000_000;

/// There is no usable cover.
#[derive(Debug, thiserror::Error)]
pub enum CoverError {
    /// The draft names none, and nothing can pick one.
    #[error("no cover is named and none can be picked here: name a picture or a time")]
    NoPicker,
    /// The form needs a time, and the picture has none.
    #[error("the cover is sent as {form}, which needs its time in the video: give the time, or send it as image")]
    NoTime {
        /// The form.
        form: &'static str,
    },
    /// The form needs an address.
    #[error("the cover is sent as url, which needs an https:// address of a picture: give one, or send it as image")]
    NoUrl,
    /// The address leads nowhere.
    #[error("the address of the cover: {0}")]
    Url(&'static str),
    /// An address was given for a form that needs the picture or its time.
    #[error("the cover is an address: send it as url, not as {form}")]
    UrlOnly {
        /// The form.
        form: &'static str,
    },
    /// The time is past the end of the video.
    #[error("the cover time {} ms is past the end at {} ms: give an earlier one: {video}", time.as_millis(), end.as_millis(), video = video.display())]
    PastEnd {
        /// What was asked for.
        time: Duration,
        /// When the video ends.
        end: Duration,
        /// The video.
        video: PathBuf,
    },
    /// The picture cannot be read.
    #[error("cannot read the cover picture: {source}: {file}", file = file.display())]
    Io {
        /// The system's reason.
        source: std::io::Error,
        /// The picture.
        file: PathBuf,
    },
    /// Neither JPEG nor PNG.
    #[error("the cover picture is neither JPEG nor PNG by its content: save it as one of them: {file}", file = file.display())]
    NotAPicture {
        /// The picture.
        file: PathBuf,
    },
    /// Too large.
    #[error("the cover picture has {bytes} bytes, at most {PICTURE_MAX_BYTES} are allowed: save it smaller: {file}", file = file.display())]
    TooLarge {
        /// Its length.
        bytes: u64,
        /// The picture.
        file: PathBuf,
    },
    /// The picker failed.
    #[error("no cover could be picked: {reason}: {video}", video = video.display())]
    Pick {
        /// Its reason.
        reason: String,
        /// The video.
        video: PathBuf,
    },
    /// No such `--cover-as`.
    #[error("no such form of the cover: use image, key-frame, timestamp-ms or url")]
    UnknownForm,
}

/// A frame that was chosen and written as a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickedCover {
    /// When it is shown, from the start of the video.
    pub time: Duration,
    /// JPEG or PNG.
    pub picture: PathBuf,
}

/// Chooses a frame of a video: the media worker, behind the feature `pick-cover`.
pub trait CoverPicker {
    /// The best frame of `video`, or the one that is shown at `at`, written as a picture. Blocks.
    ///
    /// # Errors
    /// When the video cannot be read, or the picture cannot be written.
    fn pick(&self, video: &Path, at: Option<Duration>) -> Result<PickedCover, CoverError>;
}

/// Brings the cover into the form in which it is sent. Blocks for as long as picking takes.
///
/// # Errors
/// When the source does not give what the form needs, the picture cannot be used, or picking fails.
pub fn settle_cover(
    source: &CoverSource,
    form: CoverAs,
    video: &Path,
    duration: Option<Duration>,
    picker: Option<&dyn CoverPicker>,
) -> Result<Cover, CoverError> {
    let pick = |at| picker.ok_or(CoverError::NoPicker)?.pick(video, at);
    let inside = |time| inside(time, duration, video);
    match form {
        CoverAs::Image => {
            let file = match source {
                CoverSource::Pick => pick(None)?.picture,
                CoverSource::Time(time) => pick(Some(inside(*time)?))?.picture,
                CoverSource::Picture { file, .. } => file.clone(),
                CoverSource::Url(_) => return Err(CoverError::UrlOnly { form: form.name() }),
            };
            let content_type = content_type_of(&file)?;
            Ok(Cover::Image { file, content_type })
        }
        CoverAs::KeyFrame | CoverAs::TimestampMs => {
            let time = match source {
                CoverSource::Pick => pick(None)?.time,
                CoverSource::Time(time) | CoverSource::Picture { time: Some(time), .. } => *time,
                CoverSource::Picture { time: None, .. } => return Err(CoverError::NoTime { form: form.name() }),
                CoverSource::Url(_) => return Err(CoverError::UrlOnly { form: form.name() }),
            };
            let time = inside(time)?;
            if form == CoverAs::KeyFrame {
                return Ok(Cover::KeyFrame { seconds: key_frame_seconds(time, duration) });
            }
            Ok(Cover::TimestampMs { millis: u64::try_from(time.as_millis()).unwrap_or(u64::MAX) })
        }
        CoverAs::Url => match source {
            CoverSource::Url(url) if !url.is_empty() => match link::flaw(url) {
                None => Ok(Cover::Url { url: url.clone() }),
                Some(flaw) => Err(CoverError::Url(flaw)),
            },
            _ => Err(CoverError::NoUrl),
        },
    }
}

/// Why the source cannot give what the form needs, as far as that shows without looking at anything.
pub(crate) fn cover_flaw(
    source: &CoverSource,
    form: CoverAs,
    video: &Path,
    duration: Option<Duration>,
) -> Option<CoverError> {
    match (source, form) {
        (CoverSource::Pick | CoverSource::Picture { .. }, CoverAs::Image)
        | (CoverSource::Pick, CoverAs::KeyFrame | CoverAs::TimestampMs) => None,
        (CoverSource::Time(time), CoverAs::Image) => inside(*time, duration, video).err(),
        _ => settle_cover(source, form, video, duration, None).err(),
    }
}

fn inside(time: Duration, duration: Option<Duration>, video: &Path) -> Result<Duration, CoverError> {
    match duration {
        Some(end) if time > end => Err(CoverError::PastEnd { time, end, video: video.to_owned() }),
        _ => Ok(time),
    }
}

/// OpenAPI `cover_image_key_frame_time`: rounded to the nearest second, but never past the end, where Pinterest would
/// take the last frame instead. With an unknown end it is rounded down, as the frame itself lies inside.
pub(crate) fn key_frame_seconds(time: Duration, duration: Option<Duration>) -> u64 {
    let rounded = time.as_secs() + u64::from(time.subsec_millis() >= 500);
    if duration.is_some_and(|end| Duration::from_secs(rounded) < end) { rounded } else { time.as_secs() }
}

fn content_type_of(file: &Path) -> Result<ContentType, CoverError> {
    let io = |source| CoverError::Io { source, file: file.to_owned() };
    let mut open = File::open(file).map_err(io)?;
    let bytes = open.metadata().map_err(io)?.len();
    if bytes > PICTURE_MAX_BYTES {
        return Err(CoverError::TooLarge { bytes, file: file.to_owned() });
    }
    let mut start = Vec::with_capacity(16);
    open.by_ref().take(16).read_to_end(&mut start).map_err(io)?;
    ContentType::of(&start).ok_or_else(|| CoverError::NotAPicture { file: file.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(PathBuf);
    impl CoverPicker for Fixed {
        fn pick(&self, _: &Path, at: Option<Duration>) -> Result<PickedCover, CoverError> {
            Ok(PickedCover { time: at.unwrap_or(Duration::from_millis(2_600)), picture: self.0.clone() })
        }
    }

    fn settle(source: &CoverSource, form: CoverAs, end: Option<u64>) -> Result<Cover, CoverError> {
        settle_cover(source, form, Path::new("a.mp4"), end.map(Duration::from_millis), None)
    }

    #[test]
    fn a_key_frame_is_rounded_and_never_past_the_end() {
        let at = |ms, end| match settle(&CoverSource::Time(Duration::from_millis(ms)), CoverAs::KeyFrame, end).unwrap()
        {
            Cover::KeyFrame { seconds } => seconds,
            other => panic!("{other:?}"),
        };
        assert_eq!(at(2_499, Some(9_000)), 2);
        assert_eq!(at(2_500, Some(9_000)), 3);
        assert_eq!(at(4_700, Some(4_800)), 4, "5 s would be past the end");
        assert_eq!(at(4_700, Some(5_000)), 4, "at 5 s nothing is shown any more");
        assert_eq!(at(4_700, Some(5_001)), 5);
        assert_eq!(at(4_700, None), 4);
    }

    #[test]
    fn a_time_past_the_end_is_refused() {
        let source = CoverSource::Time(Duration::from_millis(5_001));
        for form in [CoverAs::Image, CoverAs::KeyFrame, CoverAs::TimestampMs] {
            let error = settle(&source, form, Some(5_000)).unwrap_err();
            assert!(matches!(error, CoverError::PastEnd { .. }), "{error}");
        }
    }

    #[test]
    fn each_form_asks_for_what_it_needs() {
        let picture = CoverSource::Picture { file: "c.jpg".into(), time: None };
        assert!(matches!(settle(&picture, CoverAs::KeyFrame, None), Err(CoverError::NoTime { .. })));
        assert!(matches!(settle(&picture, CoverAs::Url, None), Err(CoverError::NoUrl)));
        assert!(matches!(settle(&CoverSource::Pick, CoverAs::Image, None), Err(CoverError::NoPicker)));
        let url = CoverSource::Url("https://e.example/c.jpg".to_owned());
        assert!(matches!(settle(&url, CoverAs::Image, None), Err(CoverError::UrlOnly { .. })));
        assert!(matches!(settle(&url, CoverAs::Url, None), Ok(Cover::Url { .. })));
        let http = CoverSource::Url("http://e.example/c.jpg".to_owned());
        assert!(matches!(settle(&http, CoverAs::Url, None), Err(CoverError::Url(_))));
    }

    #[test]
    fn what_does_not_fit_shows_before_anything_is_looked_at() {
        let late = CoverSource::Time(Duration::from_secs(9));
        let missing = CoverSource::Picture { file: "missing.jpg".into(), time: None };
        let url = CoverSource::Url("https://e.example/c.jpg".to_owned());
        for (source, form, fits) in [
            (&CoverSource::Pick, CoverAs::Image, true),
            (&CoverSource::Pick, CoverAs::KeyFrame, true),
            (&CoverSource::Pick, CoverAs::Url, false),
            (&late, CoverAs::Image, false),
            (&late, CoverAs::TimestampMs, false),
            (&missing, CoverAs::Image, true),
            (&missing, CoverAs::KeyFrame, false),
            (&url, CoverAs::Url, true),
            (&url, CoverAs::Image, false),
        ] {
            let flaw = cover_flaw(source, form, Path::new("a.mp4"), Some(Duration::from_secs(5)));
            assert_eq!(flaw.is_none(), fits, "{source:?} {form:?} {flaw:?}");
        }
    }

    #[test]
    fn the_picture_is_judged_by_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cover.jpg");
        let take = || {
            let picker = Fixed(file.clone());
            settle_cover(&CoverSource::Pick, CoverAs::Image, Path::new("a.mp4"), None, Some(&picker))
        };
        assert!(matches!(take(), Err(CoverError::Io { .. })));
        std::fs::write(&file, b"\x89PNG\r\n\x1a\nrest").unwrap();
        assert_eq!(take().unwrap(), Cover::Image { file: file.clone(), content_type: ContentType::Png });
        std::fs::write(&file, b"GIF89a").unwrap();
        assert!(matches!(take(), Err(CoverError::NotAPicture { .. })));
        File::create(&file).unwrap().set_len(PICTURE_MAX_BYTES + 1).unwrap();
        assert!(matches!(take(), Err(CoverError::TooLarge { .. })));
    }

    proptest::proptest! {
        #[test]
        fn a_key_frame_is_shown_and_within_a_second(time in 0..100_000_u64, rest in 1..100_000_u64) {
            let (time, end) = (Duration::from_millis(time), Duration::from_millis(time + rest));
            let frame = Duration::from_secs(key_frame_seconds(time, Some(end)));
            proptest::prop_assert!(frame < end && frame.abs_diff(time) < Duration::from_secs(1));
        }
    }
}
