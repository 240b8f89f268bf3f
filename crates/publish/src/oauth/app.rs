//! Which app asks: its id and its secret, as Pinterest's developer page shows them.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// The id and the secret of an app. The secret goes to the token endpoint and nowhere else.
#[derive(Clone)]
pub struct AppCredentials {
    id: String,
    secret: SecretString,
}

impl AppCredentials {
    /// Takes both as the user's environment holds them; white space around them is dropped.
    ///
    /// # Errors
    /// When either is empty, or holds what HTTP Basic authentication cannot carry.
    pub fn new(id: &str, secret: &str) -> Result<Self, NotAppCredentials> {
        let (id, secret) = (id.trim(), secret.trim());
        let fits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        // RFC 7617 §2: the first colon ends the user.
        if !fits(id) || id.contains(':') {
            return Err(NotAppCredentials { what: "id" });
        }
        if !fits(secret) {
            return Err(NotAppCredentials { what: "secret" });
        }
        Ok(Self { id: id.to_owned(), secret: SecretString::from(secret) })
    }

    /// The app's id, which is no secret.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn expose_secret(&self) -> &str {
        self.secret.expose_secret()
    }
}

impl fmt::Debug for AppCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppCredentials({}, REDACTED)", self.id)
    }
}

/// An id or a secret that cannot be one. The text is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an app {what}: it is empty or holds spaces, colons or control characters: copy it again")]
pub struct NotAppCredentials {
    /// `id` or `secret`.
    pub what: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_basic_authentication_cannot_carry_is_refused_and_not_told() {
        let good = AppCredentials::new(" 1490 ", " PLANT:ed ").unwrap();
        assert_eq!((good.id(), good.expose_secret()), ("1490", "PLANT:ed"));
        assert!(!format!("{good:?}").contains("PLANT"));
        for (id, secret, what) in
            [("", "s", "id"), ("PLANT:x", "s", "id"), ("1", "", "secret"), ("1", "PLANT\r\nx", "secret")]
        {
            let error = AppCredentials::new(id, secret).unwrap_err();
            assert_eq!(error.what, what);
            assert!(!format!("{error} {error:?}").contains("PLANT"), "{error}");
        }
    }
}
