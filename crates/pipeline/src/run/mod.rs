//! The whole flow over a folder. The walk hands every video on as it is found, and four stages run at the same time,
//! each handing its videos to the next over a bounded channel: intake (fingerprint, check, ledger) on `jobs` threads,
//! fixes and covers on as many each as the machine has cores for, and publishing on a tokio runtime, the only place
//! where threads and tasks meet. Nothing is sent before the walk has ended and every text and board is found right.

mod aside;
mod book;
mod claims;
mod cover;
mod due;
mod fix;
mod folders;
mod intake;
mod item;
mod keep_watch;
mod publish;
mod publish_watch;
mod queue;
mod results;
mod stored;
mod survey;
mod twins;
mod working;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crossbeam_channel::Receiver;
use jiff::Timestamp;
use pinpress_media::FixOptions;
use pinpress_probe::Spec;
use pinpress_store::{ObjectAddress, StoreError, Stores};
use tokio::runtime::Runtime;
use tracing::Span;

use crate::discover::{DiscoverError, Filters, Walk};
use crate::disk::{KeepFree, Room};
use crate::interrupt::Interrupt;
use crate::ledger::{HoldError, Lease, Leases, Ledger, LedgerAddress, LedgerError, LedgerPlace, LockError, own_folder};
pub use crate::ledger::{OWN_FOLDER, ledger_path, lock_path};
use crate::media::Media;
use crate::naming::absolute;
use crate::objects::Objects;
use crate::observe::{ResultFiles, RunEvent, RunObserver, RunStage};
use crate::outcome::{End, RunSummary, VideoOutcome};
use crate::pins::{PinOptions, PinTexts, PinsError};
use crate::places::Places;
use crate::shard::Shard;
use crate::sweep::sweep;
use crate::threads::Threads;
use book::Book;
pub use due::{publish_due, watch};
use folders::Folders;
use item::Item;
pub use keep_watch::keep_watch;
use queue::Tasks;
pub use queue::{Until, Worked, work};
use results::Depot;
pub(crate) use stored::stamp_of;
use survey::{Sighting, Survey};
use twins::{Twin, Twins};
use working::Working;

/// How long work waits for the walk to end: most do at once, and then every mistake is told before anything is done.
const FOR_THE_WALK: Duration = Duration::from_secs(2);

/// Videos that may wait for their cover, and as many to be published. With short queues a folder that begins with what
/// fits would encode nothing until most of that is uploaded; what waits is a few kilobytes a video.
const READY: usize = 4_096;

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
    /// Which files of the folders are meant.
    pub filters: Filters,
    /// The part of them that is worked on; rows and texts are judged on the whole all the same. `None` is all.
    pub shard: Option<Shard>,
    /// A file that was written to within this time is watched for as long; one that grows is left for later.
    pub settle: Duration,
    /// What stays free on the disk of the output folder.
    pub keep_free: KeepFree,
    /// The output folder; made when it is missing.
    pub output: PathBuf,
    /// Where in storage outputs, covers and receipts go instead. The output folder has the rest then: ledger, log, report.
    pub depot: Option<ObjectAddress>,
    /// The ledger; `None` keeps it in the output folder.
    pub ledger: Option<LedgerAddress>,
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
    /// Whether more videos may come: then a row may name a file that is not there yet.
    pub more_to_come: bool,
}

impl RunOptions {
    /// Where its ledger is.
    #[must_use]
    pub fn ledger_place(&self) -> LedgerPlace {
        LedgerPlace::new(&self.output, self.ledger.as_ref()).of_shard(self.shard).of_depot(self.depot.as_ref())
    }

    /// Where it keeps what is its own: log, report, and the ledger that is not elsewhere.
    #[must_use]
    pub fn own_folder(&self) -> PathBuf {
        own_folder(&self.output, self.shard)
    }
}

/// The run could not be done. What was finished is kept.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A path does not exist, or is the output folder, or what says which files are meant is wrong.
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
    /// The storage where results go cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    run_with(options, &options.texts, media, observer, interrupt)
}

