//! Whose account: a token of the environment, or the login that `pinpress login` kept.

use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::Context as _;
use pinpress_publish::{AccessToken, ApiBase, AppCredentials, Found, StoreError, TokenError, TokenPlaces, TokenSource};

use crate::config::{Config, Kind};
use crate::output::{self, shown};

/// The variable that holds the access token. There is no option for it: arguments can be read by other users.
pub(crate) const TOKEN_VARIABLE: &str = "PINPRESS_ACCESS_TOKEN";
/// The app's id.
pub(crate) const APP_ID_VARIABLE: &str = "PINPRESS_APP_ID";
/// The app's secret.
pub(crate) const APP_SECRET_VARIABLE: &str = "PINPRESS_APP_SECRET";
/// A file that keeps the login instead of the keyring and the folder of configurations.
pub(crate) const FILE_VARIABLE: &str = "PINPRESS_TOKEN_FILE";

/// The app's id and secret as files have them.
static FROM_FILES: OnceLock<(Option<String>, Option<String>)> = OnceLock::new();

/// Takes the app from the files where the environment names none.
pub(crate) fn configure(config: &Config) {
    let value = |kind| config.value(kind).map(str::to_owned).filter(|text| !text.trim().is_empty());
    // Once in the life of the program.
    drop(FROM_FILES.set((value(Kind::AppId), value(Kind::Secret))));
}

/// A variable that is set and not blank.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
}

/// The token of the environment. It wins over the login.
pub(crate) fn fixed_token() -> anyhow::Result<Option<AccessToken>> {
    let Some(token) = variable(TOKEN_VARIABLE) else { return Ok(None) };
    AccessToken::new(&token).map(Some).with_context(|| format!("{TOKEN_VARIABLE} cannot be used"))
}

/// The app of the environment, else of the files.
pub(crate) fn app() -> anyhow::Result<Option<AppCredentials>> {
    let (id, secret) = FROM_FILES.get().cloned().unwrap_or_default();
    // Each with the name of the place that has it, or should.
    let of = |name, key, in_file: Option<String>| match (variable(name), in_file) {
        (None, Some(text)) => (Some(text), key),
        (of_environment, _) => (of_environment, name),
    };
    let (id, id_place) = of(APP_ID_VARIABLE, "account.app_id", id);
    let (secret, secret_place) = of(APP_SECRET_VARIABLE, "account.app_secret", secret);
    match (id, secret) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => AppCredentials::new(&id, &secret)
            .map(Some)
            .with_context(|| format!("{id_place} and {secret_place} cannot be used")),
        (Some(_), None) => anyhow::bail!("{id_place} is set and {secret_place} is not: set both or none"),
        (None, Some(_)) => anyhow::bail!("{secret_place} is set and {id_place} is not: set both or none"),
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
