//! `NAME.pin.json` beside an output: what was published, from what, and where.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use pinpress_media::Plan;
use pinpress_probe::Fingerprint;
use pinpress_publish::PublishState;
use serde::{Deserialize, Serialize};

use crate::durable;
use crate::ledger::{Job, PinKey, PinRecord};
use crate::outcome::CoverOutcome;
use crate::pins::REHEARSAL;

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

impl ReceiptPin {
    /// What the ledger has of a Pin that is there; `None` of any other.
    #[must_use]
    pub fn of(record: &PinRecord, state: &PublishState) -> Option<Self> {
        let PublishState::Pinned { media_id, pin_id, url, adopted } = state else { return None };
        Some(Self {
            pin_id: pin_id.as_str().to_owned(),
            url: url.clone(),
            media_id: media_id.as_str().to_owned(),
            board_id: record.key.board.clone(),
            title: record.content.as_ref().and_then(|content| content.title.clone()),
            adopted: *adopted,
            begun_at: record.begun,
            published_at: record.published.unwrap_or(record.changed),
        })
    }
}

impl Receipt {
    /// Of a Pin that shows the output of `job`, which lies at `output`; `None` when there is no output.
    #[must_use]
    pub fn of(
        job: &Job,
        source: &Path,
        output: &Path,
        cover: Option<&CoverOutcome>,
        destination: &str,
        pin: ReceiptPin,
    ) -> Option<Self> {
        let rendition = job.rendition.as_ref()?;
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Some(Self {
            schema: SCHEMA.to_owned(),
            destination: destination.to_owned(),
            source: ReceiptFile {
                path: source.to_string_lossy().into_owned(),
                fingerprint: job.key.fingerprint.clone(),
            },
            output: ReceiptFile { path: name(output), fingerprint: rendition.fingerprint.clone() },
            spec: ReceiptSpec { name: job.key.spec_name.clone(), version: job.key.spec_version.clone() },
            plan: job.plan.clone(),
            cover: cover.map(|cover| ReceiptCover {
                file: name(&cover.file),
                time_ms: cover.time.map(pinpress_probe::Seconds::millis),
            }),
            pin,
        })
    }

    /// The receipt at `path`, if there is one that can be read.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// The Pin that it tells of, where that is the one of `key`: its content as it came or as it was published.
    #[must_use]
    pub fn state_of(&self, key: &PinKey) -> Option<PublishState> {
        let shows = [&self.source.fingerprint, &self.output.fingerprint].contains(&&key.fingerprint);
        let is_it = shows && self.destination == key.destination && self.pin.board_id == key.board;
        let ids = is_it.then(|| Some((self.pin.media_id.parse().ok()?, self.pin.pin_id.parse().ok()?)));
        let (media_id, pin_id) = ids??;
        Some(PublishState::Pinned { media_id, pin_id, url: self.pin.url.clone(), adopted: self.pin.adopted })
    }

    /// Whether a receipt of `destination` may be written to `path`, where one may lie already: a rehearsal leaves a
    /// real one alone, and `kept` is for a Pin of an earlier run, whose receipt is written only when it is missing or
    /// a rehearsal's.
    #[must_use]
    pub fn is_due(path: &Path, destination: &str, kept: bool) -> bool {
        let rehearsed = destination == REHEARSAL;
        match Self::read(path).map(|receipt| receipt.destination == REHEARSAL) {
            None => true,
            Some(true) => !kept || !rehearsed,
            Some(false) => !kept && !rehearsed,
        }
    }

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
