//! The objects of the API, with the names and the words of Pinterest's OpenAPI description 5.23.0. Fields that
//! pinpress does not use are left out; fields that it does not know are ignored.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::id::{BoardId, BoardSectionId, MediaId, PinId};
use crate::secret::{UploadParameters, UploadUrl};
use crate::word::{AccountType, BoardPrivacy, CreativeType, MediaUploadStatus};

/// OpenAPI `MediaUpload`: a media upload that has been registered but not uploaded or processed yet.
#[derive(Debug, Clone)]
pub struct MediaUpload {
    /// Unique identifier for this media upload.
    pub media_id: MediaId,
    /// The URL where the media file goes. Optional in the schema, needed in fact.
    pub upload_url: UploadUrl,
    /// The key/value pairs to send with the POST request; empty in the card's form, which has none.
    pub upload_parameters: UploadParameters,
    /// No upload begins later than this, by our clock, as the form's time is nearly over then; `None` when it names
    /// no end.
    pub begin_by: Option<Timestamp>,
}

/// The answer to `POST /media` before its address is judged. Not `Debug`: everything in it is secret.
#[derive(Deserialize)]
pub(crate) struct MediaUploadAnswer {
    pub(crate) media_id: MediaId,
    #[serde(default)]
    pub(crate) upload_url: Option<String>,
    #[serde(default)]
    pub(crate) upload_parameters: Option<UploadParameters>,
}

/// OpenAPI `Media`: media upload information.
#[derive(Debug, Clone, Deserialize)]
pub struct Media {
    /// Unique identifier for this media upload.
    pub media_id: MediaId,
    /// How far it is. The schema lets it be absent, which tells as little as a status nobody knows.
    #[serde(default)]
    pub status: MediaUploadStatus,
}

/// OpenAPI `Pin`, as far as it tells one Pin from another. Only `id` must be as described: one odd Pin among
/// thousands must not keep another from being found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pin {
    /// The Pin.
    pub id: PinId,
    /// The board to which this Pin belongs.
    #[serde(default, deserialize_with = "lenient")]
    pub board_id: Option<BoardId>,
    /// The board section to which this Pin belongs.
    #[serde(default, deserialize_with = "lenient")]
    pub board_section_id: Option<BoardSectionId>,
    /// At most 100 characters.
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
    /// At most 800 characters.
    #[serde(default, deserialize_with = "lenient")]
    pub description: Option<String>,
    /// At most 2048 characters.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
    /// When it was made. `None` when the answer has none or writes it in no form we know.
    #[serde(default, deserialize_with = "lenient_time")]
    pub created_at: Option<Timestamp>,
    /// What kind of Pin it is.
    #[serde(default, deserialize_with = "lenient")]
    pub creative_type: Option<CreativeType>,
}

/// The answer to `POST /pins`: whatever else is odd about it, with an id the Pin exists.
#[derive(Debug, Deserialize)]
pub(crate) struct CreatedPin {
    pub(crate) id: PinId,
}

/// OpenAPI `Board`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Board {
    /// The board.
    pub id: BoardId,
    /// Name of the board.
    pub name: String,
    /// Privacy setting for a board.
    #[serde(default, deserialize_with = "lenient")]
    pub privacy: Option<BoardPrivacy>,
    /// Count of Pins on the board.
    #[serde(default, deserialize_with = "lenient")]
    pub pin_count: Option<u64>,
}

/// OpenAPI `BoardSection`: sections help organize Pins within a board.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct BoardSection {
    /// The section.
    pub id: BoardSectionId,
    /// 1 to 180 characters.
    pub name: String,
}

/// OpenAPI `Account`: the "operation `user_account`". All of it is optional, and none of it must keep a person from
/// seeing whose token it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Account {
    /// User account ID.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<String>,
    /// The name in addresses.
    #[serde(default, deserialize_with = "lenient")]
    pub username: Option<String>,
    /// Type of account.
    #[serde(default, deserialize_with = "lenient")]
    pub account_type: Option<AccountType>,
    /// Set for business accounts.
    #[serde(default, deserialize_with = "lenient")]
    pub business_name: Option<String>,
}

