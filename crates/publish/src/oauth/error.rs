//! Why there is no token, by what failed.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::error::Refusal;

/// A store could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no folder of the user's for it.
    #[error("no place for tokens: no home folder is known: name a file in PINPRESS_TOKEN_FILE")]
    NoFolder,
    /// The file cannot be read.
    #[error("the token file cannot be read: {source}: {path}", path = path.display())]
    Unread {
        /// The system's reason.
        source: io::Error,
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("the token file cannot be written: {source}: make its folder writable: {path}", path = path.display())]
    Unwritten {
        /// The system's reason.
        source: io::Error,
        /// The file.
        path: PathBuf,
    },
    /// Others can read the file and that cannot be changed.
    #[error(
        "others can read the token file (mode {mode:03o}) and that cannot be changed: {source}: remove it and log in \
         again: {path}",
        path = path.display()
    )]
    Open {
        /// Its permissions.
        mode: u32,
        /// The system's reason.
        source: io::Error,
        /// The file.
        path: PathBuf,
    },
    /// What is kept is not what was put there.
    #[error("what is kept as a login is none: log in again with `pinpress login`: {place}")]
    Garbled {
        /// Where.
        place: String,
    },
    /// The keyring refuses, or there is none.
    #[error("the system keyring cannot be used: {reason}: unlock it, or name a file in PINPRESS_TOKEN_FILE")]
    Keyring {
        /// Its words.
        reason: String,
    },
    /// No lock.
    #[error("the lock of the tokens cannot be taken: {source}: {path}", path = path.display())]
    Lock {
        /// The system's reason, or that another process keeps it.
        source: io::Error,
        /// The lock.
        path: PathBuf,
    },
}

/// There is no access token that could be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Nobody has logged in.
    #[error("no access token: log in with `pinpress login`: looked in {place}")]
    NotLoggedIn {
        /// Where one would be kept.
        place: String,
    },
    /// The tokens are past their end.
    #[error("the login ended at {ended}: log in again with `pinpress login`")]
    Ended {
        /// When.
        ended: Timestamp,
    },
    /// Pinterest gives no tokens for the code.
    #[error(
        "Pinterest gives no tokens: {refusal}: check the app's id and secret and that its redirect URI is registered \
         letter by letter, then log in again"
    )]
    NotGiven {
        /// The answer.
        refusal: Refusal,
    },
    /// Pinterest does not take the refresh token, or the app.
    #[error("the login cannot be refreshed: {refusal}: log in again with `pinpress login`")]
    Refused {
        /// The answer.
        refusal: Refusal,
    },
    /// The login is kept in a place that fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// New tokens came and could not be kept. The process that has them tries to keep them again at its next call.
    #[error(
        "the access token was refreshed and could not be kept, so it was not used: {source}: once that is put right \
         run the same command again; should it ask for it, log in again with `pinpress login`"
    )]
    NotKept {
        /// Why.
        source: StoreError,
    },
}

/// The answer of the browser did not come.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoopbackError {
    /// The port is taken, or not allowed.
    #[error(
        "cannot listen on port {port} for the browser's answer: {source}: end the program that uses the port, or log in \
         with --no-browser"
    )]
    Port {
        /// The system's reason.
        source: io::Error,
        /// The port.
        port: u16,
    },
    /// Nobody answered.
    #[error("no answer came from the browser within {} s: log in again, or use --no-browser", waited.as_secs())]
    TimedOut {
        /// How long was waited.
        waited: Duration,
    },
    /// The answer brings no code.
    #[error(transparent)]
    Answer(#[from] super::authorize::AnswerError),
}
