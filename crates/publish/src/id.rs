//! Pinterest's ids: strings of digits (OpenAPI `pattern: ^\d+$`). A JSON number is refused in both directions, as
//! these ids are longer than a double keeps exact.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {what}: Pinterest's ids are digits only, not {text:?}")]
pub struct NotAnId {
    /// What was wanted: `board id`.
    pub what: &'static str,
    /// What was given, at most 40 characters of it.
    pub text: String,
}

fn digits(text: &str, what: &'static str) -> Result<String, NotAnId> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotAnId { what, text: text.chars().take(40).collect() });
    }
    Ok(text.to_owned())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                digits(text, $what).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id! {
    /// OpenAPI `media_id`: unique identifier for a media upload, used to track its status and for attaching during
    /// Pin creation.
    MediaId, "media id"
}
id! {
    /// OpenAPI `Pin.id`.
    PinId, "Pin id"
}
id! {
    /// OpenAPI `Board.id`.
    BoardId, "board id"
}
id! {
    /// OpenAPI `BoardSection.id`.
    BoardSectionId, "board section id"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_digits_and_a_json_string() {
        let id: MediaId = serde_json::from_str("\"5212123920968240771\"").unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"5212123920968240771\"");
        assert!(serde_json::from_str::<MediaId>("5212123920968240771").is_err(), "a number");
        for bad in ["\"\"", "\"12a\"", "\"-1\"", "\"١٢\"", "null"] {
            assert!(serde_json::from_str::<MediaId>(bad).is_err(), "{bad}");
        }
    }
}
