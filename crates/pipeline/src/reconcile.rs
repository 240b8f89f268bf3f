//! Pins of unknown outcome: what each was to be, what on its board could be it, and what a person says of it.
//!
//! Nothing is sent from here that changes anything. A Pin that is adopted is entered in the ledger first and has its
//! receipt then; one that is to be sent again goes out with the next run.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pinpress_publish::{AdoptablePin, Client, Pin, PinId, PublishError, PublishState, SoughtPin};

use crate::ledger::{HeldLedger, HoldError, Job, JobId, LedgerError, LedgerPlace, PinContent, PinRecord, PinStatus};
use crate::naming::{cover_of, receipt_of, result_in};
use crate::outcome::CoverOutcome;
use crate::receipt::{Receipt, ReceiptPin};

/// A Pin of which nobody knows whether it exists.
#[derive(Debug, Clone)]
pub struct Doubt {
    /// Its row.
    pub record: PinRecord,
    /// The job whose output was sent.
    pub job: Job,
    /// The output.
    pub output: PathBuf,
    /// Our clock just before it was sent.
    pub attempted_at: Timestamp,
    /// What hid the answer.
    pub reason: String,
    state: PublishState,
}

impl Doubt {
    fn of(record: PinRecord, job: Job, folder: &Path) -> Option<Self> {
        let state: PublishState = serde_json::from_str(record.state.as_deref()?).ok()?;
        let (attempted_at, reason) = match &state {
            PublishState::Intended { attempted_at, .. } => {
                (*attempted_at, "the program ended before the answer was saved".to_owned())
            }
            PublishState::Unknown { attempted_at, reason, .. } => (*attempted_at, reason.clone()),
            _ => return None,
        };
        let output = result_in(folder, &job.output);
        Some(Self { record, job, output, attempted_at, reason, state })
    }

    /// What was sent. Without texts where a pinpress began it that did not keep them.
    fn sought(&self) -> Result<SoughtPin, ReconcileError> {
        let PinContent { section, title, description, link, .. } = self.record.content.clone().unwrap_or_default();
        let unreadable = |_| ReconcileError::Unreadable { path: self.job.source.clone() };
        Ok(SoughtPin {
            board: self.record.key.board.parse().map_err(unreadable)?,
            section: section.map(|section| section.parse()).transpose().map_err(unreadable)?,
            title,
            description,
            link,
            attempted_at: self.attempted_at,
        })
    }
}

/// A Pin of unknown outcome could not be settled. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// There is nothing to settle, or a run is at work there.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The API cannot be asked, or the Pin cannot be it.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The Pin is the one of another video.
    #[error("Pin {pin_id} belongs to another video, so it cannot be this one's: name another Pin: {path}", path = owner.display())]
    Taken {
        /// The Pin.
        pin_id: PinId,
        /// The other video.
        owner: PathBuf,
    },
    /// Board or section are no ids.
    #[error("the ledger's board or section of it is no id, so its board cannot be read: {path}", path = path.display())]
    Unreadable {
        /// The video.
        path: PathBuf,
    },
    /// The state is not one that can be written.
    #[error("the state cannot be written: {0}")]
    State(#[from] serde_json::Error),
}

/// The Pins of unknown outcome of an output folder at one destination. While it lives, no run is at work there.
#[derive(Debug)]
pub struct Doubts {
    ledger: HeldLedger,
    folder: PathBuf,
    in_storage: bool,
    destination: String,
}