/// The same with other texts than those of the options: a manifest that was saved again meanwhile.
fn run_with(
    options: &RunOptions,
    texts: &PinTexts,
    media: &dyn Media,
    observer: &dyn RunObserver,
    interrupt: &Interrupt,
) -> Result<RunSummary, RunError> {
    let walk = match options.mode {
        Mode::Fix(_) => {
            Walk::begin_with(&options.paths, Some(&options.output_as_named()), &options.filters, &Stores::new())?
        }
        // What is published as it is is uploaded from its file.
        Mode::AsIs => Walk::begin(&options.paths, None, &options.filters)?,
    };
    let Some(walk) = survey::with_a_video(walk)? else {
        return Err(RunError::NoVideos { paths: options.paths.clone() });
    };
    let runtime = options.pins.as_ref().map(|_| runtime()).transpose()?;
    let (book, over) = (Book::default(), AtomicBool::new(false));
    let survey = Survey { options, texts, runtime: runtime.as_ref(), observer, interrupt, book: &book, over: &over };
    let (sightings, sighted) = crossbeam_channel::unbounded();
    let ended = std::thread::scope(|scope| {
        scope.spawn(move || survey.carry_out(walk, &sightings));
        let ended = behind_the_walk(options, runtime.as_ref(), (media, observer, interrupt), &book, sighted);
        over.store(true, Ordering::Relaxed);
        ended
    })?;
    if let Some(error) = book.take_refusal() {
        return Err(error);
    }
    Ok(ended.summary(book, interrupt))
}

/// Everything behind the walk.
fn behind_the_walk(
    options: &RunOptions,
    runtime: Option<&Runtime>,
    (media, observer, interrupt): (&dyn Media, &dyn RunObserver, &Interrupt),
    book: &Book,
    sighted: Receiver<Sighting>,
) -> Result<Ended, RunError> {
    if options.pins.is_some() && book.wait(FOR_THE_WALK) && book.is_refused() {
        return Ok(Ended::default());
    }
    std::fs::create_dir_all(&options.output)
        .map_err(|source| RunError::Output { path: options.output.clone(), source })?;
    let place = options.ledger_place();
    let _lock = place.lock()?;
    let mut output = place.lock_output()?;
    let ledger = place.open()?;
    let lease = place.succeed(&*ledger, &output)?;
    observer.event(&RunEvent::Begun { ledger: ledger.reach() });
    // A shard beside others leaves temp files to whoever comes first the next time: these may be at work on them.
    let swept = if output.is_alone() { sweep(&options.output) } else { Vec::new() };
    output.let_others_in()?;
    if !swept.is_empty() {
        observer.event(&RunEvent::Swept { files: swept.len() });
    }
    let mut run = Run::new(options, book, (media, observer, interrupt), (&*ledger, lease))?;
    run.list_results()?;
    run.renewed_during(|| run.stages(sighted, options.pins.as_ref().zip(runtime)))?;
    // An empty folder may be one that another shard is about to write into.
    if output.is_last() {
        run.folders.prune();
    }
    let ended = run.into_ended();
    keep_copy(&*ledger, observer);
    ended
}

