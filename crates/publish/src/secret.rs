//! What must never be read by anyone but Pinterest: the access token, the upload form, and the bodies they could be
//! echoed in.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use url::Url;

/// The bearer token of the API. It goes into the `Authorization` header of calls to [`crate::ApiBase`] and nowhere
/// else.
#[derive(Clone)]
pub struct AccessToken(SecretString);

impl AccessToken {
    /// Takes a token as the user's environment or store holds it; white space around it is dropped.
    ///
    /// # Errors
    /// When nothing is left, or it holds a character that no HTTP header can.
    pub fn new(token: &str) -> Result<Self, NotAToken> {
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NotAToken);
        }
        Ok(Self(SecretString::from(token)))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(REDACTED)")
    }
}

/// A token that no header can carry. The text is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an access token: it is empty or holds spaces or control characters: copy it again")]
pub struct NotAToken;

/// OpenAPI `MediaUpload.upload_url`. Its path and query may sign the upload, so only the host is ever shown.
#[derive(Clone)]
pub struct UploadUrl(SecretString, String);

impl UploadUrl {
    /// Takes an address that bytes may be sent to: `https`, or anything on this machine itself.
    ///
    /// # Errors
    /// When it is no URL, or would carry the video in the clear.
    pub fn new(text: &str) -> Result<Self, NotAnUploadUrl> {
        let url = Url::parse(text).map_err(|_| NotAnUploadUrl { host: "(no URL)".to_owned() })?;
        let host = url.host_str().unwrap_or("(no host)").to_owned();
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            _ => return Err(NotAnUploadUrl { host }),
        }
        Ok(Self(SecretString::from(text), host))
    }

    /// The host, for people.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.1
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for UploadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UploadUrl({}/REDACTED)", self.1)
    }
}

/// An `upload_url` that video bytes must not be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer's upload_url is not https: nothing was sent there: host {host}")]
pub struct NotAnUploadUrl {
    /// The host, without the rest.
    pub host: String,
}

/// OpenAPI `MediaUploadParameters`: the text fields of the upload form, in the order of the answer. The policy, the
/// security token and the signature among them let anyone upload in this account's name.
#[derive(Clone, Default)]
pub struct UploadParameters(Vec<(String, SecretString)>);

impl UploadParameters {
    /// The pairs, to be sent as they are.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.expose_secret()))
    }

    /// Whether there is no pair at all, which is the card's form.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for UploadParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, _)| (name, "REDACTED"))).finish()
    }
}

impl<'de> Deserialize<'de> for UploadParameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = UploadParameters;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UploadParameters, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Option<String>>()? {
                    if let Some(value) = value {
                        pairs.push((name, SecretString::from(value)));
                    }
                }
                Ok(UploadParameters(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// Whether the host is this machine itself, by its address or by the name `localhost` (RFC 6761 §6.3).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// How much of a body an error keeps, in characters.
const KEPT_CHARS: usize = 2_000;
/// A run of base64, hexadecimal or URL characters of this length could be a secret; words and ids are shorter, and
/// runs of digits alone are ids.
const LONG_RUN: usize = 20;

/// What may be kept of a body: at most 2,000 characters, without control characters, `known` secrets, and anything
/// that looks like one.
pub(crate) fn without_secrets(body: &str, known: &[&str]) -> String {
    let mut text = body.to_owned();
    for secret in known.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "REDACTED");
    }
    let mut kept = String::new();
    let mut run = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-' | '%') {
            run.push(c);
        } else {
            push_run(&mut kept, &mut run);
            kept.push(if c.is_control() { ' ' } else { c });
        }
        if kept.chars().count() >= KEPT_CHARS {
            kept.push('…');
            return kept;
        }
    }
    push_run(&mut kept, &mut run);
    kept
}

fn push_run(kept: &mut String, run: &mut String) {
    let only_digits = run.bytes().all(|byte| byte.is_ascii_digit());
    if run.len() >= LONG_RUN && !only_digits {
        kept.push_str("REDACTED");
    } else {
        kept.push_str(run);
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let token = AccessToken::new(" pina_PLANTED ").unwrap();
        let url = UploadUrl::new("https://s3.example/PLANTED/x?sig=PLANTED").unwrap();
        let parameters: UploadParameters = serde_json::from_str(r#"{"key":"PLANTED","policy":"PLANTED"}"#).unwrap();
        let shown = format!("{token:?} {url:?} {parameters:?}");
        assert!(!shown.contains("PLANTED"), "{shown}");
        assert!(shown.contains("s3.example") && shown.contains("policy"), "{shown}");
        assert_eq!(token.expose(), "pina_PLANTED");
    }

    #[test]
    fn a_token_that_breaks_a_header_is_refused_and_not_told() {
        for bad in ["", "  ", "PLANTED token", "PLANTED\r\nx: y", "PLÄNTED"] {
            let error = AccessToken::new(bad).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("PL"), "{error}");
        }
    }

    #[test]
    fn the_upload_goes_to_https_or_to_this_machine() {
        for good in ["https://s3.example/", "http://127.0.0.1:9/u", "http://localhost/u", "http://[::1]:9/"] {
            assert!(UploadUrl::new(good).is_ok(), "{good}");
        }
        for bad in ["http://s3.example/", "http://127.0.0.1.example/", "ftp://127.0.0.1/", "file:///etc/passwd", "x"] {
            assert!(UploadUrl::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_form_keeps_its_order() {
        let parameters: UploadParameters =
            serde_json::from_str(r#"{"x-amz-date":"d","Content-Type":"c","key":"k","none":null,"a":"b"}"#).unwrap();
        let names: Vec<_> = parameters.pairs().map(|(name, _)| name).collect();
        assert_eq!(names, ["x-amz-date", "Content-Type", "key", "a"]);
    }

    #[test]
    fn a_kept_body_is_short_and_has_no_secret() {
        let body = format!(
            r#"{{"token":"pinaX","policy":"eyJleHBpcmF0aW9uIjoiMjAyNiJ9","id":"5212123920968240771234","m":"too long"}} {}"#,
            "é ".repeat(9_000)
        );
        let kept = without_secrets(&body, &["pinaX"]);
        assert!(!kept.contains("pinaX") && !kept.contains("eyJleHB"), "{kept}");
        assert!(kept.contains("5212123920968240771234") && kept.contains("too long"), "{kept}");
        assert!(kept.chars().count() <= KEPT_CHARS + LONG_RUN);
    }

    proptest::proptest! {
        #[test]
        fn a_secret_is_never_kept_wherever_it_stands(
            secret in "[A-Za-z0-9+/_-]{8,80}", before in ".{0,40}", after in ".{0,40}",
        ) {
            let kept = without_secrets(&format!("{before}{secret}{after}"), &[&secret]);
            proptest::prop_assert!(!kept.contains(&secret), "{kept}");
            // Unknown ones go by their length, digits alone apart.
            if secret.len() >= LONG_RUN && secret.bytes().any(|byte| !byte.is_ascii_digit()) {
                let kept = without_secrets(&format!("{before} {secret} {after}"), &[]);
                proptest::prop_assert!(!kept.contains(&secret), "{kept}");
            }
        }
    }
}
