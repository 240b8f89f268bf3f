//! Logins in the keyring of the system: Secret Service, Keychain, Credential Manager.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use secrecy::{ExposeSecret as _, SecretString};

use super::error::StoreError;
use super::login::{Login, StoredLogin};
use super::store::TokenStore;
use crate::api_base::ApiBase;

/// Under what name entries stand.
const SERVICE: &str = "pinpress";

/// A login in the keyring of the system. It may ask the user to unlock it.
#[derive(Debug, Clone)]
pub struct SystemKeyring {
    api_base: String,
    lock: PathBuf,
}

impl SystemKeyring {
    /// The login for `api_base`; `lock` is the file that lets one process at a time refresh.
    #[must_use]
    pub fn new(api_base: &ApiBase, lock: impl Into<PathBuf>) -> Self {
        Self { api_base: api_base.to_string(), lock: lock.into() }
    }

    fn entry(&self) -> Result<Entry, StoreError> {
        system().and_then(|system| system.build(SERVICE, &self.api_base, None)).map_err(failed)
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn system() -> Result<Arc<impl CredentialStoreApi>, Error> {
    dbus_secret_service_keyring_store::Store::new()
}

#[cfg(target_os = "macos")]
fn system() -> Result<Arc<impl CredentialStoreApi>, Error> {
    apple_native_keyring_store::keychain::Store::new()
}

#[cfg(windows)]
fn system() -> Result<Arc<impl CredentialStoreApi>, Error> {
    windows_native_keyring_store::Store::new()
}

fn failed(error: Error) -> StoreError {
    let reason = match error {
        // These hold what was read.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "what it holds is no login".to_owned(),
        error => error.to_string(),
    };
    StoreError::Keyring { reason }
}

impl TokenStore for SystemKeyring {
    fn load(&self) -> Result<Option<Login>, StoreError> {
        let text = match self.entry()?.get_password() {
            Ok(text) => SecretString::from(text),
            Err(Error::NoEntry) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let garbled = || StoreError::Garbled { place: self.place() };
        let stored: StoredLogin = serde_json::from_str(text.expose_secret()).map_err(|_| garbled())?;
        Login::from_stored(&stored).map(Some).map_err(|_| garbled())
    }

    fn save(&self, login: &Login) -> Result<(), StoreError> {
        let text = serde_json::to_string(&login.to_stored()).map(SecretString::from);
        let text = text.map_err(|error| StoreError::Keyring { reason: error.to_string() })?;
        self.entry()?.set_password(text.expose_secret()).map_err(failed)
    }

    fn forget(&self) -> Result<bool, StoreError> {
        match self.entry()?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    fn lock_file(&self) -> &Path {
        &self.lock
    }

    fn place(&self) -> String {
        format!("the system keyring, entry {SERVICE} {}", self.api_base)
    }
}
