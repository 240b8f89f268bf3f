//! Settling a Pin of unknown outcome by hand: what could be it, whether a named Pin may be taken for it, and the
//! states that follow.

use jiff::{SignedDuration, Timestamp};

use crate::client::Client;
use crate::draft::{Draft, Field};
use crate::error::PublishError;
use crate::id::{BoardId, BoardSectionId, PinId};
use crate::model::Pin;
use crate::state::PublishState;

/// What a Pin of unknown outcome was to be: enough to tell it from others on its board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoughtPin {
    /// The board that it was created on.
    pub board: BoardId,
    /// The section of that board.
    pub section: Option<BoardSectionId>,
    /// Its title.
    pub title: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Its link.
    pub link: Option<String>,
    /// Our clock just before `POST /pins`.
    pub attempted_at: Timestamp,
}

impl SoughtPin {
    /// The Pin that `draft` describes, asked for at that time.
    #[must_use]
    pub fn of(draft: &Draft, attempted_at: Timestamp) -> Self {
        Self {
            board: draft.board.clone(),
            section: draft.section.clone(),
            title: draft.title.clone(),
            description: draft.description.clone(),
            link: draft.link.clone(),
            attempted_at,
        }
    }

    /// The texts in which `pin` is another. Absent and empty are the same, and so are texts that differ in white
    /// space around them only: a server may trim.
    #[must_use]
    pub fn differences(&self, pin: &Pin) -> Vec<Field> {
        let same = |one: &Option<String>, other: &Option<String>| {
            one.as_deref().unwrap_or_default().trim() == other.as_deref().unwrap_or_default().trim()
        };
        [
            (Field::Title, same(&self.title, &pin.title)),
            (Field::Description, same(&self.description, &pin.description)),
            (Field::Link, same(&self.link, &pin.link)),
        ]
        .into_iter()
        .filter_map(|(field, same)| (!same).then_some(field))
        .collect()
    }

    /// Whether `pin` has these texts and was made since `since`. Without a time of creation it could be.
    pub(crate) fn could_be(&self, pin: &Pin, since: Timestamp) -> bool {
        pin.created_at.is_none_or(|created| created >= since) && self.differences(pin).is_empty()
    }
}

/// A Pin that a person takes for the one of unknown outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptablePin {
    /// The Pin, as Pinterest has it.
    pub pin: Pin,
    /// Where people see it.
    pub url: String,
    /// The texts in which it is another than was asked for. Somebody may have changed them since.
    pub differences: Vec<Field>,
}

impl Client {
    /// The Pins on the board that could be the one that is sought, by their texts and their time. One look; an answer
    /// just after the attempt may be early.
    ///
    /// # Errors
    /// When the board cannot be read.
    pub async fn candidates(&self, sought: &SoughtPin) -> Result<Vec<Pin>, PublishError> {
        let skew = SignedDuration::try_from(self.options().lookup.clock_skew).unwrap_or(SignedDuration::ZERO);
        let since = sought.attempted_at.checked_sub(skew).unwrap_or(Timestamp::MIN);
        let mut pins = self.pins(&sought.board, sought.section.as_ref()).await?;
        pins.retain(|pin| sought.could_be(pin, since));
        // A listing that changes while it is read shows a Pin on two pages.
        let mut seen = std::collections::BTreeSet::new();
        pins.retain(|pin| seen.insert(pin.id.clone()));
        Ok(pins)
    }

    /// Reads the Pin that a person names and checks that it is on the board and in the section.
    ///
    /// # Errors
    /// When there is no such Pin, it is elsewhere ([`PublishError::PinElsewhere`]), or the API cannot be asked.
    pub async fn adoptable(&self, sought: &SoughtPin, id: &PinId) -> Result<AdoptablePin, PublishError> {
        let pin = self.pin(id).await?;
        let on_board = pin.board_id.as_ref() == Some(&sought.board);
        let in_section = sought.section.is_none() || pin.board_section_id == sought.section;
        if !on_board || !in_section {
            return Err(PublishError::PinElsewhere { pin_id: id.clone(), board: sought.board.clone() });
        }
        let url = self.options().api_base.pin_url(id);
        Ok(AdoptablePin { differences: sought.differences(&pin), url, pin })
    }
}

impl PublishState {
    /// The state after a person's word that this Pin is the one: pinned. `None` when nothing is in doubt.
    #[must_use]
    pub fn adopting(&self, found: &AdoptablePin) -> Option<Self> {
        match self {
            Self::Intended { media_id, .. } | Self::Unknown { media_id, .. } => Some(Self::Pinned {
                media_id: media_id.clone(),
                pin_id: found.pin.id.clone(),
                url: found.url.clone(),
                adopted: true,
            }),
            _ => None,
        }
    }

    /// The state after a person's word that there is no such Pin: ready, so that the next `publish` creates it with an
    /// intent of its own. `None` when nothing is in doubt.
    #[must_use]
    pub fn resending(&self) -> Option<Self> {
        match self {
            Self::Intended { media_id, .. } | Self::Unknown { media_id, .. } => {
                Some(Self::Ready { media_id: media_id.clone() })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_time;

    fn sought() -> SoughtPin {
        SoughtPin {
            board: "7".parse().unwrap(),
            section: None,
            title: Some("Soup".to_owned()),
            description: Some(" hot ".to_owned()),
            link: None,
            attempted_at: parse_time("2026-11-24T08:00:00Z").unwrap(),
        }
    }

    fn pin(json: &str) -> Pin {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_match_has_the_same_texts_and_is_not_older() {
        let is = |json: &str| sought().could_be(&pin(json), sought().attempted_at);
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

    #[test]
    fn the_texts_that_differ_are_named() {
        let other = pin(r#"{"id":"1","title":"soup","description":"hot","link":"https://e.example"}"#);
        assert_eq!(sought().differences(&other), [Field::Title, Field::Link]);
    }

    #[test]
    fn only_what_is_in_doubt_can_be_settled() {
        let media_id: crate::MediaId = "12".parse().unwrap();
        let attempted_at = sought().attempted_at;
        let found = AdoptablePin { pin: pin(r#"{"id":"34"}"#), url: "u".to_owned(), differences: Vec::new() };
        for doubt in [
            PublishState::Intended { media_id: media_id.clone(), attempted_at },
            PublishState::Unknown { media_id: media_id.clone(), attempted_at, reason: "r".to_owned() },
        ] {
            assert_eq!(doubt.resending(), Some(PublishState::Ready { media_id: media_id.clone() }));
            let Some(PublishState::Pinned { pin_id, adopted: true, .. }) = doubt.adopting(&found) else { panic!() };
            assert_eq!(pin_id.as_str(), "34");
        }
        for settled in [PublishState::New, PublishState::Ready { media_id: media_id.clone() }] {
            assert_eq!((settled.resending(), settled.adopting(&found)), (None, None));
        }
    }
}
