//! The tokens of one account, and how long they are good for.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize};

use super::app::AppCredentials;
use super::scopes::Scopes;
use super::store::Garbled;
use crate::secret::AccessToken;

/// A token with less than this left is refreshed before it is used, or with less than a tenth of its life.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// The tokens of one account with what refreshing them needs. A [`super::TokenStore`] keeps it.
#[derive(Clone)]
pub struct Login {
    pub(crate) app: AppCredentials,
    pub(crate) access_token: AccessToken,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) refresh_token: Option<SecretString>,
    pub(crate) refresh_expires_at: Option<Timestamp>,
    pub(crate) scopes: Option<Scopes>,
}

impl Login {
    /// The app that the tokens were given to.
    #[must_use]
    pub const fn app(&self) -> &AppCredentials {
        &self.app
    }

    /// When the access token ends. `None` when Pinterest did not say.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// When the login ends unless it is used before. `None` when Pinterest did not say, or gave no refresh token.
    #[must_use]
    pub const fn refresh_expires_at(&self) -> Option<Timestamp> {
        self.refresh_expires_at
    }

    /// What the tokens may do. `None` when Pinterest did not say.
    #[must_use]
    pub const fn scopes(&self) -> Option<&Scopes> {
        self.scopes.as_ref()
    }

    /// Whether a new access token can be had without the user.
    #[must_use]
    pub fn is_refreshable(&self, now: Timestamp) -> bool {
        self.refresh_token.is_some() && self.refresh_expires_at.is_none_or(|end| now < end)
    }

    /// Whether the access token is past its end.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// From when on the access token is refreshed before it is used. `None` for one without an end.
    pub(crate) fn stale_at(&self) -> Option<Timestamp> {
        let end = self.expires_at?;
        let tenth = end.duration_since(self.issued_at) / 10;
        end.checked_sub(AHEAD.min(tenth.max(SignedDuration::ZERO))).ok()
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let refresh = self.refresh_token.as_ref().map(SecretString::expose_secret);
        [self.access_token.expose(), self.app.expose_secret()].into_iter().chain(refresh)
    }

    /// As a store keeps it. Nothing else may see it.
    pub(crate) fn to_stored(&self) -> StoredLogin {
        let secret = |secret: &str| secret.to_owned();
        StoredLogin {
            app_id: self.app.id().to_owned(),
            app_secret: secret(self.app.expose_secret()),
            access_token: secret(self.access_token.expose()),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            refresh_token: self.refresh_token.as_ref().map(|token| secret(token.expose_secret())),
            refresh_expires_at: self.refresh_expires_at,
            scopes: self.scopes.clone(),
        }
    }

