//! What goes wrong on purpose, and when.

use std::collections::HashMap;

use axum::http::Method;
use serde::{Deserialize, Serialize};

/// A call, for saying where a fault strikes. In a script its name is in kebab case: `create-pin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// `GET /v5/user_account`.
    GetUserAccount,
    /// `GET /v5/boards`.
    ListBoards,
    /// `GET /v5/boards/{board_id}`.
    GetBoard,
    /// `GET /v5/boards/{board_id}/sections`.
    ListBoardSections,
    /// `GET /v5/boards/{board_id}/pins`, and the same of a section.
    ListBoardPins,
    /// `POST /v5/media`.
    RegisterMedia,
    /// `GET /v5/media/{media_id}`.
    GetMedia,
    /// `POST /v5/pins`.
    CreatePin,
    /// `GET /v5/pins/{pin_id}`.
    GetPin,
    /// The bytes, in either form.
    Upload,
    /// `POST /v5/oauth/token`.
    Token,
}

impl Call {
    /// The call that a request is, if it is one.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let parts: Vec<_> = path.trim_matches('/').split('/').collect();
        match (method.as_str(), parts.as_slice()) {
            ("GET", ["v5", "user_account"]) => Some(Self::GetUserAccount),
            ("GET", ["v5", "boards"]) => Some(Self::ListBoards),
            ("GET", ["v5", "boards", _]) => Some(Self::GetBoard),
            ("GET", ["v5", "boards", _, "sections"]) => Some(Self::ListBoardSections),
            ("GET", ["v5", "boards", _, "pins"] | ["v5", "boards", _, "sections", _, "pins"]) => {
                Some(Self::ListBoardPins)
            }
            ("POST", ["v5", "media"]) => Some(Self::RegisterMedia),
            ("GET", ["v5", "media", _]) => Some(Self::GetMedia),
            ("POST", ["v5", "pins"]) => Some(Self::CreatePin),
            ("GET", ["v5", "pins", _]) => Some(Self::GetPin),
            ("POST", ["v5", "oauth", "token"]) => Some(Self::Token),
            ("POST" | "PUT", ["upload", ..]) => Some(Self::Upload),
            _ => None,
        }
    }
}

/// What goes wrong. In a script its name is in kebab case: `"answer-lost"`, `{"cut-answer": {"after": 10}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[non_exhaustive]
pub enum Fault {
    /// HTTP 429 instead of an effect, with this `Retry-After` in seconds, and `x-ratelimit-reset` the same.
    RateLimited {
        /// Seconds; `None` leaves the header out, and the reset is 0.
        retry_after: Option<u64>,
    },
    /// HTTP 429 instead of an effect, with this `x-ratelimit-reset` alone, as Pinterest sends it.
    RateLimitedFor {
        /// Seconds.
        reset: u64,
    },
    /// HTTP 429 instead of an effect, with no header that tells of limits.
    RateLimitedBare,
    /// HTTP 429 instead of an effect, whose text speaks of spam.
    Spam,
    /// HTTP 401 instead of an effect.
    Unauthorized,
    /// HTTP 500 instead of an effect.
    ErrorBeforeEffect,
    /// HTTP 307 to this address instead of an effect.
    Redirect {
        /// The address.
        to: String,
    },
    /// HTTP 500 after the effect.
    ErrorAfterEffect,
    /// The effect, then the connection is closed without a byte of an answer.
    AnswerLost,
    /// The connection is closed before anything is done.
    ConnectionLost,
    /// The connection is closed once so many bytes of the request's body have come; a shorter one comes whole.
    CutRequest {
        /// Bytes.
        after: u64,
    },
    /// The effect, then so many bytes of the answer, its head included, and no more.
    CutAnswer {
        /// Bytes.
        after: u64,
    },
    /// A pause before each piece of the request's body that is read, and before each eighth of the answer's.
    Slow {
        /// Milliseconds.
        pause: u64,
    },
    /// On [`Call::CreatePin`]: this Pin is left out of so many listings of its board.
    ListedLate {
        /// Listings.
        looks: u32,
    },
    /// On [`Call::ListBoardPins`]: every Pin is there twice.
    ListedTwice,
    /// On [`Call::RegisterMedia`]: this upload will be `processing` for ever.
    StuckProcessing,
    /// On [`Call::RegisterMedia`]: this upload will be `failed`, whatever it holds.
    ProcessingFails,
    /// On [`Call::RegisterMedia`]: this upload's form has expired already.
    FormExpired,
    /// On [`Call::GetMedia`]: this word as the status.
    Status(String),
    /// This body as JSON with HTTP 200 instead of an answer, after the effect.
    Body(String),
}

