//! The ground for tests of a run: a folder of small videos that fit, a worker that copies them, and a Pinterest on
//! loopback. The worker is scripted, as what is tested is what the run makes of it; the videos are real, as the
//! stand-in looks at what it gets.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pinpress_media::{
    Candidate, CoverOptions, Covers, Failure, FailureKind, Fix, FixOptions, Fixed, Observer, PictureFiles, Plan,
    Progress,
};
use pinpress_pipeline::{
    Clock, End, Filters, Interrupt, KeepFree, LedgerPlace, Media, Mode, PinOptions, PinTexts, RunError, RunOptions,
    RunSummary, check_file, run,
};
use pinpress_probe::{DeepReader, MediaInfo, ProbeError, Seconds, Spec};
use pinpress_publish::{AccessToken, ClientOptions, CoverAs, LookupPolicy, PollPolicy, RetryPolicy};
use pinpress_rehearsal::{BoardOptions, FaultRule, Rehearsal, RehearsalOptions};

/// Copies, and counts how often it was asked.
#[derive(Default)]
pub(crate) struct ScriptedMedia {
    pub(crate) fixes: AtomicUsize,
    pub(crate) covers: AtomicUsize,
    /// Failures of the next fixes, by the file name of the source; one is taken by each call.
    pub(crate) failures: Mutex<HashMap<String, Vec<FailureKind>>>,
    /// Asked to stop during the first fix.
    pub(crate) stop_in_fix: Option<Interrupt>,
    /// How far the fix has come by then.
    pub(crate) come_so_far: Option<Progress>,
}

impl DeepReader for ScriptedMedia {
    fn read(&self, path: &Path) -> Result<MediaInfo, ProbeError> {
        Err(ProbeError::NotAVideo { reason: "no container that libav knows".to_owned(), path: path.to_owned() })
    }
}

impl Media for ScriptedMedia {
    fn fix(&self, fix: Fix<'_>, observer: &dyn Observer) -> Result<Fixed, Failure> {
        let Fix { source, info, spec, options, output, .. } = fix;
        self.fixes.fetch_add(1, Ordering::SeqCst);
        if let Some(progress) = self.come_so_far {
            observer.progress(progress);
        }
        if let Some(interrupt) = &self.stop_in_fix {
            interrupt.request();
        }
        if observer.cancelled() {
            return Err(Failure::new(FailureKind::Cancelled, "stopped"));
        }
        let name = source.file_name().unwrap().to_string_lossy().into_owned();
        if let Some(kind) = self.failures.lock().unwrap().get_mut(&name).and_then(Vec::pop) {
            return Err(Failure::new(kind, format!("{kind:?} on purpose")));
        }
        if output.exists() && !options.overwrite {
            return Err(Failure::new(FailureKind::OutputExists, "there is a file already"));
        }
        std::fs::copy(source, output).unwrap();
        let checked = check_file(output, spec, self).unwrap();
        Ok(Fixed {
            plan: Plan::passthrough(info.duration),
            output: output.into(),
            info: checked.info,
            report: checked.report,
            frames_decoded: 0,
            packets_compared: 0,
            salvaged: None,
        })
    }

    fn cover(&self, _: &Path, options: &CoverOptions, _: &dyn Observer) -> Result<Covers, Failure> {
        self.covers.fetch_add(1, Ordering::SeqCst);
        let PictureFiles { folder, stem, format, .. } = options.pictures.as_ref().unwrap();
        let name = format!("{}.{}", PathBuf::from(stem).display(), format.extension());
        let file = PathBuf::from(folder).join(name);
        std::fs::write(&file, b"\xFF\xD8\xFF\xE0 a picture by its first bytes").unwrap();
        let time = options.at.unwrap_or(Seconds::from_millis(1_500));
        let best = Candidate { time, score: 1.0, parts: Vec::new(), flaw: None, file: Some(file.as_path().into()) };
        Ok(Covers { candidates: vec![best], rejected: Vec::new(), looked_at: 1 })
    }
}

/// The system's clock, set forward by whatever was waited for.
#[derive(Debug, Default)]
pub(crate) struct SetClock {
    ahead: Mutex<SignedDuration>,
    /// The waits that were asked for.
    pub(crate) waits: Mutex<Vec<SignedDuration>>,
}

impl SetClock {
    pub(crate) fn set_forward(&self, by: SignedDuration) {
        *self.ahead.lock().unwrap() += by;
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + *self.ahead.lock().unwrap()
    }

    fn wait(&self, until: Timestamp, _: &Interrupt) {
        let wait = until.duration_since(self.now());
        self.waits.lock().unwrap().push(wait);
        self.set_forward(wait);
    }
}

