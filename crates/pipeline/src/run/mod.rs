//! The whole flow over a folder. Four stages run at the same time, each handing its videos to the next over a bounded
//! channel: intake (fingerprint, check, ledger) on `jobs` threads, fixes on as many as the machine has cores for,
//! covers on one, and publishing on a tokio runtime, the only place where threads and tasks meet.

mod cover;
mod due;
mod fix;
mod folders;
mod intake;
mod item;
mod publish;
mod publish_watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use pinpress_media::FixOptions;
use pinpress_probe::Spec;
use tokio::runtime::Runtime;

use crate::discover::{DiscoverError, Discovery, Found, Unreadable, discover};
use crate::interrupt::Interrupt;
use crate::ledger::{HoldError, Ledger, LedgerError, LockError, RunLock, SqliteLedger};
pub use crate::ledger::{OWN_FOLDER, ledger_path, lock_path};
use crate::media::Media;
use crate::observe::{RunEvent, RunObserver};
use crate::outcome::{End, RunSummary, VideoOutcome};
use crate::pins::{PinOptions, PinTexts, PinsError, VideoOrder, assign, resolve};
use crate::sweep::sweep;
use crate::threads::Threads;
pub use due::{publish_due, watch};
use folders::Folders;

/// What becomes of the videos before they are published.
#[derive(Debug, Clone)]
pub enum Mode {
    /// They are fixed into the output folder.
    Fix(FixOptions),
    /// They are published where and as they are; what does not fit is not.
    AsIs,
}

/// A run.
#[derive(Debug)]
pub struct RunOptions {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// The output folder; made when it is missing. The ledger is in it.
    pub output: PathBuf,
    /// The rule set of videos whose row names no other.
    pub spec: Spec,
    /// Whether they are fixed.
    pub mode: Mode,
    /// Videos that are worked on at the same time.
    pub jobs: usize,
    /// Where they are published; `None` stops after the covers.
    pub pins: Option<PinOptions>,
    /// Boards and texts.
    pub texts: PinTexts,
}

/// The run could not be done. What was finished is kept.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A path does not exist, or is the output folder.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// Nothing to do.
    #[error("no video in it: {paths}", paths = paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", "))]
    NoVideos {
        /// Where was looked.
        paths: Vec<PathBuf>,
    },
    /// The output folder could not be made.
    #[error("cannot make the output folder: {source}: {path}", path = path.display())]
    Output {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Nothing to publish from, or another run is at work there.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// Another run is at work there.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Boards or texts are wrong.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// The system gives no threads.
    #[error("cannot start: {0}")]
    Runtime(std::io::Error),
}

/// Takes all videos under `options.paths` as far as they go, and answers how each ended.
///
/// # Errors
/// When the work as a whole cannot be done; see [`RunError`]. A video that fails is no error of the run.
pub fn run(
    options: &RunOptions,
    media: &dyn Media,
    observer: &dyn RunObserver,
    interrupt: &Interrupt,
) -> Result<RunSummary, RunError> {
    let output = matches!(options.mode, Mode::Fix(_)).then_some(options.output.as_path());
    let discovery = discover(&options.paths, output)?;
    if discovery.videos.is_empty() {
        return Err(RunError::NoVideos { paths: options.paths.clone() });
    }
    observer.event(&RunEvent::Discovered { videos: discovery.videos.len(), skipped: discovery.skipped });
    tell_about(&discovery, observer);
    let assignments = match &options.pins {
        Some(_) => Some(assign(&discovery.videos, &options.paths, &options.texts)?),
        None => None,
    };
    std::fs::create_dir_all(&options.output)
        .map_err(|source| RunError::Output { path: options.output.clone(), source })?;
    let _lock = RunLock::take(&lock_path(&options.output))?;
    let ledger = SqliteLedger::open(&ledger_path(&options.output))?;
    let swept = sweep(&options.output);
    if !swept.is_empty() {
        observer.event(&RunEvent::Swept { files: swept.len() });
    }
    let network = match (&options.pins, assignments) {
        (Some(pins), Some(assignments)) => {
            for (video, message) in &assignments.advice {
                observer.event(&RunEvent::Warning { video: Some(video), message: message.clone() });
            }
            let runtime = runtime()?;
            let orders = runtime.block_on(resolve(&pins.client, assignments, &options.texts))?;
            Some((pins, runtime, orders))
        }
        _ => None,
    };
    let (network, orders) = match network {
        Some((pins, runtime, orders)) => (Some((pins, runtime)), orders),
        None => (None, vec![VideoOrder::default(); discovery.videos.len()]),
    };
    let run = Run::new(options, &discovery.videos, orders, (media, observer, interrupt), &ledger);
    run.stages(network.as_ref().map(|(pins, runtime)| (*pins, runtime)))?;
    run.folders.prune();
    run.into_summary(discovery.skipped, discovery.unreadable)
}

