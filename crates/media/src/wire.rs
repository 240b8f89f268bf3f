//! What goes through the door: one JSON object a line, requests in on the worker's stdin, events out on its stdout.
//!
//! A request is answered by any number of [`Event::Progress`], [`Event::Warning`] and [`Event::Log`] lines and exactly
//! one [`Event::Done`]. The worker serves one request at a time; a second line waits in the pipe.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pinpress_probe::{Decoded, MediaInfo, Report, Seconds, Spec};
use serde::{Deserialize, Serialize};

use crate::cover::{CoverOptions, Covers};
use crate::options::{Encoder, FixOptions};
use crate::plan::{Part, Plan};

/// The worker's option for the address space of one request, in bytes.
pub const MEMORY_LIMIT_OPTION: &str = "--memory-limit";

/// The worker's option for the threads of one request, where the request does not say.
pub const THREADS_OPTION: &str = "--threads";

/// The worker's option for how much lower than its parent's its priority is, 0 to 19.
pub const NICE_OPTION: &str = "--nice";

/// The longest line that either side reads, in bytes. A whole [`MediaInfo`] is a few kilobytes.
pub const MAX_LINE: u64 = 64 << 20;

/// A path that survives JSON whatever its bytes: a string where it is UTF-8, else a list of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WirePath {
    /// UTF-8, as nearly all are.
    Text(String),
    /// Anything else, byte by byte (Unix only).
    Bytes(Vec<u8>),
}

impl From<&Path> for WirePath {
    fn from(path: &Path) -> Self {
        path.to_str().map_or_else(
            || Self::Bytes(path.as_os_str().as_encoded_bytes().to_vec()),
            |text| Self::Text(text.to_owned()),
        )
    }
}

impl From<&WirePath> for PathBuf {
    fn from(path: &WirePath) -> Self {
        match path {
            WirePath::Text(text) => Self::from(text),
            WirePath::Bytes(bytes) => Self::from(os_string(bytes)),
        }
    }
}

#[cfg(unix)]
fn os_string(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt as _;
    OsString::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn os_string(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// What the front asks of the worker. The worker opens `source` and nothing else, and writes only where a request
/// says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Read the facts with libav. Answer: [`Reply::Probed`].
    Probe {
        /// The video.
        source: WirePath,
    },
    /// Decode every picture and sound. Answer: [`Reply::Decoded`].
    Decode {
        /// The video.
        source: WirePath,
        /// How long it plays, where known, in milliseconds: the total of what is reported.
        total_ms: Option<u64>,
    },
    /// Say what a fix would do. Answer: [`Reply::Planned`].
    Plan {
        /// The video; without it the facts alone decide, or nothing is planned.
        source: Option<WirePath>,
        /// Its facts, as the front read them.
        info: Box<MediaInfo>,
        /// The rule set.
        spec: Box<Spec>,
        /// What the user prefers.
        options: Box<FixOptions>,
    },
    /// Plan, carry out, verify, rename. Answer: [`Reply::Fixed`].
    Fix {
        /// The video.
        source: WirePath,
        /// Its facts, as the front read them.
        info: Box<MediaInfo>,
        /// The rule set.
        spec: Box<Spec>,
        /// What the user prefers.
        options: Box<FixOptions>,
        /// The final name. Its folder exists; what is not good yet lives in a [`PrivateFolder`](crate::PrivateFolder)
        /// beside it.
        output: WirePath,
        /// The part of it to take, where it is split.
        #[serde(default)]
        part: Option<Part>,
    },
    /// Rank frames and write the best. Answer: [`Reply::Covered`].
    Cover {
        /// The video.
        source: WirePath,
        /// How many, which format, which time.
        options: CoverOptions,
    },
    /// Say which libraries are linked and what they can do. Answer: [`Reply::About`].
    About,
}

impl Request {
    /// The video that the request is about.
    #[must_use]
    pub fn source(&self) -> Option<PathBuf> {
        match self {
            Self::Probe { source }
            | Self::Decode { source, .. }
            | Self::Fix { source, .. }
            | Self::Cover { source, .. } => Some(source.into()),
            Self::Plan { source, .. } => source.as_ref().map(Into::into),
            Self::About => None,
        }
    }
}

/// A line from the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Work went on. The watchdog counts from the last of these.
    Progress(Progress),
    /// Something a person should know that stops nothing.
    Warning {
        /// The text.
        message: String,
    },
    /// libav said something, at level warning or above. Told at once: a job that dies or hangs can no longer.
    Log {
        /// The line.
        line: String,
    },
    /// The last line of a request.
    Done {
        /// How it ended.
        outcome: Outcome,
    },
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As asked.
    Reply(Box<Reply>),
    /// Not as asked.
    Failure(Failure),
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Media time that is done, in milliseconds.
    pub done_ms: u64,
    /// Media time in all, where known, in milliseconds.
    pub total_ms: Option<u64>,
}

