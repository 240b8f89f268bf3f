//! Words of the API: the enumerations of the OpenAPI description, in which a word that it does not have survives.

/// An enumeration whose unknown words survive, to JSON and back. It derefs to the word of the API.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$word_doc])* $variant,)+
            /// Anything else.
            Unknown(String),
        }

        impl $name {
            /// The word of the API.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Unknown(other) => other,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Unknown(text),
                }
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

words! {
    /// OpenAPI `MediaUploadStatus`.
    MediaUploadStatus {
        /// `registered`: no bytes yet.
        Registered = "registered",
        /// `processing`.
        Processing = "processing",
        /// `succeeded`: a Pin can be made of it.
        Succeeded = "succeeded",
        /// `failed`. No reason is ever given.
        Failed = "failed",
    }
}

impl Default for MediaUploadStatus {
    /// An answer without a status.
    fn default() -> Self {
        Self::Unknown(String::new())
    }
}

words! {
    /// OpenAPI `BoardPrivacy`.
    BoardPrivacy {
        /// `PUBLIC`: everybody sees it.
        Public = "PUBLIC",
        /// `PROTECTED`: nobody finds it; its Pins can be promoted.
        Protected = "PROTECTED",
        /// `SECRET`: its owner and those invited see it. Needs the `*_secret` scopes.
        Secret = "SECRET",
    }
}

words! {
    /// OpenAPI `Account.account_type`.
    AccountType {
        /// `PINNER`: a person's.
        Pinner = "PINNER",
        /// `BUSINESS`.
        Business = "BUSINESS",
    }
}

words! {
    /// OpenAPI `CreativeType`.
    CreativeType {
        /// `REGULAR`: a picture.
        Regular = "REGULAR",
        /// `VIDEO`.
        Video = "VIDEO",
        /// `SHOPPING`.
        Shopping = "SHOPPING",
        /// `CAROUSEL`.
        Carousel = "CAROUSEL",
        /// `MAX_VIDEO`: a video over two columns.
        MaxVideo = "MAX_VIDEO",
        /// `SHOP_THE_PIN`, deprecated for `COLLECTION`.
        ShopThePin = "SHOP_THE_PIN",
        /// `COLLECTION`.
        Collection = "COLLECTION",
        /// `IDEA`.
        Idea = "IDEA",
        /// `SHOWCASE`.
        Showcase = "SHOWCASE",
        /// `QUIZ`.
        Quiz = "QUIZ",
        /// `COLLAGE`.
        Collage = "COLLAGE",
        /// `MAX_WIDTH_REGULAR_COLLECTION`.
        MaxWidthRegularCollection = "MAX_WIDTH_REGULAR_COLLECTION",
        /// `MAX_WIDTH_VIDEO_COLLECTION`.
        MaxWidthVideoCollection = "MAX_WIDTH_VIDEO_COLLECTION",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn every_word_survives(word in "[A-Za-z_]{0,20}|registered|succeeded|SECRET|BUSINESS|MAX_VIDEO") {
            let json = serde_json::to_string(&word).unwrap();
            let back = [
                serde_json::to_string(&serde_json::from_str::<MediaUploadStatus>(&json).unwrap()).unwrap(),
                serde_json::to_string(&serde_json::from_str::<BoardPrivacy>(&json).unwrap()).unwrap(),
                serde_json::to_string(&serde_json::from_str::<AccountType>(&json).unwrap()).unwrap(),
                serde_json::to_string(&serde_json::from_str::<CreativeType>(&json).unwrap()).unwrap(),
            ];
            proptest::prop_assert!(back.iter().all(|back| *back == json), "{back:?}");
        }
    }

    #[test]
    fn known_words_are_known() {
        assert_eq!(MediaUploadStatus::from("failed".to_owned()), MediaUploadStatus::Failed);
        assert_eq!(BoardPrivacy::from("SECRET".to_owned()), BoardPrivacy::Secret);
        assert_eq!(AccountType::from("PINNER".to_owned()), AccountType::Pinner);
        assert_eq!(CreativeType::from("VIDEO".to_owned()), CreativeType::Video);
        let new = BoardPrivacy::from("LOCKED".to_owned());
        assert_eq!((new.to_string(), new.to_lowercase()), ("LOCKED".to_owned(), "locked".to_owned()));
    }
}
