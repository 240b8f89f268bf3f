//! How a rehearsal is set up.

use std::path::PathBuf;
use std::time::Duration;

use crate::fault::FaultRule;
use crate::inspect::Inspect;
use crate::limits::RateLimits;
use crate::oauth::OAuthOptions;

/// How a rehearsal is set up. Start from [`RehearsalOptions::new`].
#[derive(Clone)]
pub struct RehearsalOptions {
    /// Where videos, covers and the list of Pins are kept. Made when it is not there; what an earlier rehearsal kept
    /// in it is shown again.
    pub folder: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The access token that is accepted.
    pub token: String,
    /// The boards of the account.
    pub boards: Vec<BoardOptions>,
    /// How often an upload is `processing` before it is judged.
    pub processing_polls: u32,
    /// Which form of upload is asked for.
    pub upload: UploadForm,
    /// How long an upload form is good for.
    pub form_lifetime: Duration,
    /// Judges a video that was uploaded.
    pub inspect: Inspect,
    /// The app that may ask for tokens of its own.
    pub oauth: OAuthOptions,
    /// What goes wrong, and when.
    pub faults: Vec<FaultRule>,
    /// Calls of the API over these are answered with HTTP 429; the headers tell how things stand.
    pub limits: RateLimits,
    /// Objects of a listing on one page at most, whatever is asked for; Pinterest's own limit is 250.
    pub page_size_max: usize,
}

impl RehearsalOptions {
    /// One board, the official form of upload, one poll of processing, the built-in rule set, no faults.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            port: 0,
            token: "pina_rehearsal".to_owned(),
            boards: vec![BoardOptions::named("Rehearsal")],
            processing_polls: 1,
            upload: UploadForm::Multipart,
            form_lifetime: Duration::from_secs(3_600),
            inspect: crate::inspect::built_in(),
            oauth: OAuthOptions::default(),
            faults: Vec::new(),
            limits: RateLimits::default(),
            page_size_max: 250,
        }
    }
}

/// A board of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardOptions {
    /// Its name. Names need not differ.
    pub name: String,
    /// Names of its sections.
    pub sections: Vec<String>,
}

impl BoardOptions {
    /// A board without sections.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), sections: Vec::new() }
    }
}

/// Which form of upload is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadForm {
    /// The answer has `upload_parameters`: `POST` as `multipart/form-data`, as the OpenAPI description says.
    Multipart,
    /// The answer has none: `PUT` of the bytes, as the card says.
    Put,
}
