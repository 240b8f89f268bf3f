//! The question that the browser puts to the user, and the answer it comes back with.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use url::Url;

use super::app::AppCredentials;
use super::scopes::Scopes;
use crate::api_base::ApiBase;
use crate::secret::{is_loopback, without_secrets};

/// The port of [`RedirectUri::default`]: what Pinterest's own sample registers.
const PORT: u16 = 8085;

/// Where the browser is sent with the answer: an address of this machine, registered with the app letter by letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    port: u16,
}

impl RedirectUri {
    /// `http://localhost:PORT/`.
    #[must_use]
    pub fn on_port(port: u16) -> Self {
        Self { text: format!("http://localhost:{port}/"), port }
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The address, as it is registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Default for RedirectUri {
    /// `http://localhost:8085/`.
    fn default() -> Self {
        Self::on_port(PORT)
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// A word that nobody else knows: an answer without it is not the answer to our question.
#[derive(Clone)]
pub struct State(SecretString);

impl State {
    /// A new one, of 256 random bits.
    #[must_use]
    pub fn random() -> Self {
        Self(SecretString::from(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())))
    }

    /// Whether `other` is the same. The time it takes does not tell how much of it is.
    pub(crate) fn is(&self, other: &str) -> bool {
        self.0.expose_secret().as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State(REDACTED)")
    }
}

/// The address that the browser opens: Pinterest's page, or that of a rehearsal on loopback.
#[must_use]
pub fn authorize_url(
    api_base: &ApiBase,
    app: &AppCredentials,
    redirect_uri: &RedirectUri,
    scopes: &Scopes,
    state: &State,
) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", app.id())
        .append_pair("redirect_uri", redirect_uri.as_str())
        .append_pair("response_type", "code")
        .append_pair("scope", &scopes.to_string())
        .append_pair("state", state.0.expose_secret())
        .finish();
    format!("{}?{query}", api_base.authorize_page())
}

/// What the user's consent is worth: tokens, once, for minutes.
#[derive(Clone)]
pub struct AuthorizationCode(SecretString);

impl AuthorizationCode {
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Reads what a user pasted: the whole address that the browser was sent to, or its code alone.
    ///
    /// # Errors
    /// When there is no code in it, the state is another one, or the user declined.
    pub fn from_pasted(text: &str, state: &State) -> Result<Self, AnswerError> {
        let text = text.trim();
        if let Ok(url) = Url::parse(text)
            && is_loopback(&url)
        {
            return Self::from_query(url.query().unwrap_or_default(), state);
        }
        if text.contains("code=") || text.contains("error=") {
            let query = text.split_once('?').map_or(text, |(_, query)| query);
            return Self::from_query(query, state);
        }
        // A code alone comes from the user's own hand, so there is no state to ask for.
        Self::new(text)
    }

    /// Reads the query that the browser was sent back with.
    ///
    /// # Errors
    /// When the state is missing or another one, the user declined, or there is no code.
    pub(crate) fn from_query(query: &str, state: &State) -> Result<Self, AnswerError> {
        let (mut code, mut told, mut refused, mut why) = (None, None, None, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "code" => code = Some(value),
                "state" => told = Some(value),
                "error" => refused = Some(value),
                "error_description" => why = Some(value),
                _ => {}
            }
        }
        if !told.is_some_and(|told| state.is(&told)) {
            return Err(AnswerError::OtherState);
        }
        if let Some(reason) = refused {
            let reason = why.map_or_else(|| reason.to_string(), |why| format!("{reason}: {why}"));
            return Err(AnswerError::Declined { reason: without_secrets(&reason, &[]) });
        }
        Self::new(&code.ok_or(AnswerError::NoCode)?)
    }

    fn new(code: &str) -> Result<Self, AnswerError> {
        if code.is_empty() || !code.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AnswerError::NoCode);
        }
        Ok(Self(SecretString::from(code)))
    }
}

impl FromStr for AuthorizationCode {
    type Err = AnswerError;

    fn from_str(code: &str) -> Result<Self, AnswerError> {
        Self::new(code.trim())
    }
}

impl fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationCode(REDACTED)")
    }
}