fn tell_about(discovery: &Discovery, observer: &dyn RunObserver) {
    for place in &discovery.unreadable {
        observer.event(&RunEvent::Warning { video: None, message: place.to_string() });
    }
    for link in &discovery.loops {
        let message = format!("not followed, it leads back to a folder above it: {}", link.display());
        observer.event(&RunEvent::Warning { video: None, message });
    }
}

pub(crate) fn runtime() -> Result<Runtime, RunError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("publish")
        .enable_all()
        .build()
        .map_err(RunError::Runtime)
}

/// What the stages share.
struct Run<'a> {
    options: &'a RunOptions,
    videos: &'a [Found],
    orders: Vec<VideoOrder>,
    media: &'a dyn Media,
    observer: &'a dyn RunObserver,
    interrupt: &'a Interrupt,
    ledger: &'a dyn Ledger,
    threads: Threads,
    folders: Folders,
    /// A ledger that cannot be written ends the run.
    fatal: Mutex<Option<LedgerError>>,
    ended: Mutex<BTreeMap<usize, VideoOutcome>>,
    /// Why no other video will fare better: the token is not accepted.
    refused: OnceLock<String>,
    /// Until when Pinterest asks to be left alone.
    hold: Mutex<Option<Timestamp>>,
}

impl<'a> Run<'a> {
    fn new(
        options: &'a RunOptions,
        videos: &'a [Found],
        orders: Vec<VideoOrder>,
        (media, observer, interrupt): (&'a dyn Media, &'a dyn RunObserver, &'a Interrupt),
        ledger: &'a dyn Ledger,
    ) -> Self {
        Self {
            options,
            videos,
            orders,
            media,
            observer,
            interrupt,
            ledger,
            threads: Threads::share(options.jobs, Threads::cores()),
            folders: Folders::new(&options.output),
            fatal: Mutex::new(None),
            ended: Mutex::new(BTreeMap::new()),
            refused: OnceLock::new(),
            hold: Mutex::new(None),
        }
    }
}

impl Run<'_> {
    fn stages(&self, network: Option<(&PinOptions, &Runtime)>) -> Result<(), RunError> {
        let outputs = intake::name_outputs(self)?;
        let queue = 2 * self.threads.jobs;
        let (to_fix, fixes) = crossbeam_channel::bounded(queue);
        let (to_cover, covers) = crossbeam_channel::bounded(queue);
        let (to_publish, pins) = tokio::sync::mpsc::channel(queue);
        std::thread::scope(|scope| {
            // Each stage ends when the one before it has ended and its queue is empty.
            scope.spawn(move || intake::intake(self, &outputs, &to_fix));
            for _ in 0..self.threads.jobs {
                let (fixes, to_cover) = (fixes.clone(), to_cover.clone());
                scope.spawn(move || fix::fixes(self, &fixes, &to_cover));
            }
            drop((fixes, to_cover));
            scope.spawn(move || cover::covers(self, &covers, &to_publish));
            scope.spawn(move || publish::publishing(self, pins, network));
        });
        Ok(())
    }

    /// Whether to wind down: somebody asked, or nothing can be recorded any more.
    fn stopping(&self) -> bool {
        self.interrupt.requested() || self.fatal.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The value, or the end of the run.
    fn recorded<T>(&self, result: Result<T, LedgerError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                tracing::error!(%error, "the ledger failed");
                self.fatal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                None
            }
        }
    }

    /// Nothing more is done with the video in this run.
    fn finish(&self, index: usize, outcome: VideoOutcome) {
        self.observer.event(&RunEvent::Finished { outcome: &outcome });
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).insert(index, outcome);
    }

    /// How all videos ended, or why the run could not go on.
    fn into_summary(self, skipped: usize, unreadable: Vec<Unreadable>) -> Result<RunSummary, RunError> {
        if let Some(error) = self.fatal.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error.into());
        }
        let mut ended = self.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        let videos = self
            .videos
            .iter()
            .enumerate()
            .map(|(index, video)| {
                ended.remove(&index).unwrap_or_else(|| VideoOutcome::of(&video.path, End::Interrupted))
            })
            .collect();
        let interrupted = self.interrupt.requested();
        let refused = self.refused.into_inner();
        let hold = self.hold.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(RunSummary { videos, skipped, unreadable, interrupted, refused, hold })
    }
}
