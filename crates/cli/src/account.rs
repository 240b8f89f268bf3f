//! Whose account: a token of the environment, or the login that `pinpress login` kept.

use std::path::PathBuf;

use anyhow::Context as _;
use pinpress_publish::{AccessToken, ApiBase, AppCredentials, Found, StoreError, TokenError, TokenPlaces, TokenSource};

use crate::output::{self, shown};

/// The variable that holds the access token. There is no option for it: arguments can be read by other users.
pub(crate) const TOKEN_VARIABLE: &str = "PINPRESS_ACCESS_TOKEN";
/// The app's id.
pub(crate) const APP_ID_VARIABLE: &str = "PINPRESS_APP_ID";
/// The app's secret.
pub(crate) const APP_SECRET_VARIABLE: &str = "PINPRESS_APP_SECRET";
/// A file that keeps the login instead of the keyring and the folder of configurations.
pub(crate) const FILE_VARIABLE: &str = "PINPRESS_TOKEN_FILE";

/// A variable that is set and not blank.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
}

/// The token of the environment. It wins over the login.
pub(crate) fn fixed_token() -> anyhow::Result<Option<AccessToken>> {
    let Some(token) = variable(TOKEN_VARIABLE) else { return Ok(None) };
    AccessToken::new(&token).map(Some).with_context(|| format!("{TOKEN_VARIABLE} cannot be used"))
}

/// The app of the environment.
pub(crate) fn app() -> anyhow::Result<Option<AppCredentials>> {
    match (variable(APP_ID_VARIABLE), variable(APP_SECRET_VARIABLE)) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => AppCredentials::new(&id, &secret)
            .map(Some)
            .with_context(|| format!("{APP_ID_VARIABLE} and {APP_SECRET_VARIABLE} cannot be used")),
        (Some(_), None) => anyhow::bail!("{APP_ID_VARIABLE} is set and {APP_SECRET_VARIABLE} is not: set both or none"),
        (None, Some(_)) => anyhow::bail!("{APP_SECRET_VARIABLE} is set and {APP_ID_VARIABLE} is not: set both or none"),
    }
}

/// Where the login for this address of the API is kept.
pub(crate) fn places(api_base: &ApiBase) -> Result<TokenPlaces, StoreError> {
    match std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty()) {
        Some(path) => Ok(TokenPlaces::in_file(PathBuf::from(path), api_base)),
        None => TokenPlaces::of_user(api_base),
    }
}

/// The login, or words on how to have one. A file that others could read is closed, and that is said.
pub(crate) fn login(api_base: &ApiBase) -> anyhow::Result<Found> {
    let places = places(api_base)?;
    if let Some(mode) = places.file().close_to_others()? {
        output::warn(&was_open(mode, &places));
    }
    match places.find() {
        Err(TokenError::NotLoggedIn { place }) => anyhow::bail!(
            "no access token: log in with `pinpress login`, put one into {TOKEN_VARIABLE}, or try it without an account \
             with `pinpress rehearse DIR -o OUT`: looked in {place}"
        ),
        found => Ok(found?),
    }
}

/// What to say of a token file that others could read.
pub(crate) fn was_open(mode: u32, places: &TokenPlaces) -> String {
    format!(
        "others could read the token file (mode {mode:03o}); it is closed now: if this machine has other users, log in \
         again: {}",
        shown(places.file().path())
    )
}

/// What a client has its token from.
pub(crate) fn source(api_base: &ApiBase) -> anyhow::Result<TokenSource> {
    if let Some(token) = fixed_token()? {
        return Ok(token.into());
    }
    Ok(TokenSource::from(login(api_base)?).with_app(app()?))
}
