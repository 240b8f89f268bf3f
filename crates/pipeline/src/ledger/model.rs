//! What the ledger keeps, as data.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use jiff::{SignedDuration, Timestamp};
use pinpress_media::{FixOptions, Plan};
use pinpress_probe::{Fingerprint, Seconds, Spec};
use serde::{Deserialize, Serialize};

/// After so many attempts at one step a video is set aside.
pub const MAX_ATTEMPTS: u32 = 3;

/// After so many that were cut off with the whole run, it is set aside too. [`MAX_ATTEMPTS`] is for attempts that came to
/// an end and failed: those are the video's fault. Who stops a run is seldom its video, so this is more; that a video
/// takes the machine down each time is what it is for. A cut-off attempt counts as one all the same: the first failure
/// after two of them is the last.
pub const MAX_CUT_OFF: u32 = 10;

/// What makes two jobs the same: the content, the rules, and what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobKey {
    /// The content of the source.
    pub fingerprint: Fingerprint,
    /// Name of the rule set.
    pub spec_name: String,
    /// Its date.
    pub spec_version: String,
    /// BLAKE3 of all its limits: a rule set that was edited under the same name and date is another one.
    pub spec_hash: String,
    /// BLAKE3 of the choices that change the result.
    pub options_hash: String,
}

impl JobKey {
    /// The key of a source under a rule set and options.
    #[must_use]
    pub fn new(fingerprint: Fingerprint, spec: &Spec, options: &FixOptions) -> Self {
        // How many threads, how a fitting file is linked and whether to overwrite do not change what comes out.
        let neutral =
            FixOptions { threads: 1, overwrite: false, link: pinpress_media::LinkMode::Copy, ..options.clone() };
        Self {
            fingerprint,
            spec_name: spec.name.clone(),
            spec_version: spec.version.clone(),
            spec_hash: hash_of(spec),
            options_hash: hash_of(&neutral),
        }
    }
}

impl JobKey {
    /// The key of the same work for an output folder: in a ledger that several folders share, each has a job of its own.
    #[must_use]
    pub fn below(self, output: &Path) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.options_hash.as_bytes()).update(output.as_os_str().as_encoded_bytes());
        Self { options_hash: hasher.finalize().to_hex().to_string(), ..self }
    }

    /// The key of a video that is published as it is.
    #[must_use]
    pub fn as_is(fingerprint: Fingerprint, spec: &Spec) -> Self {
        Self { options_hash: "as-is".to_owned(), ..Self::new(fingerprint, spec, &FixOptions::default()) }
    }
}

fn hash_of(value: &impl Serialize) -> String {
    // These are plain structs with string keys, which JSON always takes.
    let text = serde_json::to_vec(value).unwrap_or_default();
    blake3::hash(&text).to_hex().to_string()
}

/// A file as the system describes it without reading it. Any write changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Bytes.
    pub len: u64,
    /// Last change, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// The inode, 0 where there is none.
    pub inode: u64,
}

impl FileStamp {
    /// The stamp of the file at `path` now.
    ///
    /// # Errors
    /// When the system refuses, or there is no such file.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        Ok(Self::from(&std::fs::metadata(path)?))
    }
}

impl From<&std::fs::Metadata> for FileStamp {
    fn from(metadata: &std::fs::Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let mtime_ns = since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0);
        Self { len: metadata.len(), mtime_ns, inode }
    }
}

/// A row of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub i64);

/// How far a video has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// It cannot be read as a video.
    Unreadable,
    /// Read and judged.
    Checked,
    /// A fix was begun; if no run is alive, it was killed.
    Fixing,
    /// The output is verified and under its final name.
    Fixed,
    /// A cover was begun.
    Covering,
    /// The cover is beside the output. What comes after is in the [`PinRecord`]s.
    Covered,
    /// It cannot be done: the same content under the same rules and options would fail again.
    Failed,
    /// Attempts are used up.
    SetAside,
}

impl JobState {
    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Checked => "checked",
            Self::Fixing => "fixing",
            Self::Fixed => "fixed",
            Self::Covering => "covering",
            Self::Covered => "covered",
            Self::Failed => "failed",
            Self::SetAside => "set-aside",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        const ALL: [JobState; 8] = [
            JobState::Unreadable,
            JobState::Checked,
            JobState::Fixing,
            JobState::Fixed,
            JobState::Covering,
            JobState::Covered,
            JobState::Failed,
            JobState::SetAside,
        ];
        ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A job as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its row.
    pub id: JobId,
    /// What it is about.
    pub key: JobKey,
    /// Where the source was last seen, absolute.
    pub source: PathBuf,
    /// The output, relative to the output folder; in a ledger that several folders share, absolute.
    pub output: PathBuf,
    /// How far it has come.
    pub state: JobState,
    /// Attempts at the present step.
    pub attempts: u32,
    /// Why it failed last, for a person.
    pub reason: Option<String>,
    /// What was done to it, once it is fixed.
    pub plan: Option<Plan>,
    /// The verified output, once it is fixed.
    pub rendition: Option<RenditionRecord>,
    /// The cover, once there is one.
    pub cover: Option<CoverRecord>,
}

/// An output as it was when it was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenditionRecord {
    /// Its content.
    pub fingerprint: Fingerprint,
    /// The file as the system described it.
    pub stamp: FileStamp,
}

