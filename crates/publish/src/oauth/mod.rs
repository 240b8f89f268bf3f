//! Logging in: the browser asks the user, a code comes back, tokens are traded for it, kept, and refreshed in time.
//!
//! [`authorize_url`] is what the browser opens, [`Loopback`] or a pasted text brings the [`AuthorizationCode`],
//! [`TokenEndpoint`] trades it for a [`Login`], a [`TokenStore`] keeps that, and [`TokenSource`] hands it to a
//! [`crate::Client`], which refreshes it ahead of its end and once after HTTP 401. Pinterest documents no PKCE: the app
//! has a secret.

mod app;
mod authorize;
mod endpoint;
mod error;
mod file;
mod held;
#[cfg(feature = "system-keyring")]
mod keyring;
mod lock;
mod login;
mod loopback;
mod page;
mod places;
mod scopes;
mod session;
mod store;

pub use app::{AppCredentials, NotAppCredentials};
pub use authorize::{AnswerError, AuthorizationCode, RedirectUri, State, authorize_url};
pub use endpoint::TokenEndpoint;
pub use error::{LoopbackError, StoreError, TokenError};
pub use file::TokenFile;
#[cfg(feature = "system-keyring")]
pub use keyring::SystemKeyring;
pub use login::Login;
pub use loopback::Loopback;
pub use places::{Found, TokenPlaces};
pub use scopes::Scopes;
pub use session::TokenSource;
pub use store::TokenStore;

pub(crate) use session::Session;
