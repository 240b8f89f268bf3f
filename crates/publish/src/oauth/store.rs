//! Where a login is kept.

use std::fmt;
use std::path::Path;

use super::error::StoreError;
use super::login::Login;

/// Keeps the login of one account at one address of the API. Calls may block for as long as a disk or a keyring does.
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// What is kept.
    ///
    /// # Errors
    /// When it cannot be read, or is not what was kept.
    fn load(&self) -> Result<Option<Login>, StoreError>;

    /// Keeps `login` in place of what was kept before. It is durable when this returns, and whole or unchanged when
    /// the program dies meanwhile.
    ///
    /// # Errors
    /// When it cannot be written.
    fn save(&self, login: &Login) -> Result<(), StoreError>;

    /// Forgets what is kept; answers whether there was anything.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn forget(&self) -> Result<bool, StoreError>;

    /// The file whose lock lets one process at a time refresh.
    fn lock_file(&self) -> &Path;

    /// Where that is, for people.
    fn place(&self) -> String;
}

/// What a store holds is not what was put there. The text is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Garbled;