/// An answer that brings no code. It shows neither code nor state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The state is missing or another one: it answers another question, or is forged.
    #[error("the answer belongs to another login: its state is not ours: log in again, and paste the newest address")]
    OtherState,
    /// The user, or Pinterest, said no.
    #[error("Pinterest gave no permission: {reason}: log in again and allow it")]
    Declined {
        /// Pinterest's words.
        reason: String,
    },
    /// There is no code.
    #[error("there is no code in the answer: paste the whole address that the browser shows at the end")]
    NoCode,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State(SecretString::from("PLANTstate"))
    }

    #[test]
    fn the_question_has_all_it_needs_and_goes_to_pinterest() {
        let app = AppCredentials::new("1490", "PLANTsecret").unwrap();
        let url = |base: &ApiBase| authorize_url(base, &app, &RedirectUri::default(), &Scopes::default(), &state());
        assert_eq!(
            url(&ApiBase::default()),
            "https://www.pinterest.com/oauth/?client_id=1490&redirect_uri=http%3A%2F%2Flocalhost%3A8085%2F&response_type=code&scope=boards%3Aread%2Cboards%3Awrite%2Cpins%3Aread%2Cpins%3Awrite%2Cuser_accounts%3Aread&state=PLANTstate"
        );
        let here = url(&"http://127.0.0.1:9/v5".parse().unwrap());
        assert!(here.starts_with("http://127.0.0.1:9/oauth/?client_id=1490&"), "{here}");
        let sandbox = url(&"https://api-sandbox.pinterest.com/v5".parse().unwrap());
        assert!(sandbox.starts_with("https://www.pinterest.com/oauth/?"), "{sandbox}");
        assert!(!format!("{here}{sandbox}").contains("PLANTsecret"));
    }

    #[test]
    fn the_port_is_part_of_the_address() {
        assert_eq!(RedirectUri::default().port(), 8085);
        let other = RedirectUri::on_port(9000);
        assert_eq!((other.as_str(), other.port()), ("http://localhost:9000/", 9000));
    }

    #[test]
    fn every_state_is_new_and_none_is_shown() {
        let (one, other) = (State::random(), State::random());
        let text = one.0.expose_secret().to_owned();
        assert!(one.is(&text) && !other.is(&text) && !one.is("") && !one.is(&text[1..]));
        assert!(text.len() >= 43 && !format!("{one:?}").contains(&text));
    }

    #[test]
    fn whatever_a_user_pastes_is_read() {
        for good in [
            "http://localhost:8085/?code=PLANTcode&state=PLANTstate",
            " http://localhost:8085/?state=PLANTstate&code=PLANTcode\n",
            "http://127.0.0.1:8085/?state=PLANTstate&code=PLANTcode&more=1",
            "localhost:8085/?state=PLANTstate&code=PLANTcode",
            "?code=PLANTcode&state=PLANTstate",
            "code=PLANTcode&state=PLANTstate",
            " PLANTcode ",
        ] {
            let code = AuthorizationCode::from_pasted(good, &state()).unwrap();
            assert_eq!(code.expose(), "PLANTcode", "{good}");
            assert!(!format!("{code:?}").contains("PLANT"));
        }
        let wrong = |text: &str| {
            let error = AuthorizationCode::from_pasted(text, &state()).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("PLANT"), "{error}");
            error
        };
        assert_eq!(wrong("http://localhost:8085/?code=PLANTcode&state=PLANTother"), AnswerError::OtherState);
        assert_eq!(wrong("http://localhost:8085/?code=PLANTcode"), AnswerError::OtherState);
        assert_eq!(wrong("http://localhost:8085/"), AnswerError::OtherState);
        assert_eq!(wrong("http://localhost:8085/?state=PLANTstate"), AnswerError::NoCode);
        assert_eq!(wrong(""), AnswerError::NoCode);
        assert_eq!(wrong("two words"), AnswerError::NoCode);
        let no = wrong("http://localhost:8085/?error=access_denied&error_description=no+way&state=PLANTstate");
        assert_eq!(no, AnswerError::Declined { reason: "access_denied: no way".to_owned() });
    }

    proptest::proptest! {
        #[test]
        fn a_code_survives_its_way_back(code in "[!-~]{1,80}") {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("state", "PLANTstate")
                .append_pair("code", &code)
                .finish();
            let read = AuthorizationCode::from_pasted(&format!("http://localhost:8085/?{query}"), &state()).unwrap();
            proptest::prop_assert_eq!(read.expose(), code);
        }

        #[test]
        fn whatever_is_pasted_ends_in_a_code_or_a_word(text in ".{0,200}") {
            if let Err(error) = AuthorizationCode::from_pasted(&text, &state()) {
                proptest::prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