/// OpenAPI `Paginated`.
#[derive(Debug, Clone, Deserialize)]
pub struct Page<T> {
    /// The objects of this page, in the order of the server.
    pub items: Vec<T>,
    /// Cursor used to fetch the next page of items; `null` at the end.
    #[serde(default)]
    pub bookmark: Option<String>,
}

/// OpenAPI `Error`. `code` is Pinterest's own and differs from the HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ErrorBody {
    /// Pinterest's number.
    pub code: i64,
    /// Pinterest's words.
    pub message: String,
}

/// Reads a time with a zone (RFC 3339), or without one as UTC: Pinterest's answers may have none.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let civil: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

/// The value, or `None` where it is not as described.
fn lenient<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(serde_json::Value::deserialize(deserializer)?).ok())
}

fn lenient_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(lenient::<String, D>(deserializer)?.as_deref().and_then(parse_time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_may_be_unknown_or_absent() {
        let media: Media =
            serde_json::from_str(r#"{"media_id":"1","media_type":"video","status":"transcoding"}"#).unwrap();
        assert_eq!(media.status, MediaUploadStatus::Unknown("transcoding".to_owned()));
        let media: Media = serde_json::from_str(r#"{"media_id":"1","media_type":"video"}"#).unwrap();
        assert_eq!(media.status, MediaUploadStatus::default());
    }

    #[test]
    fn one_odd_object_does_not_hide_the_others() {
        let boards: Page<Board> = serde_json::from_str(
            r#"{"items":[{"id":"1","name":"a","privacy":7,"pin_count":-1},{"id":"2","name":"b","privacy":"SECRET"}]}"#,
        )
        .unwrap();
        assert_eq!(boards.items[0].privacy, None);
        assert_eq!(boards.items[1].privacy, Some(BoardPrivacy::Secret));
        let account: Account = serde_json::from_str(r#"{"username":"u","account_type":["X"],"id":5}"#).unwrap();
        assert_eq!((account.username.as_deref(), account.account_type, account.id), (Some("u"), None, None));
        let pin: Pin = serde_json::from_str(r#"{"id":"1","title":{"a":1},"creative_type":"HOLOGRAM"}"#).unwrap();
        assert_eq!((pin.title, pin.creative_type.unwrap().as_str()), (None, "HOLOGRAM"));
    }

    #[test]
    fn a_time_without_a_zone_is_utc() {
        let zoned = parse_time("2026-11-24T08:00:00+00:00").unwrap();
        for text in ["2026-11-24T08:00:00", "2026-11-24T08:00:00Z", "2026-11-24T09:00:00+01:00", "2026-11-24 08:00:00"]
        {
            assert_eq!(parse_time(text), Some(zoned), "{text}");
        }
        assert_eq!(parse_time("yesterday"), None);
    }

    #[test]
    fn a_pin_of_the_description_reads() {
        let pin: Pin = serde_json::from_str(
            r##"{"id":"813744226420795884","created_at":"2020-01-01T20:10:40-00:00","link":null,"title":"t",
                "media":{"media_type":"video"},"board_id":"549755885175","board_section_id":null,"pin_metrics":{}}"##,
        )
        .unwrap();
        assert_eq!(pin.created_at, parse_time("2020-01-01T20:10:40Z"));
        assert_eq!((pin.link, pin.title.as_deref()), (None, Some("t")));
        assert_eq!(pin.board_id, "549755885175".parse().ok());
        let odd: Pin =
            serde_json::from_str(r#"{"id":"1","board_id":"x","board_section_id":7,"created_at":7}"#).unwrap();
        assert_eq!((odd.board_id, odd.board_section_id, odd.created_at), (None, None, None));
        assert!(serde_json::from_str::<Pin>(r#"{"id":1}"#).is_err());
    }
}