    pub(crate) fn from_stored(stored: &StoredLogin) -> Result<Self, Garbled> {
        Ok(Self {
            app: AppCredentials::new(&stored.app_id, &stored.app_secret).map_err(|_| Garbled)?,
            access_token: AccessToken::new(&stored.access_token).map_err(|_| Garbled)?,
            issued_at: stored.issued_at,
            expires_at: stored.expires_at,
            refresh_token: stored.refresh_token.clone().map(SecretString::from),
            refresh_expires_at: stored.refresh_expires_at,
            scopes: stored.scopes.clone(),
        })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("app", &self.app)
            .field("access_token", &self.access_token)
            .field("expires_at", &self.expires_at)
            .field("refresh_expires_at", &self.refresh_expires_at)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// [`Login`] in a store. Not `Debug`: everything in it is secret.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredLogin {
    app_id: String,
    app_secret: String,
    access_token: String,
    issued_at: Timestamp,
    expires_at: Option<Timestamp>,
    refresh_token: Option<String>,
    refresh_expires_at: Option<Timestamp>,
    scopes: Option<Scopes>,
}

/// The answer of the token endpoint. All but the token itself may be missing, or be written as a text. Not `Debug`:
/// everything in it is secret.
#[derive(Deserialize)]
pub(crate) struct TokenAnswer {
    access_token: String,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<i64>,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    refresh_token_expires_in: Option<i64>,
    /// Seconds since 1970.
    #[serde(default, deserialize_with = "seconds")]
    refresh_token_expires_at: Option<i64>,
    #[serde(default)]
    scope: Option<String>,
}

impl TokenAnswer {
    /// The login it makes at `now`; what it does not say of refreshing and scopes stays as it was `before`.
    pub(crate) fn into_login(
        self,
        app: &AppCredentials,
        now: Timestamp,
        before: Option<&Login>,
    ) -> Result<Login, crate::secret::NotAToken> {
        // Nobody needs fractions of a second, and everybody would have to read them.
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let after = |seconds: i64| now.checked_add(SignedDuration::from_secs(seconds)).ok();
        let refresh = self.refresh_token.filter(|token| !token.is_empty());
        let (refresh_token, refresh_expires_at) = match (refresh, before) {
            (None, Some(before)) => (before.refresh_token.clone(), before.refresh_expires_at),
            (refresh, _) => {
                let at = self.refresh_token_expires_at.and_then(|at| Timestamp::from_second(at).ok());
                let end = self.refresh_token_expires_in.and_then(after).or(at);
                (refresh.map(SecretString::from), end)
            }
        };
        let told =
            self.scope.as_deref().and_then(|scope| scope.parse().ok()).filter(|scopes: &Scopes| !scopes.is_empty());
        Ok(Login {
            app: app.clone(),
            access_token: AccessToken::new(&self.access_token)?,
            issued_at: now,
            expires_at: self.expires_in.and_then(after),
            refresh_token,
            refresh_expires_at,
            scopes: told.or_else(|| before.and_then(|before| before.scopes.clone())),
        })
    }
}

/// A positive number, also one that is written as a text; `None` for anything else.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Number(number) => number.as_i64(),
        serde_json::Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    Ok(number.filter(|number| *number > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_time;

    fn now() -> Timestamp {
        parse_time("2026-11-30T12:00:00Z").unwrap()
    }

    fn app() -> AppCredentials {
        AppCredentials::new("1490", "PLANTsecret").unwrap()
    }

    fn answered(json: &str, before: Option<&Login>) -> Login {
        serde_json::from_str::<TokenAnswer>(json).unwrap().into_login(&app(), now(), before).unwrap()
    }

    #[test]
    fn the_answer_says_how_long_everything_is_good_for() {
        let login = answered(
            r#"{"access_token":"pina_PLANT","token_type":"bearer","expires_in":2592000,"response_type":"authorization_code",
                "refresh_token":"pinr_PLANT","refresh_token_expires_in":5184000,"refresh_token_expires_at":1,
                "scope":"boards:read pins:write"}"#,
            None,
        );
        assert_eq!(login.expires_at(), parse_time("2026-12-30T12:00:00Z"));
        assert_eq!(login.refresh_expires_at(), parse_time("2027-01-29T12:00:00Z"));
        assert_eq!(login.scopes().unwrap().to_string(), "boards:read,pins:write");
        assert!(!format!("{login:?}").contains("PLANT"), "{login:?}");
        assert_eq!(login.secrets().collect::<Vec<_>>(), ["pina_PLANT", "PLANTsecret", "pinr_PLANT"]);
    }

    #[test]
    fn an_answer_may_say_little() {
        let bare = answered(r#"{"access_token":"a"}"#, None);
        assert_eq!((bare.expires_at(), bare.refresh_expires_at(), bare.scopes()), (None, None, None));
        assert!(!bare.is_refreshable(now()) && !bare.is_expired(now()) && bare.stale_at().is_none());
        let odd = answered(
            r#"{"access_token":"a","expires_in":"60","refresh_token":"r","refresh_token_expires_at":1798718400,"scope":null}"#,
            None,
        );
        assert_eq!(odd.expires_at(), parse_time("2026-11-30T12:01:00Z"));
        assert_eq!(odd.refresh_expires_at(), parse_time("2026-12-31T12:00:00Z"));
        let none = answered(r#"{"access_token":"a","expires_in":-1,"refresh_token_expires_in":[],"scope":""}"#, None);
        assert_eq!((none.expires_at(), none.refresh_expires_at(), none.scopes()), (None, None, None));
        assert!(serde_json::from_str::<TokenAnswer>(r#"{"expires_in":1}"#).is_err());
    }

    #[test]
    fn a_refresh_that_brings_no_new_refresh_token_keeps_the_old_one() {
        let before =
            answered(r#"{"access_token":"a","refresh_token":"r","refresh_token_expires_in":9,"scope":"x"}"#, None);
        let kept = answered(r#"{"access_token":"b","refresh_token_expires_in":99}"#, Some(&before));
        assert_eq!(kept.secrets().collect::<Vec<_>>(), ["b", "PLANTsecret", "r"]);
        assert_eq!((kept.refresh_expires_at(), kept.scopes()), (before.refresh_expires_at(), before.scopes()));
        let rotated = answered(r#"{"access_token":"b","refresh_token":"s"}"#, Some(&before));
        assert_eq!(rotated.secrets().last(), Some("s"));
        assert_eq!(rotated.refresh_expires_at(), None, "the end of the old one is not that of the new one");
    }

    #[test]
    fn a_token_is_stale_ten_minutes_or_a_tenth_of_its_life_before_its_end() {
        let left = |seconds: i64| {
            let login = answered(&format!(r#"{{"access_token":"a","expires_in":{seconds}}}"#), None);
            login.expires_at().unwrap().duration_since(login.stale_at().unwrap()).as_secs()
        };
        assert_eq!(left(2_592_000), 600);
        assert_eq!(left(6_000), 600);
        assert_eq!(left(60), 6);
        assert_eq!(left(1), 0);
    }

    #[test]
    fn a_login_survives_its_store() {
        let login = answered(r#"{"access_token":"a","refresh_token":"r","expires_in":9,"scope":"x"}"#, None);
        let text = serde_json::to_string(&login.to_stored()).unwrap();
        let again = Login::from_stored(&serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(serde_json::to_string(&again.to_stored()).unwrap(), text);
        let broken = text.replace("\"a\"", "\"\"");
        assert!(Login::from_stored(&serde_json::from_str(&broken).unwrap()).is_err());
    }
}