impl Doubts {
    /// Opens the ledger at `place`.
    ///
    /// # Errors
    /// When there is none, it cannot be used, or a run is at work.
    pub fn open(place: &LedgerPlace, destination: &str) -> Result<Self, ReconcileError> {
        let ledger = HeldLedger::open(place)?;
        Ok(Self {
            ledger,
            folder: place.results(),
            in_storage: place.is_of_depot(),
            destination: destination.to_owned(),
        })
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn list(&self) -> Result<Vec<Doubt>, ReconcileError> {
        let jobs: HashMap<JobId, Job> = self.ledger.jobs()?.into_iter().map(|job| (job.id, job)).collect();
        let records = self.ledger.pins()?.into_iter().filter(|record| record.key.destination == self.destination);
        Ok(records
            .filter_map(|record| {
                let job = jobs.get(&record.job)?.clone();
                Doubt::of(record, job, &self.folder)
            })
            .collect())
    }

    /// The Pins on its board that could be it: its texts, not older, and no other video's.
    ///
    /// # Errors
    /// When the board or the ledger cannot be read.
    pub async fn candidates(&self, client: &Client, doubt: &Doubt) -> Result<Vec<Pin>, ReconcileError> {
        // Without its texts any Pin could be it, and none can be told.
        if doubt.record.content.is_none() {
            return Ok(Vec::new());
        }
        let mut pins = client.candidates(&doubt.sought()?).await?;
        let mut free = Vec::with_capacity(pins.len());
        for pin in pins.drain(..) {
            if self.owner(doubt, &pin.id)?.is_none() {
                free.push(pin);
            }
        }
        Ok(free)
    }

    /// The video that has this Pin, when it is another.
    fn owner(&self, doubt: &Doubt, pin: &PinId) -> Result<Option<i64>, LedgerError> {
        let row = self.ledger.pin_row(&self.destination, pin.as_str())?;
        Ok(row.filter(|row| *row != doubt.record.id))
    }

    /// Reads the Pin that a person takes for it, and checks that it may be: on the board, and no other video's.
    ///
    /// # Errors
    /// When it may not, or the API cannot be asked.
    pub async fn adoptable(&self, client: &Client, doubt: &Doubt, pin: &PinId) -> Result<AdoptablePin, ReconcileError> {
        if let Some(row) = self.owner(doubt, pin)? {
            let job = self.ledger.pins()?.into_iter().find(|record| record.id == row).map(|record| record.job);
            let owner = self.ledger.jobs()?.into_iter().find(|other| Some(other.id) == job);
            let owner = owner.map(|job| job.source).unwrap_or_default();
            return Err(ReconcileError::Taken { pin_id: pin.clone(), owner });
        }
        Ok(client.adoptable(&doubt.sought()?, pin).await?)
    }

    /// Takes the Pin for it: entered in the ledger, then its receipt is written, in an output folder. The answer is what kept the receipt
    /// from being written; the next run writes it.
    ///
    /// # Errors
    /// When the ledger cannot be written; then nothing has changed.
    pub fn adopt(&self, doubt: &Doubt, found: &AdoptablePin) -> Result<Option<io::Error>, ReconcileError> {
        let Some(state) = doubt.state.adopting(found) else { return Ok(None) };
        let text = serde_json::to_string(&state)?;
        let pinned = (text.as_str(), Some(found.pin.id.as_str()));
        self.ledger.settle_pin(doubt.record.id, pinned, (PinStatus::Published, None))?;
        if self.in_storage {
            // The next run delivers it.
            return Ok(None);
        }
        let path = receipt_of(&doubt.output);
        if !Receipt::is_due(&path, &self.destination, false) {
            return Ok(None);
        }
        let picture = cover_of(&doubt.output);
        let time = doubt.job.cover.as_ref().map(|cover| cover.time);
        let cover = picture.is_file().then_some(CoverOutcome { file: picture, time });
        let record = PinRecord { published: Some(Timestamp::now()), ..doubt.record.clone() };
        let receipt = ReceiptPin::of(&record, &state).and_then(|pin| {
            Receipt::of(&doubt.job, &doubt.job.source, &doubt.output, cover.as_ref(), &self.destination, pin)
        });
        Ok(receipt.and_then(|receipt| receipt.write(&path).err()))
    }

    /// Enters a person's word that there is no such Pin: the next run, or `publish --due`, sends it. If there is one
    /// after all, there will be two.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn resend(&self, doubt: &Doubt) -> Result<(), ReconcileError> {
        let Some(state) = doubt.state.resending() else { return Ok(()) };
        let text = serde_json::to_string(&state)?;
        let status = (PinStatus::Waiting, Some("to be sent again"));
        Ok(self.ledger.settle_pin(doubt.record.id, (&text, None), status)?)
    }
}
