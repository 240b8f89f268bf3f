//! `POST /oauth/token`: a code, or a refresh token, for tokens.

use jiff::Timestamp;
use reqwest::Method;
use secrecy::ExposeSecret as _;

use super::app::AppCredentials;
use super::authorize::{AuthorizationCode, RedirectUri};
use super::error::TokenError;
use super::login::{Login, TokenAnswer};
use crate::budget::Budget;
use crate::client::{ClientOptions, http_client};
use crate::error::{Call, PublishError, Refusal};
use crate::http::{Answer, send};
use crate::retry::{Repeat, RetryPolicy};

/// Where tokens come from. The app's secret goes there in the `Authorization` header, as HTTP Basic has it.
#[derive(Debug, Clone)]
pub struct TokenEndpoint {
    http: reqwest::Client,
    url: String,
    retry: RetryPolicy,
}

impl TokenEndpoint {
    /// That of the API that the options name.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(options: &ClientOptions) -> Result<Self, PublishError> {
        let http = http_client(options, |builder| builder.timeout(options.call_timeout))?;
        Ok(Self { http, url: options.api_base.join("oauth/token"), retry: options.retry })
    }

    /// `grant_type=authorization_code`: the first tokens. `redirect_uri` must be that of the question.
    ///
    /// # Errors
    /// When Pinterest cannot be reached, or does not take the app or the code.
    pub async fn exchange(
        &self,
        app: &AppCredentials,
        code: &AuthorizationCode,
        redirect_uri: &RedirectUri,
    ) -> Result<Login, PublishError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri.as_str()),
            // For apps from before 2025-09-25; the others do so anyway.
            ("continuous_refresh", "true"),
        ];
        let known = [app.expose_secret(), code.expose()];
        // A code that was used may have cost the tokens it brought.
        let answer = self.ask(Call::GetTokens, Repeat::OnlyUnsent, app, &form).await?;
        self.login(Call::GetTokens, &answer, app, None, &known, |refusal| TokenError::NotGiven { refusal })
    }

    /// `grant_type=refresh_token`: the next tokens. The refresh token may be dead afterwards, whatever comes.
    pub(crate) async fn refresh(&self, app: &AppCredentials, login: &Login) -> Result<Login, PublishError> {
        let refresh_token = login.refresh_token.as_ref().map_or("", |token| token.expose_secret());
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("continuous_refresh", "true")];
        let known: Vec<_> = login.secrets().chain([app.expose_secret()]).collect();
        let answer = self.ask(Call::RefreshTokens, Repeat::Safe, app, &form).await?;
        self.login(Call::RefreshTokens, &answer, app, Some(login), &known, |refusal| TokenError::Refused { refusal })
    }

    async fn ask(
        &self,
        call: Call,
        repeat: Repeat,
        app: &AppCredentials,
        form: &[(&str, &str)],
    ) -> Result<Answer, PublishError> {
        let request =
            || self.http.request(Method::POST, &self.url).basic_auth(app.id(), Some(app.expose_secret())).form(form);
        // Too few calls for a limit.
        let budget = Budget::new(None);
        send(call, repeat, &self.retry, &budget, &(), request).await?.map_err(|error| error.into_error(call))
    }

    fn login(
        &self,
        call: Call,
        answer: &Answer,
        app: &AppCredentials,
        before: Option<&Login>,
        known: &[&str],
        refused: impl Fn(Refusal) -> TokenError,
    ) -> Result<Login, PublishError> {
        if !answer.is_success() {
            let refusal = answer.refusal(known);
            return Err(match refusal.status {
                400 | 401 | 403 => refused(refusal).into(),
                _ => PublishError::Refused { call, refusal },
            });
        }
        let undecodable = |reason: &str| PublishError::Undecodable {
            call,
            status: answer.status,
            reason: reason.to_owned(),
            body: format!("({} bytes, not shown as they hold tokens)", answer.body.len()),
            request_id: answer.request_id(),
        };
        // The parser quotes the value it stumbled over.
        let told: TokenAnswer = serde_json::from_str(&answer.body).map_err(|error| {
            undecodable(&format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()))
        })?;
        told.into_login(app, Timestamp::now(), before).map_err(|_| undecodable("its access_token is none"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A login with this access token, without an end.
    pub(crate) fn login(access_token: &str) -> Login {
        let app = AppCredentials::new("1490", "PLANTsecret").unwrap();
        let json = format!(r#"{{"access_token":"{access_token}","refresh_token":"pinr_PLANT"}}"#);
        serde_json::from_str::<TokenAnswer>(&json).unwrap().into_login(&app, Timestamp::now(), None).unwrap()
    }

    #[test]
    fn an_answer_that_does_not_decode_shows_no_token() {
        let endpoint = TokenEndpoint::new(&ClientOptions::default()).unwrap();
        let before = login("pina_PLANT");
        for (status, body) in [
            (200, r#"{"access_token":{"PLANT":1}}"#),
            (200, r#"{"access_token":"PLANT PLANT","expires_in":1}"#),
            (200, "PLANT"),
            (401, r#"{"code":2,"message":"Bad secret PLANTsecret"}"#),
            (400, r#"{"error":"invalid_grant","error_description":"pinr_PLANT is dead"}"#),
            (500, "pina_PLANT"),
        ] {
            let answer = Answer { status, headers: reqwest::header::HeaderMap::new(), body: body.to_owned() };
            let known: Vec<_> = before.secrets().collect();
            let refused = |refusal| TokenError::Refused { refusal };
            let read = endpoint.login(Call::RefreshTokens, &answer, before.app(), Some(&before), &known, refused);
            let error = read.unwrap_err();
            assert!(!format!("{error} {error:?}").contains("PLANT"), "{error} {error:?}");
            assert_eq!(matches!(error, PublishError::Token(_)), matches!(status, 400 | 401), "{error}");
        }
    }
}
