//! Where the API is: production, the sandbox, or a rehearsal on loopback.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::error::PublishError;
use crate::id::PinId;
use crate::secret::is_loopback;

/// The base URL of the API, `/v5` included. The access token goes there and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiBase {
    /// Scheme, host, port and path, without a slash at the end.
    base: String,
    /// Scheme, host and port.
    origin: String,
    loopback: bool,
}

impl ApiBase {
    /// The address of a call: `path` is made of fixed words and of ids, which are digits.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    /// Whether it is on this machine.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Where people are asked for their consent: on pinterest.com, or at the same loopback server.
    pub(crate) fn authorize_page(&self) -> String {
        let origin = if self.loopback { self.origin.as_str() } else { "https://www.pinterest.com" };
        format!("{origin}/oauth/")
    }

    /// Where people see a Pin: on pinterest.com, or at the same loopback server.
    #[must_use]
    pub fn pin_url(&self, pin: &PinId) -> String {
        let origin = if self.loopback { self.origin.as_str() } else { "https://www.pinterest.com" };
        format!("{origin}/pin/{pin}/")
    }
}

impl Default for ApiBase {
    /// Production.
    fn default() -> Self {
        let origin = "https://api.pinterest.com".to_owned();
        Self { base: format!("{origin}/v5"), origin, loopback: false }
    }
}

impl FromStr for ApiBase {
    type Err = PublishError;

    fn from_str(text: &str) -> Result<Self, PublishError> {
        let bad = |reason| PublishError::ApiBase { reason };
        let url = Url::parse(text).map_err(|_| bad("it is no address"))?;
        let loopback = is_loopback(&url);
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(bad("the token may only go over https")),
            _ => return Err(bad("it is not https")),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(bad("it has no host"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(bad("it has a user, a query or a fragment"));
        }
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { base, origin: url.origin().ascii_serialization(), loopback })
    }
}

impl fmt::Display for ApiBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_production() {
        assert_eq!(ApiBase::default().to_string(), "https://api.pinterest.com/v5");
        assert_eq!("https://api.pinterest.com/v5/".parse::<ApiBase>().unwrap(), ApiBase::default());
        let pin: PinId = "99".parse().unwrap();
        assert_eq!(ApiBase::default().pin_url(&pin), "https://www.pinterest.com/pin/99/");
    }

    #[test]
    fn calls_keep_the_version() {
        for base in ["http://127.0.0.1:8/v5", "http://127.0.0.1:8/v5/"] {
            let base: ApiBase = base.parse().unwrap();
            assert_eq!(base.join("boards/1/pins"), "http://127.0.0.1:8/v5/boards/1/pins");
            assert_eq!(base.pin_url(&"9".parse().unwrap()), "http://127.0.0.1:8/pin/9/");
        }
        let bare: ApiBase = "http://[::1]:8".parse().unwrap();
        assert_eq!(bare.join("media"), "http://[::1]:8/media");
    }

    #[test]
    fn the_token_never_goes_in_the_clear() {
        for bad in [
            "http://api.pinterest.com/v5",
            "http://127.0.0.1.evil.example/v5",
            "ftp://x/",
            "v5",
            "https://u:p@x/v5",
            "https://x/v5?a",
        ] {
            assert!(matches!(bad.parse::<ApiBase>(), Err(PublishError::ApiBase { .. })), "{bad}");
        }
    }
}