/// What is being done to a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Reading packets for facts.
    Probing,
    /// Decoding all of it to see whether that works.
    Decoding,
    /// Copying streams or bytes.
    Copying,
    /// Encoding.
    Encoding,
    /// Reading the result back.
    Verifying,
    /// Choosing frames.
    Covering,
}

/// What a request brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// Facts.
    Probed {
        /// The facts.
        info: Box<MediaInfo>,
    },
    /// How decoding went.
    Decoded(Decoded),
    /// A plan, or one for each part of a video that is split.
    Planned {
        /// The plans in order of their parts; none where the video was not given and only a look into it decides.
        plans: Vec<Plan>,
    },
    /// A verified file under its final name.
    Fixed(Box<Fixed>),
    /// Frames, and pictures of them.
    Covered(Covers),
    /// What the worker is.
    About(About),
}

/// A video to fix: where it is, what it is, what it has to become.
#[derive(Debug, Clone, Copy)]
pub struct Fix<'a> {
    /// The file; it is only read.
    pub source: &'a Path,
    /// Its facts.
    pub info: &'a MediaInfo,
    /// The rule set that the result has to pass.
    pub spec: &'a Spec,
    /// What the user prefers.
    pub options: &'a FixOptions,
    /// The final name. Its folder exists.
    pub output: &'a Path,
    /// The part of it to take, where it is split.
    pub part: Option<Part>,
}

/// A fixed video: written, probed with the same rule set, decoded, renamed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fixed {
    /// What was done, and why.
    pub plan: Plan,
    /// The final name.
    pub output: WirePath,
    /// The facts of the result.
    pub info: MediaInfo,
    /// What the rule set says of the result; it passes.
    pub report: Report,
    /// Frames that were decoded in the proof; 0 where nothing was encoded.
    pub frames_decoded: u64,
    /// Packets of copied streams that were read back and are the source's own.
    #[serde(default)]
    pub packets_compared: u64,
    /// What was left out of a damaged source.
    #[serde(default)]
    pub salvaged: Option<Salvaged>,
}

/// What was left out of a damaged source, as `salvage` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salvaged {
    /// Packets and pictures that could not be read or decoded.
    pub pieces: u64,
    /// When the first of them would have been shown, counted from where the result begins.
    pub first: Option<Seconds>,
}

/// What the worker is linked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The worker's own version.
    pub version: String,
    /// Library and version: `libavcodec 59.37.100`.
    pub libraries: Vec<String>,
    /// Video and audio encoders that the libraries have: `libx264`, `aac`.
    pub encoders: Vec<String>,
    /// Every encoder of pictures that pinpress knows, best first.
    #[serde(default)]
    pub video_encoders: Vec<EncoderReport>,
    /// What confines a job here: `landlock abi 4`, `address space 4 GiB`; empty where nothing does.
    pub sandbox: Vec<String>,
}

/// One encoder of pictures, and what can be done with it here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncoderReport {
    /// The choice that asks for it.
    pub encoder: Encoder,
    /// libav's name: `h264_nvenc`.
    pub name: String,
    /// What can be done with it.
    pub state: EncoderState,
}

/// Whether an encoder can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncoderState {
    /// It is what [`Encoder::Auto`] stands for.
    Default,
    /// It opens, and is used when asked for.
    Usable,
    /// The libraries have it, and it does not open here: no hardware, no driver. With libav's reason.
    CannotOpen(String),
    /// The libraries were built without it.
    NotCompiledIn,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure, for deciding what to do next.
    pub kind: FailureKind,
    /// For a person: what happened and what to do; without the path, which the front knows.
    pub message: String,
    /// The last lines that libav logged, at most 50; of a worker that died or hung, what it wrote to its standard error
    /// stands after them.
    pub log: Vec<String>,
}

impl Failure {
    /// A failure without a log.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), log: Vec::new() }
    }

    /// An output that is there, and is not to be replaced.
    #[must_use]
    pub fn output_exists() -> Self {
        Self::new(FailureKind::OutputExists, "the output exists already: remove it, or pass --overwrite")
    }
}

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The operating system refused: no such file, no permission, disk full.
    Io,
    /// No demuxer of the allow-list knows it, or it holds no picture.
    NotAVideo,
    /// Cut off before its index.
    Incomplete,
    /// Broken inside.
    Corrupt,
    /// No plan makes it fit.
    Unfixable,
    /// The result did not pass its proof; nothing was renamed.
    Unproven,
    /// The output exists already, and overwriting was not asked for.
    OutputExists,
    /// An encoder or filter failed or is missing.
    Encoder,
    /// The front asked to stop.
    Cancelled,
    /// The worker died.
    Crashed,
    /// No progress for longer than the watchdog allows.
    Stalled,
    /// Progress for longer than such a file can take.
    Endless,
    /// The worker said something that is no event, or could not be started.
    Protocol,
}

/// Spans of media time on the wire, whole milliseconds.
#[must_use]
pub fn wire_millis(time: Seconds) -> u64 {
    u64::try_from(time.millis()).unwrap_or(0)
}