/// A cover as it was picked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverRecord {
    /// When the frame is shown in the output.
    pub time: Seconds,
    /// The time that was asked for, when it was not picked.
    pub asked: Option<Seconds>,
    /// The picture's stamp.
    pub stamp: FileStamp,
}

/// A step of a job that writes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Plan, carry out, verify.
    Fix,
    /// Pick a frame.
    Cover,
}

impl Step {
    /// The state while the step is under way.
    #[must_use]
    pub const fn running(self) -> JobState {
        match self {
            Self::Fix => JobState::Fixing,
            Self::Cover => JobState::Covering,
        }
    }

    /// The state to fall back to when the step did not end.
    #[must_use]
    pub const fn before(self) -> JobState {
        match self {
            Self::Fix => JobState::Checked,
            Self::Cover => JobState::Fixed,
        }
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq)]
pub enum StepOutcome {
    /// [`Step::Fix`] gave an output.
    Fixed {
        /// What was done.
        plan: Box<Plan>,
        /// What came out.
        rendition: RenditionRecord,
    },
    /// [`Step::Cover`] gave a picture.
    Covered(CoverRecord),
    /// It would fail again, whatever is tried.
    Impossible(String),
    /// It may work the next time; the third time it is set aside.
    Failed(String),
    /// It did not end for a reason that is not the video's: somebody asked to stop, or the worker is not installed.
    /// It does not count as an attempt.
    Released,
    /// A file of somebody else has the output's name. It does not count as an attempt, and the name is not ours.
    Blocked,
}

/// Where a Pin lives or will live: one per destination, content and board.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PinKey {
    /// The API that was spoken to: its base address, or `rehearsal`. What is published in one says nothing of another.
    pub destination: String,
    /// The content of the source.
    pub fingerprint: Fingerprint,
    /// The board's id.
    pub board: String,
}

/// How far a Pin has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinStatus {
    /// Begun: see the state of the publisher.
    Publishing,
    /// Its time has not come.
    Waiting,
    /// It is there.
    Published,
    /// It was sent, and nobody knows whether it arrived. It is never sent again.
    Unknown,
    /// It may work the next time.
    Failed,
    /// Attempts are used up.
    SetAside,
}

impl PinStatus {
    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publishing => "publishing",
            Self::Waiting => "waiting",
            Self::Published => "published",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::SetAside => "set-aside",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Publishing, Self::Waiting, Self::Published, Self::Unknown, Self::Failed, Self::SetAside]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// What a Pin says, kept so that it can be published, or recognised on its board, without the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PinContent {
    /// The board as the user named it.
    pub board: String,
    /// The section's id.
    pub section: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// Where it leads.
    pub link: Option<String>,
    /// What the video shows, for people who do not see it.
    pub alt_text: Option<String>,
}

/// When a Pin may go out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PinTiming {
    /// Not before this.
    pub publish_at: Option<Timestamp>,
    /// At least so long after the one before it, in whole seconds.
    pub every: Option<SignedDuration>,
}

/// A Pin as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRecord {
    /// Its row.
    pub id: i64,
    /// What it is about.
    pub key: PinKey,
    /// The job whose output was published.
    pub job: JobId,
    /// How far it has come.
    pub status: PinStatus,
    /// Attempts so far.
    pub attempts: u32,
    /// The publisher's own state, as JSON; it holds no secret.
    pub state: Option<String>,
    /// Why it failed or waits, for a person.
    pub reason: Option<String>,
    /// When it was begun.
    pub begun: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
    /// What it says; `None` when it was begun by a pinpress that did not keep it.
    pub content: Option<PinContent>,
    /// When it may go out.
    pub timing: PinTiming,
    /// Its place among Pins that are spaced out.
    pub slot: Option<Timestamp>,
    /// When it was known to exist.
    pub published: Option<Timestamp>,
}

impl PinRecord {
    /// What it waits for, past or to come; `None` when it may go out at any time.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.timing.publish_at.max(self.slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_change_the_result_does_not_change_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, b"x").unwrap();
        let fingerprint = pinpress_probe::Source::open(&path).unwrap().fingerprint().unwrap();
        let spec = Spec::load("pinterest").unwrap();
        let options = FixOptions::default();
        let key = |spec: &Spec, options: &FixOptions| JobKey::new(fingerprint.clone(), spec, options);
        let usual = key(&spec, &options);
        assert_eq!(usual, key(&spec, &FixOptions { threads: 7, overwrite: true, ..options.clone() }));
        assert_ne!(usual, key(&spec, &FixOptions { quality: 21, ..options.clone() }));
        let mut edited = spec.clone();
        edited.file_size = None;
        assert_ne!(usual, key(&edited, &options), "same name and date, other limits");
    }

    #[test]
    fn state_names_round_trip() {
        for state in [JobState::Unreadable, JobState::Fixing, JobState::Covered, JobState::SetAside] {
            assert_eq!(JobState::from_name(state.name()), Some(state));
        }
        for status in [PinStatus::Publishing, PinStatus::Waiting, PinStatus::Unknown, PinStatus::SetAside] {
            assert_eq!(PinStatus::from_name(status.name()), Some(status));
        }
    }
}
