//! The tokens that a client has had, the newest last. None goes before the client does, as any of them may still stand
//! in an answer and must not be told.

use std::sync::OnceLock;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::login::Login;
use crate::secret::AccessToken;

/// A token, and behind it the newer ones.
#[derive(Debug)]
pub(crate) struct Held {
    token: AccessToken,
    /// Whatever else must not be told.
    secrets: Vec<SecretString>,
    stale_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    newer: OnceLock<Box<Held>>,
}

impl Held {
    pub(crate) fn fixed(token: AccessToken) -> Self {
        Self { token, secrets: Vec::new(), stale_at: None, expires_at: None, newer: OnceLock::new() }
    }

    pub(crate) fn of(login: &Login) -> Self {
        Self {
            token: login.access_token.clone(),
            secrets: login.secrets().map(SecretString::from).collect(),
            stale_at: login.stale_at(),
            expires_at: login.expires_at(),
            newer: OnceLock::new(),
        }
    }

    pub(crate) const fn token(&self) -> &AccessToken {
        &self.token
    }

    pub(crate) fn is_stale(&self, now: Timestamp) -> bool {
        self.stale_at.is_some_and(|at| at <= now)
    }

    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    pub(crate) fn newest(&self) -> &Self {
        let mut held = self;
        while let Some(newer) = held.newer.get() {
            held = newer;
        }
        held
    }

    pub(crate) fn push(&self, newer: Self) {
        let mut newer = Box::new(newer);
        while let Err(back) = self.newest().newer.set(newer) {
            newer = back;
        }
    }

    /// Everything that must not be told.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let mut all = Vec::new();
        let mut next = Some(self);
        while let Some(held) = next {
            all.push(held.token.expose());
            all.extend(held.secrets.iter().map(SecretString::expose_secret));
            next = held.newer.get().map(AsRef::as_ref);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::endpoint::tests::login;

    #[test]
    fn the_newest_is_used_and_none_is_forgotten() {
        let held = Held::fixed(AccessToken::new("one").unwrap());
        held.push(Held::of(&login("two")));
        held.push(Held::of(&login("three")));
        assert_eq!(held.newest().token().expose(), "three");
        for secret in ["one", "two", "three", "pinr_PLANT", "PLANTsecret"] {
            assert!(held.secrets().contains(&secret), "{secret}");
        }
        assert!(!format!("{held:?}").contains("PLANT"), "{held:?}");
    }
}