/// Keeps a copy of the ledger for the case that it is damaged; the ledger itself is all that a run needs.
fn keep_copy(ledger: &dyn Ledger, observer: &dyn RunObserver) {
    if let Err(error) = ledger.keep_copy() {
        let message = format!("no copy of the ledger was kept: {error}");
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
    book: &'a Book,
    media: &'a dyn Media,
    observer: &'a dyn RunObserver,
    interrupt: &'a Interrupt,
    ledger: &'a dyn Ledger,
    /// What it has claimed there.
    leases: Leases,
    threads: Threads,
    folders: Folders,
    room: Room,
    twins: Twins,
    /// Fetches the sources that are in storage.
    objects: Objects,
    /// Where results are made: the output folder, unless they are delivered to storage from here.
    made_in: PathBuf,
    depot: Option<Depot>,
    /// Outputs whose files are used, and by how many.
    in_use: Mutex<HashMap<PathBuf, usize>>,
    /// Videos that may be encoded at the same time; others are on their way from and to storage.
    encodes: Places,
    /// The videos of a queue that it works off.
    tasks: Option<&'a Tasks<'a>>,
    /// The output folder, absolute, where the ledger has outputs of others too.
    among_others: Option<PathBuf>,
    /// Where sources lie that an output could replace: the output folder is not left out of these.
    sources: Vec<PathBuf>,
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
        book: &'a Book,
        (media, observer, interrupt): (&'a dyn Media, &'a dyn RunObserver, &'a Interrupt),
        (ledger, lease): (&'a dyn Ledger, Lease),
    ) -> Result<Self, RunError> {
        let output = options.results();
        let objects =
            Objects::new(Stores::new(), options.jobs, interrupt.clone()).within(options.own_folder().join("objects"));
        let made_in = options.made_in(&objects)?;
        let sources = options.paths.iter().map(|path| absolute(path));
        let sources = sources.filter(|path| !output.starts_with(path)).collect();
        let threads = Threads::share(options.jobs, Threads::cores());
        Ok(Self {
            options,
            book,
            media,
            observer,
            interrupt,
            ledger,
            leases: Leases::new(lease),
            encodes: Places::new(threads.jobs),
            threads,
            folders: Folders::new(&made_in),
            room: Room::new(options.keep_free.clone()),
            twins: Twins::default(),
            objects,
            made_in,
            depot: options.depot.as_ref().map(Depot::asked),
            in_use: Mutex::default(),
            tasks: None,
            among_others: options.ledger_place().is_shared().then(|| output.clone()),
            sources,
            fatal: Mutex::new(None),
            ended: Mutex::new(BTreeMap::new()),
            refused: OnceLock::new(),
            hold: Mutex::new(None),
        })
    }
}

impl Run<'_> {
    fn stages(&self, sighted: Receiver<Sighting>, network: Option<(&PinOptions, &Runtime)>) -> Result<(), RunError> {
        // In a queue names were given out when the videos were entered.
        let given = if self.tasks.is_some() { HashMap::new() } else { self.ledger.outputs()? };
        let (to_fix, fixes) = crossbeam_channel::bounded(2 * self.threads.jobs);
        let (to_cover, covers) = crossbeam_channel::bounded(READY);
        let (to_publish, pins) = tokio::sync::mpsc::channel(READY);
        std::thread::scope(|scope| {
            // Each stage ends when the one before it has ended and its queue is empty.
            scope.spawn(move || intake::intake(self, given, sighted, &to_fix));
            // While one is delivered, another is encoded.
            let fixing = if self.depot.is_some() { 2 * self.threads.jobs } else { self.threads.jobs };
            for _ in 0..fixing {
                let (fixes, to_cover) = (fixes.clone(), to_cover.clone());
                scope.spawn(move || fix::fixes(self, &fixes, &to_cover));
            }
            drop((fixes, to_cover));
            // As many as encodes: where nothing has to be encoded, covers are nearly all there is to do.
            for _ in 0..self.threads.jobs {
                let (covers, to_publish) = (covers.clone(), to_publish.clone());
                scope.spawn(move || cover::covers(self, &covers, &to_publish));
            }
            drop((covers, to_publish));
            scope.spawn(move || publish::publishing(self, pins, network));
        });
        Ok(())
    }

    /// Whether to wind down: somebody asked, or the run cannot go on.
    fn stopping(&self) -> bool {
        self.interrupt.requested() || self.broken()
    }

    /// Whether the run cannot go on: nothing can be recorded any more, or what is to be published is not right.
    fn broken(&self) -> bool {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).is_some() || self.book.is_refused()
    }

    /// Whether that file is a source, or would be found as one by the next run.
    fn is_source(&self, file: &Path) -> bool {
        let real = absolute(&self.shown(file));
        // What storage does not tell may be one.
        self.sources.iter().any(|source| real.starts_with(source))
            && self.result_stamp(file).map_or(true, |stamp| stamp.is_some())
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

    /// Nothing more is done in this run with the video that has that span.
    fn finish(&self, index: usize, span: &Span, mut outcome: VideoOutcome) {
        let (output, cover) = (outcome.output.clone(), outcome.cover.as_ref().map(|cover| cover.file.clone()));
        self.name_results(&mut outcome);
        let here = ResultFiles { output: output.as_deref(), cover: cover.as_deref() };
        span.in_scope(|| self.observer.event(&RunEvent::Finished { outcome: &outcome, here }));
        if let Some(output) = &output {
            self.clear(output);
        }
        span.record("end", outcome.end.name());
        if !outcome.end.is_good() {
            span.record("otel.status_code", "ERROR");
        }
        if let Some(tasks) = self.tasks {
            let limit = *self.hold.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.ended(self, index, &outcome, limit);
            // A queue has no end, and nobody asks for all that was ever done.
            return;
        }
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).insert(index, outcome);
    }

    /// Nothing more is done with the video before it could be published, nor with those of the same content.
    fn end(&self, item: Item<'_>, end: End) {
        let (job, span) = (item.job.id, item.span.clone());
        self.finish(item.index, &span, item.outcome(end));
        for twin in self.twins.ended(job) {
            self.end_twin(&twin);
        }
    }

    /// The first with its content has no output. In a queue it may have one yet, and then there is more to do.
    fn end_twin(&self, twin: &Twin) {
        let of = twin.of.source.clone();
        let end = if self.tasks.is_none() {
            End::Duplicate { of }
        } else {
            let reason = format!("it is the same as one that did not work: {}", of.display());
            End::Failed { stage: RunStage::Check, reason }
        };
        self.finish(twin.index, &twin.span, VideoOutcome::of(&twin.source, end));
    }

    /// How the stages have ended, or why the run could not go on.
    fn into_ended(self) -> Result<Ended, RunError> {
        if let Some(error) = self.fatal.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error.into());
        }
        Ok(Ended {
            videos: self.ended.into_inner().unwrap_or_else(PoisonError::into_inner),
            refused: self.refused.into_inner(),
            hold: self.hold.into_inner().unwrap_or_else(PoisonError::into_inner),
        })
    }
}

