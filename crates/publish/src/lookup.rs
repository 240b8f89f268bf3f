//! After an unknown outcome of `POST /pins`: which Pin on the board is the one that was asked for.

use jiff::{SignedDuration, Timestamp};

use crate::client::Client;
use crate::draft::Draft;
use crate::error::PublishError;
use crate::id::PinId;
use crate::model::Pin;
use crate::state::{Checkpoint, Observer, Waiting};

/// What a look at the board tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    /// No Pin could be it.
    None,
    /// One could, and no other.
    One(PinId),
    /// Any of these could.
    Several(usize),
}

/// Looks at the board until a Pin turns up or the looks are used up.
pub(crate) async fn look_up(
    client: &Client,
    draft: &Draft,
    attempted_at: Timestamp,
    checkpoint: &dyn Checkpoint,
    observer: &dyn Observer,
) -> Result<Look, PublishError> {
    let policy = client.options().lookup;
    let skew = SignedDuration::try_from(policy.clock_skew).unwrap_or(SignedDuration::ZERO);
    let since = attempted_at.checked_sub(skew).unwrap_or(Timestamp::MIN);
    let mut look = Look::None;
    for round in 0..policy.looks.max(1) {
        if round > 0 {
            observer.waiting(&Waiting::Lookup { delay: policy.delay });
            tokio::time::sleep(policy.delay).await;
        }
        let pins = client.pins(&draft.board, draft.section.as_ref()).await?;
        let candidates: Vec<_> = pins
            .into_iter()
            .filter(|pin| could_be(pin, draft, since) && !checkpoint.belongs_to_another(&pin.id))
            .collect();
        look = match candidates.as_slice() {
            [] => Look::None,
            [one] => Look::One(one.id.clone()),
            several => Look::Several(several.len()),
        };
        if look != Look::None {
            break;
        }
    }
    Ok(look)
}

/// Whether `pin` has the texts of `draft` and was made since then. Without a time of creation it could be.
fn could_be(pin: &Pin, draft: &Draft, since: Timestamp) -> bool {
    pin.created_at.is_none_or(|created| created >= since)
        && same(pin.title.as_deref(), draft.title.as_deref())
        && same(pin.description.as_deref(), draft.description.as_deref())
        && same(pin.link.as_deref(), draft.link.as_deref())
}

/// Absent and empty are the same, and so are texts that differ in white space around them only: a server may trim.
fn same(one: Option<&str>, other: Option<&str>) -> bool {
    one.unwrap_or_default().trim() == other.unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cover::{CoverAs, CoverSource};
    use crate::{PinDraft, parse_time};

    fn draft() -> Draft {
        PinDraft {
            title: Some("Soup".to_owned()),
            description: Some(" hot ".to_owned()),
            cover: CoverSource::Url("https://e.example/c.jpg".to_owned()),
            cover_as: CoverAs::Url,
            ..PinDraft::new("a.mp4", "7")
        }
        .settle("7".parse().unwrap(), None, None)
        .unwrap()
    }

    fn pin(json: &str) -> Pin {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_match_has_the_same_texts_and_is_not_older() {
        let since = parse_time("2026-11-24T08:00:00Z").unwrap();
        let is = |json: &str| could_be(&pin(json), &draft(), since);
        assert!(is(r#"{"id":"1","title":"Soup","description":"hot","link":null,"created_at":"2026-11-24T08:00:00"}"#));
        assert!(is(r#"{"id":"1","title":"Soup","description":"hot","link":""}"#), "a Pin of unknown time could be it");
        for other in [
            r#"{"id":"1","title":"Soup","description":"hot","created_at":"2026-11-24T07:59:59"}"#,
            r#"{"id":"1","title":"soup","description":"hot"}"#,
            r#"{"id":"1","title":"Soup"}"#,
            r#"{"id":"1","title":"Soup","description":"hot","link":"https://e.example"}"#,
        ] {
            assert!(!is(other), "{other}");
        }
    }
}
