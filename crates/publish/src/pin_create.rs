//! OpenAPI `PinCreate` with `PinMediaSourceVideoID`: the body of `POST /pins`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::cover::{ContentType, Cover, CoverError, PICTURE_MAX_BYTES};
use crate::draft::Draft;
use crate::id::{BoardId, BoardSectionId, MediaId};

/// OpenAPI `PinCreate`. Absent fields are left out rather than sent as `null`.
#[derive(Debug, Serialize)]
pub(crate) struct PinCreate<'a> {
    board_id: &'a BoardId,
    #[serde(skip_serializing_if = "Option::is_none")]
    board_section_id: Option<&'a BoardSectionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alt_text: Option<&'a str>,
    media_source: PinMediaSourceVideoId<'a>,
}

/// OpenAPI `PinMediaSourceVideoID`.
#[derive(Debug, Serialize)]
struct PinMediaSourceVideoId<'a> {
    source_type: &'static str,
    media_id: &'a MediaId,
    #[serde(flatten)]
    cover: CoverFields,
}

/// Exactly one of the forms.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum CoverFields {
    Image { cover_image_content_type: &'static str, cover_image_data: String },
    KeyFrame { cover_image_key_frame_time: u64 },
    TimestampMs { cover_image_timestamp_ms: u64 },
    Url { cover_image_url: String },
}

impl CoverFields {
    /// Reads the picture, where the cover is one.
    pub(crate) async fn of(cover: &Cover) -> Result<Self, CoverError> {
        Ok(match cover {
            Cover::Image { file, content_type } => {
                let io = |source| CoverError::Io { source, file: file.clone() };
                let bytes = tokio::fs::metadata(file).await.map_err(io)?.len();
                if bytes > PICTURE_MAX_BYTES {
                    return Err(CoverError::TooLarge { bytes, file: file.clone() });
                }
                let picture = tokio::fs::read(file).await.map_err(io)?;
                if ContentType::of(&picture) != Some(*content_type) {
                    return Err(CoverError::NotAPicture { file: file.clone() });
                }
                Self::Image {
                    cover_image_content_type: content_type.as_str(),
                    cover_image_data: STANDARD.encode(picture),
                }
            }
            Cover::KeyFrame { seconds } => Self::KeyFrame { cover_image_key_frame_time: *seconds },
            Cover::TimestampMs { millis } => Self::TimestampMs { cover_image_timestamp_ms: *millis },
            Cover::Url { url } => Self::Url { cover_image_url: url.clone() },
        })
    }
}

impl<'a> PinCreate<'a> {
    pub(crate) fn new(draft: &'a Draft, media_id: &'a MediaId, cover: CoverFields) -> Self {
        Self {
            board_id: &draft.board,
            board_section_id: draft.section.as_ref(),
            title: draft.title.as_deref(),
            description: draft.description.as_deref(),
            link: draft.link.as_deref(),
            alt_text: draft.alt_text.as_deref(),
            media_source: PinMediaSourceVideoId { source_type: "video_id", media_id, cover },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PinDraft;
    use crate::cover::{CoverAs, CoverSource};
    use serde_json::{Value, json};
    use std::time::Duration;

    fn draft(cover: CoverSource, cover_as: CoverAs) -> Draft {
        PinDraft { cover, cover_as, title: Some("t".to_owned()), ..PinDraft::new("a.mp4", "7") }
            .settle("7".parse().unwrap(), None, None)
            .unwrap()
    }

    async fn media_source(draft: &Draft) -> Value {
        let media: MediaId = "12345678901234567890".parse().unwrap();
        let cover = CoverFields::of(&draft.cover).await.unwrap();
        let body = serde_json::to_value(PinCreate::new(draft, &media, cover)).unwrap();
        assert_eq!(body["board_id"], "7");
        assert_eq!(body.as_object().unwrap().len(), 3, "nothing is sent as null: {body}");
        body["media_source"].clone()
    }

    #[tokio::test]
    async fn each_cover_form_has_its_own_fields() {
        let with = |cover: Value| {
            let mut all = json!({"source_type": "video_id", "media_id": "12345678901234567890"});
            all.as_object_mut().unwrap().extend(cover.as_object().unwrap().clone());
            all
        };
        let time = CoverSource::Time(Duration::from_millis(2_600));
        assert_eq!(
            media_source(&draft(time.clone(), CoverAs::TimestampMs)).await,
            with(json!({"cover_image_timestamp_ms": 2600}))
        );
        assert_eq!(media_source(&draft(time, CoverAs::KeyFrame)).await, with(json!({"cover_image_key_frame_time": 2})));
        let url = CoverSource::Url("https://e.example/c.png".to_owned());
        assert_eq!(
            media_source(&draft(url, CoverAs::Url)).await,
            with(json!({"cover_image_url": "https://e.example/c.png"}))
        );
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c");
        std::fs::write(&file, [0xFF, 0xD8, 0xFF, 0xE0]).unwrap();
        assert_eq!(
            media_source(&draft(CoverSource::Picture { file, time: None }, CoverAs::Image)).await,
            with(json!({"cover_image_content_type": "image/jpeg", "cover_image_data": "/9j/4A=="}))
        );
    }
}