/// A fault and the place where it strikes. Several may strike the same call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The call.
    pub call: Call,
    /// Which of its occurrences, from 1; `None` strikes every time.
    #[serde(default)]
    pub occurrence: Option<u32>,
    /// What goes wrong.
    pub fault: Fault,
}

impl FaultRule {
    /// Strikes once, on the given occurrence of `call`, counted from 1.
    #[must_use]
    pub const fn nth(call: Call, occurrence: u32, fault: Fault) -> Self {
        Self { call, occurrence: Some(occurrence), fault }
    }

    /// Strikes every time.
    #[must_use]
    pub const fn always(call: Call, fault: Fault) -> Self {
        Self { call, occurrence: None, fault }
    }
}

/// The rules, and how often each call has come.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<FaultRule>,
    seen: HashMap<Call, u32>,
}

impl Faults {
    pub(crate) fn new(rules: Vec<FaultRule>) -> Self {
        Self { rules, seen: HashMap::new() }
    }

    /// Counts an occurrence of `call` and tells what goes wrong with it.
    pub(crate) fn strike(&mut self, call: Call) -> Struck {
        let seen = self.seen.entry(call).or_default();
        *seen += 1;
        let now = *seen;
        let strikes = |rule: &&FaultRule| rule.call == call && rule.occurrence.is_none_or(|nth| nth == now);
        Struck(self.rules.iter().filter(strikes).map(|rule| rule.fault.clone()).collect())
    }
}

/// What goes wrong with one request, in the order of the rules. Most have nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Struck(Vec<Fault>);

impl Struck {
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }

    pub(crate) fn has(&self, fault: &Fault) -> bool {
        self.0.contains(fault)
    }

    /// What the first fault of a kind says.
    pub(crate) fn find<T>(&self, kind: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_on_its_occurrence_alone() {
        let mut faults = Faults::new(vec![
            FaultRule::nth(Call::CreatePin, 2, Fault::Spam),
            FaultRule::nth(Call::CreatePin, 2, Fault::ListedTwice),
            FaultRule::always(Call::GetMedia, Fault::ErrorBeforeEffect),
        ]);
        let pins: Vec<_> = (0..3).map(|_| faults.strike(Call::CreatePin).0).collect();
        assert_eq!(pins, [vec![], vec![Fault::Spam, Fault::ListedTwice], vec![]]);
        for _ in 0..2 {
            assert!(faults.strike(Call::GetMedia).has(&Fault::ErrorBeforeEffect));
        }
    }

    #[test]
    fn calls_are_told_by_method_and_path() {
        let of = |method: &str, path: &str| Call::of(&method.parse().unwrap(), path);
        assert_eq!(of("POST", "/v5/pins"), Some(Call::CreatePin));
        assert_eq!(of("GET", "/v5/pins/1"), Some(Call::GetPin));
        assert_eq!(of("GET", "/v5/boards/1/sections/2/pins"), Some(Call::ListBoardPins));
        assert_eq!(of("PUT", "/upload/1"), Some(Call::Upload));
        assert_eq!(of("DELETE", "/v5/pins/1"), None);
    }
}
