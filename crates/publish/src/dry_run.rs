//! What publishing would send, told and not sent.

use serde::Serialize;
use serde_json::{Value, json};

use crate::cover::{Cover, CoverAs, CoverSource, key_frame_seconds};
use crate::draft::{Draft, PinDraft};
use crate::id::{BoardId, BoardSectionId, MediaId};
use crate::pin_create::{CoverFields, PinCreate};

/// A request that would be sent. What only an answer can tell stands in round brackets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedRequest {
    /// `GET`, `POST`.
    pub method: &'static str,
    /// Below the base URL of the API; for the upload, where its address comes from.
    pub path: &'static str,
    /// The JSON, or the parts of the form in their order. Of long values their source and length.
    pub body: Option<Value>,
}

/// The requests that take a video to a Pin with the texts of `draft`, in their order. Its video need not be there yet.
#[must_use]
pub fn planned_requests(draft: &PinDraft, board: &BoardId, section: Option<&BoardSectionId>) -> Vec<PlannedRequest> {
    let name = draft.video.file_name().unwrap_or_default().to_string_lossy();
    let file = match draft.video.metadata() {
        Ok(metadata) => format!("({name}, {} bytes)", metadata.len()),
        Err(_) => format!("({name}, once it is made)"),
    };
    let form = json!([{"upload_parameters": "(of the answer; without them, PUT of the file alone)"}, {"file": file}]);
    vec![
        PlannedRequest { method: "POST", path: "/media", body: Some(json!({"media_type": "video"})) },
        PlannedRequest { method: "POST", path: "(upload_url of the answer)", body: Some(form) },
        PlannedRequest { method: "GET", path: "/media/(media_id), until it is succeeded", body: None },
        PlannedRequest { method: "POST", path: "/pins", body: Some(pin(draft, board, section)) },
    ]
}

fn pin(draft: &PinDraft, board: &BoardId, section: Option<&BoardSectionId>) -> Value {
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let settled = Draft {
        video: draft.video.clone(),
        board: board.clone(),
        section: section.cloned(),
        title: text(&draft.title),
        description: text(&draft.description),
        link: text(&draft.link),
        alt_text: text(&draft.alt_text),
        cover: Cover::Url { url: String::new() },
    };
    let Ok(media_id) = "0".parse::<MediaId>() else { return Value::Null };
    let fields = CoverFields::Url { cover_image_url: String::new() };
    // Plain structs with string keys, which JSON always takes.
    let mut body = serde_json::to_value(PinCreate::new(&settled, &media_id, fields)).unwrap_or_default();
    let mut source = json!({"source_type": "video_id", "media_id": "(of the answer)"});
    for (field, value) in cover(draft) {
        source[field] = value;
    }
    body["media_source"] = source;
    body
}

/// The fields of the cover, as far as they are known before it is there.
fn cover(draft: &PinDraft) -> Vec<(&'static str, Value)> {
    let (picture, time) = match &draft.cover {
        CoverSource::Picture { file, time } => (Some(file), *time),
        CoverSource::Time(time) => (None, Some(*time)),
        CoverSource::Pick | CoverSource::Url(_) => (None, None),
    };
    let millis = time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let or_picked = |number: Option<u64>, what: &str| {
        number.map_or_else(|| Value::from(format!("({what} of the frame that is picked)")), Value::from)
    };
    match draft.cover_as {
        CoverAs::Image => {
            let name =
                picture.and_then(|file| Some((file.file_name()?.to_string_lossy(), file.metadata().ok()?.len())));
            let data = match (name, millis) {
                (Some((name, bytes)), _) => format!("(base64 of {name}, {bytes} bytes)"),
                (None, Some(millis)) => format!("(base64 of the frame at {millis} ms)"),
                (None, None) => "(base64 of the frame that is picked)".to_owned(),
            };
            vec![("cover_image_data", data.into()), ("cover_image_content_type", "image/jpeg".into())]
        }
        CoverAs::KeyFrame => {
            let seconds = time.map(|time| key_frame_seconds(time, draft.duration));
            vec![("cover_image_key_frame_time", or_picked(seconds, "second"))]
        }
        CoverAs::TimestampMs => vec![("cover_image_timestamp_ms", or_picked(millis, "millisecond"))],
        CoverAs::Url => match &draft.cover {
            CoverSource::Url(url) => vec![("cover_image_url", url.as_str().into())],
            _ => Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn told(draft: &PinDraft) -> Value {
        planned_requests(draft, &"7".parse().unwrap(), None).pop().unwrap().body.unwrap()
    }

    #[test]
    fn the_body_is_the_one_that_is_sent_but_for_what_answers_tell() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("a.mp4"), [0; 10]).unwrap();
        std::fs::write(at("a.cover.jpg"), [0; 7]).unwrap();
        let draft = PinDraft {
            title: Some("Soup".to_owned()),
            description: Some(String::new()),
            cover: CoverSource::Picture { file: at("a.cover.jpg"), time: None },
            ..PinDraft::new(at("a.mp4"), "x")
        };
        let requests = planned_requests(&draft, &"7".parse().unwrap(), Some(&"8".parse().unwrap()));
        assert_eq!(requests.iter().map(|request| request.method).collect::<Vec<_>>(), ["POST", "POST", "GET", "POST"]);
        assert_eq!(requests[1].body.as_ref().unwrap()[1]["file"], "(a.mp4, 10 bytes)", "the file is last");
        assert_eq!(
            requests[3].body.as_ref().unwrap(),
            &json!({"board_id": "7", "board_section_id": "8", "title": "Soup", "media_source": {
                "source_type": "video_id", "media_id": "(of the answer)",
                "cover_image_data": "(base64 of a.cover.jpg, 7 bytes)", "cover_image_content_type": "image/jpeg",
            }})
        );
    }

    #[test]
    fn a_cover_that_is_not_there_yet_is_told_as_such() {
        let draft = |cover, cover_as| PinDraft { cover, cover_as, ..PinDraft::new("gone.mp4", "x") };
        let source = |draft: &PinDraft| told(draft)["media_source"].clone();
        let at = CoverSource::Time(Duration::from_millis(2_600));
        assert_eq!(
            source(&draft(at.clone(), CoverAs::KeyFrame))["cover_image_key_frame_time"],
            2,
            "it is not past an unknown end"
        );
        assert_eq!(source(&draft(at.clone(), CoverAs::TimestampMs))["cover_image_timestamp_ms"], 2_600);
        assert_eq!(source(&draft(at, CoverAs::Image))["cover_image_data"], "(base64 of the frame at 2600 ms)");
        let picked = source(&draft(CoverSource::Pick, CoverAs::TimestampMs));
        assert_eq!(picked["cover_image_timestamp_ms"], "(millisecond of the frame that is picked)");
        let url = source(&draft(CoverSource::Url("https://e.example/c.jpg".to_owned()), CoverAs::Url));
        assert_eq!(url["cover_image_url"], "https://e.example/c.jpg");
    }
}
