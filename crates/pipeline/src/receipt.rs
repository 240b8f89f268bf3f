//! `NAME.pin.json` beside an output: what was published, from what, and where.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use pinpress_media::Plan;
use pinpress_probe::Fingerprint;
use serde::{Deserialize, Serialize};

use crate::durable;

/// The value of [`Receipt::schema`].
pub const SCHEMA: &str = "pinpress.receipt/1";

/// A published video. It holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// [`SCHEMA`].
    pub schema: String,
    /// The API that was spoken to, or `rehearsal`.
    pub destination: String,
    /// The raw video.
    pub source: ReceiptFile,
    /// The published video.
    pub output: ReceiptFile,
    /// The rule set it was made for: name and date.
    pub spec: ReceiptSpec,
    /// What was done to the source, and why.
    pub plan: Option<Plan>,
    /// The cover.
    pub cover: Option<ReceiptCover>,
    /// The Pin.
    pub pin: ReceiptPin,
}

/// A file by its name and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptFile {
    /// The source's path as it was given; the output's file name.
    pub path: String,
    /// BLAKE3 of its content.
    pub fingerprint: Fingerprint,
}

/// A rule set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptSpec {
    /// Its name.
    pub name: String,
    /// Its date.
    pub version: String,
}

/// A cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptCover {
    /// The picture's file name.
    pub file: String,
    /// When its frame is shown, in milliseconds; `null` for a picture that somebody put there.
    pub time_ms: Option<i64>,
}

/// A Pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptPin {
    /// Its id.
    pub pin_id: String,
    /// Where people see it.
    pub url: String,
    /// The upload.
    pub media_id: String,
    /// The board's id.
    pub board_id: String,
    /// The title it was created with.
    pub title: Option<String>,
    /// It was found on the board after an unknown outcome, rather than told by the answer.
    pub adopted: bool,
    /// When publishing began.
    pub begun_at: Timestamp,
    /// When the Pin was known to exist.
    pub published_at: Timestamp,
}

impl Receipt {
    /// Writes it to `path`: whole or not at all, and lasting.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        durable::write(path, &text)
    }
}