/// What the stages leave.
#[derive(Debug, Default)]
struct Ended {
    videos: BTreeMap<usize, VideoOutcome>,
    refused: Option<String>,
    hold: Option<Timestamp>,
}

impl Ended {
    fn summary(mut self, book: Book, interrupt: &Interrupt) -> RunSummary {
        let (videos, skipped, unreadable) = book.into_parts();
        let videos = videos
            .iter()
            .enumerate()
            .map(|(index, video)| {
                self.videos.remove(&index).unwrap_or_else(|| VideoOutcome::of(video, End::Interrupted))
            })
            .collect();
        let interrupted = interrupt.requested();
        RunSummary { videos, skipped, unreadable, interrupted, refused: self.refused, hold: self.hold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::{Found, Seen};
    use pinpress_media::{CoverOptions, Covers, Failure, FailureKind, Fix, Fixed, Observer};
    use pinpress_probe::{DeepReader, MediaInfo, ProbeError};

    /// Reads nothing and fixes nothing, and tells that it was asked to.
    struct Asked(crossbeam_channel::Sender<()>);

    impl DeepReader for Asked {
        fn read(&self, path: &Path) -> Result<MediaInfo, ProbeError> {
            self.0.send(()).unwrap();
            Err(ProbeError::NotAVideo { reason: "no video".to_owned(), path: path.to_owned() })
        }
    }

    impl Media for Asked {
        fn fix(&self, _: Fix<'_>, _: &dyn Observer) -> Result<Fixed, Failure> {
            Err(Failure::new(FailureKind::Unfixable, "not fixed"))
        }

        fn cover(&self, _: &Path, _: &CoverOptions, _: &dyn Observer) -> Result<Covers, Failure> {
            Err(Failure::new(FailureKind::Unfixable, "no cover"))
        }
    }

    #[test]
    fn work_begins_before_the_walk_ends() {
        let dir = tempfile::tempdir().unwrap();
        let video = |name: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, name).unwrap();
            Seen::Video(Found::here(path, name.into()))
        };
        let options = RunOptions {
            paths: vec![dir.path().to_owned()],
            filters: Filters::default(),
            shard: None,
            settle: Duration::ZERO,
            keep_free: KeepFree::default(),
            output: dir.path().join("out"),
            depot: None,
            ledger: None,
            spec: Spec::load("pinterest").unwrap(),
            mode: Mode::Fix(FixOptions::default()),
            jobs: 2,
            pins: None,
            texts: PinTexts::default(),
            more_to_come: false,
        };
        let (tell, asked) = crossbeam_channel::unbounded();
        let (book, over, interrupt) = (Book::default(), AtomicBool::new(false), Interrupt::default());
        let survey = Survey {
            options: &options,
            texts: &options.texts,
            runtime: None,
            observer: &(),
            interrupt: &interrupt,
            book: &book,
            over: &over,
        };
        let (sightings, sighted) = crossbeam_channel::unbounded();
        let first = std::iter::once(video("a.mkv"));
        // The second is not met before the first was read.
        let second = std::iter::once_with(|| {
            asked.recv_timeout(Duration::from_secs(60)).unwrap();
            video("b.mkv")
        });
        let ended = std::thread::scope(|scope| {
            scope.spawn(|| {
                survey.carry_out(first.chain(second), &sightings);
                drop(sightings);
            });
            behind_the_walk(&options, None, (&Asked(tell), &(), &interrupt), &book, sighted)
        });
        let summary = ended.unwrap().summary(book, &interrupt);
        assert_eq!(summary.videos.len(), 2);
        assert!(summary.videos.iter().all(|video| matches!(video.end, End::Failed { .. })));
    }
}