/// A folder of raw videos, an output folder, and a stand-in.
pub(crate) struct Ground {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) rehearsal: Rehearsal,
    pub(crate) options: FixOptions,
    pub(crate) board: Option<String>,
    pub(crate) manifest: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) interrupt: Interrupt,
    pub(crate) destination: &'static str,
    pub(crate) every: Option<SignedDuration>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) filters: Filters,
    /// Nothing is being written when a run begins, unless a test says so.
    pub(crate) settle: Duration,
    pub(crate) keep_free: KeepFree,
    conforming: Vec<u8>,
}

impl Ground {
    /// `None` where there is no ffmpeg to make a video; says so.
    pub(crate) fn new(faults: Vec<FaultRule>) -> Option<Self> {
        let made = pinpress_fixtures::make("conforming-9x16.mp4");
        if let Err(error @ pinpress_fixtures::FixtureError::NoFfmpeg(_)) = &made {
            println!("skipped: {error}");
            return None;
        }
        let conforming = std::fs::read(made.unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("raw")).unwrap();
        let boards = ["Rehearsal", "Elsewhere"].map(BoardOptions::named).to_vec();
        let rehearsal = Rehearsal::start(RehearsalOptions {
            faults,
            boards,
            ..RehearsalOptions::new(dir.path().join("pinterest"))
        })
        .unwrap();
        Some(Self {
            dir,
            rehearsal,
            options: FixOptions::default(),
            board: Some("Rehearsal".to_owned()),
            manifest: None,
            token: None,
            interrupt: Interrupt::default(),
            destination: "rehearsal",
            every: None,
            clock: Arc::default(),
            filters: Filters::default(),
            settle: Duration::ZERO,
            keep_free: KeepFree::default(),
            conforming,
        })
    }

    pub(crate) fn raw(&self, name: &str) -> PathBuf {
        self.dir.path().join("raw").join(name)
    }

    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.dir.path().join("out").join(name)
    }

    /// Where the ledger of its runs is.
    pub(crate) fn place(&self) -> LedgerPlace {
        LedgerPlace::new(&self.out(""), None)
    }

    /// A video that fits, told apart from the others by `mark`: a `free` box at its end (ISO/IEC 14496-12 §8.1.2).
    pub(crate) fn video(&self, name: &str, mark: &str) {
        let path = self.raw(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = self.conforming.clone();
        bytes.extend(u32::try_from(8 + mark.len()).unwrap().to_be_bytes());
        bytes.extend(b"free");
        bytes.extend(mark.as_bytes());
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn run_options(&self) -> RunOptions {
        let token = AccessToken::new(self.token.as_deref().unwrap_or(self.rehearsal.token())).unwrap();
        let quick = Duration::from_millis(5);
        let client = ClientOptions {
            api_base: self.rehearsal.api_base().parse().unwrap(),
            retry: RetryPolicy { first_delay: quick, max_delay: quick, ..RetryPolicy::default() },
            poll: PollPolicy { first_delay: quick, max_delay: quick, limit: Duration::from_secs(30) },
            lookup: LookupPolicy { looks: 2, delay: quick, ..LookupPolicy::default() },
            ..ClientOptions::default()
        };
        let manifest = self.manifest.as_ref().map(|text| {
            let path = self.dir.path().join("pins.csv");
            std::fs::write(&path, text).unwrap();
            pinpress_pipeline::Manifest::load(&path).unwrap()
        });
        RunOptions {
            depot: None,
            paths: vec![self.dir.path().join("raw")],
            filters: self.filters.clone(),
            shard: None,
            settle: self.settle,
            keep_free: self.keep_free.clone(),
            output: self.dir.path().join("out"),
            ledger: None,
            spec: Spec::load("pinterest").unwrap(),
            mode: Mode::Fix(self.options.clone()),
            jobs: 2,
            pins: Some(PinOptions {
                client: pinpress_publish::Client::new(token, client).unwrap(),
                destination: self.destination.to_owned(),
                cover_as: CoverAs::Image,
                cover_url: None,
                uploads: 2,
                every: self.every,
                clock: self.clock.clone(),
            }),
            texts: PinTexts { manifest, board: self.board.clone(), ..PinTexts::default() },
            more_to_come: false,
        }
    }

    pub(crate) fn try_run(&self, media: &ScriptedMedia) -> Result<RunSummary, RunError> {
        run(&self.run_options(), media, &(), &self.interrupt)
    }

    /// Runs, and answers how each video ended by its file name.
    pub(crate) fn ends(&self, media: &ScriptedMedia) -> HashMap<String, End> {
        let summary = self.try_run(media).unwrap();
        summary.videos.iter().map(|video| (name_of(&video.source), video.end.clone())).collect()
    }
}

pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// All files below a folder, our own apart, in sorted order.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(folder).unwrap().display().to_string();
            if relative == ".pinpress" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            }
            found.push(relative);
        }
    }
    found.sort();
    found
}
