//! Where the login of this user may be: the system keyring where there is one, else a file of the user's own.

use std::path::PathBuf;
use std::sync::Arc;

use etcetera::BaseStrategy as _;

use super::error::{StoreError, TokenError};
use super::file::TokenFile;
use super::lock::TokenLock;
use super::login::Login;
use super::store::TokenStore;
use crate::api_base::ApiBase;

/// The places where the login of this user for one address of the API may be.
#[derive(Debug, Clone)]
pub struct TokenPlaces {
    file: TokenFile,
    keyring: Option<Arc<dyn TokenStore>>,
}

/// A login and the store that keeps it.
#[derive(Debug, Clone)]
pub struct Found {
    /// The login.
    pub login: Login,
    /// Its store.
    pub store: Arc<dyn TokenStore>,
}

impl TokenPlaces {
    /// The keyring, and `pinpress/tokens.json` in the user's folder of configurations.
    ///
    /// # Errors
    /// When the user has no home folder.
    pub fn of_user(api_base: &ApiBase) -> Result<Self, StoreError> {
        let folders = etcetera::choose_base_strategy().map_err(|_| StoreError::NoFolder)?;
        let file = TokenFile::new(folders.config_dir().join("pinpress/tokens.json"), api_base);
        let keyring = system_keyring(api_base, &file);
        Ok(Self { file, keyring })
    }

    /// This file and no keyring, as on a server.
    #[must_use]
    pub fn in_file(path: impl Into<PathBuf>, api_base: &ApiBase) -> Self {
        Self { file: TokenFile::new(path, api_base), keyring: None }
    }

    /// The file, whether it is there or not.
    #[must_use]
    pub const fn file(&self) -> &TokenFile {
        &self.file
    }

    /// The login. The file is asked first: it costs nothing, and is there only where it was needed.
    ///
    /// # Errors
    /// When there is none ([`TokenError::NotLoggedIn`]), or it cannot be read.
    pub fn find(&self) -> Result<Found, TokenError> {
        if let Some(login) = self.file.load()? {
            return Ok(Found { login, store: Arc::new(self.file.clone()) });
        }
        let mut place = self.file.place();
        if let Some(keyring) = &self.keyring {
            match keyring.load() {
                Ok(Some(login)) => return Ok(Found { login, store: Arc::clone(keyring) }),
                Ok(None) => place = format!("{} and {place}", keyring.place()),
                Err(StoreError::Keyring { reason }) => {
                    tracing::info!(reason, "the system keyring cannot be used");
                    let hint = unreached_keyring().unwrap_or_else(|| "there is no system keyring".to_owned());
                    place = format!("{place} ({hint})");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(TokenError::NotLoggedIn { place })
    }

    /// Finds out whether a login could be kept, before anybody is asked for one: a code is good once.
    ///
    /// # Errors
    /// When the folder of the file cannot be written; a lock is there whatever keeps the login.
    pub async fn try_out(&self) -> Result<(), StoreError> {
        let _lock = TokenLock::take(self.file.lock_file()).await?;
        self.file.try_out()
    }

    /// Keeps a new login, in the keyring if that can be used, and forgets what the other place has.
    ///
    /// # Errors
    /// When neither place can be written.
    pub async fn keep(&self, login: &Login) -> Result<Arc<dyn TokenStore>, StoreError> {
        let _lock = TokenLock::take(self.file.lock_file()).await?;
        if let Some(keyring) = &self.keyring {
            match keyring.save(login) {
                Ok(()) => {
                    self.file.forget()?;
                    return Ok(Arc::clone(keyring));
                }
                Err(error) => tracing::info!(%error, "the login is kept in a file"),
            }
        }
        self.file.save(login)?;
        Ok(Arc::new(self.file.clone()))
    }

    /// Forgets the login wherever it is; answers the places that had it.
    ///
    /// # Errors
    /// When a place that has it cannot be written.
    pub async fn forget(&self) -> Result<Vec<String>, StoreError> {
        let mut places = Vec::new();
        // Looking must not make a folder.
        if self.file.path().exists() {
            let _lock = TokenLock::take(self.file.lock_file()).await?;
            if self.file.forget()? {
                places.push(self.file.place());
            }
        }
        #[cfg(feature = "system-keyring")]
        // Where there is no keyring, nothing is in it.
        if let Some(keyring) = &self.keyring
            && keyring.load().is_ok_and(|login| login.is_some())
            && keyring.forget()?
        {
            places.push(keyring.place());
        }
        Ok(places)
    }
}

#[cfg(feature = "system-keyring")]
#[expect(clippy::unnecessary_wraps, reason = "built without the keyring there is none")]
fn system_keyring(api_base: &ApiBase, file: &TokenFile) -> Option<Arc<dyn TokenStore>> {
    Some(Arc::new(super::keyring::SystemKeyring::new(api_base, file.lock_file())))
}

#[cfg(not(feature = "system-keyring"))]
const fn system_keyring(_api_base: &ApiBase, _file: &TokenFile) -> Option<Arc<dyn TokenStore>> {
    None
}

/// What to do where there is a keyring that cannot be reached, as in a job of cron's.
fn unreached_keyring() -> Option<String> {
    if !cfg!(target_os = "linux") || std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some() {
        return None;
    }
    let bus = session_bus()?;
    Some(format!("to reach the system keyring set DBUS_SESSION_BUS_ADDRESS=unix:path={}", bus.display()))
}

/// Where systemd has the bus of a user who is logged in, if it is there.
#[cfg(unix)]
fn session_bus() -> Option<PathBuf> {
    let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").ok()?);
    Some(PathBuf::from(format!("/run/user/{uid}/bus"))).filter(|bus| bus.exists())
}

#[cfg(not(unix))]
const fn session_bus() -> Option<PathBuf> {
    None
}
