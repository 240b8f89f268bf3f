//! The first stage: which job a file is, and what is left to do of it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crossbeam_channel::{Receiver, Sender};
use pinpress_probe::{Fingerprint, ProbeError, Seconds, Source};
use pinpress_store::StoreError;
use tracing::Span;

use super::item::{Item, SpecOf};
use super::stored::{examine_object, stamp_of};
use super::survey::Sighting;
use super::twins::{First, Standing as TwinStanding, Twin};
use super::{Mode, Run, Working};
use crate::check::{Checked, check_source};
use crate::ledger::{FileStamp, Job, JobKey, JobState};
use crate::naming::{Names, absolute, cover_of, receipt_of};
use crate::observe::{RunStage, new_video_span};
use crate::ordered::stream_in_order;
use crate::outcome::{CoverOutcome, End, VideoOutcome};

/// How often a file that may be growing is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What looking at a file brought.
pub(super) enum Examined {
    /// Its job needs no look inside.
    Known(JobKey),
    /// It was read and judged.
    Read(JobKey, Box<Checked>),
    /// It is no video that can be read.
    Unreadable { key: Option<JobKey>, error: ProbeError },
    /// Somebody is still writing it.
    Growing,
    /// It cannot be taken now.
    Later { reason: String },
    /// The ledger failed, or nothing may begin any more.
    Stopped,
}

pub(super) fn intake<'a>(
    run: &'a Run<'a>,
    given: HashMap<PathBuf, PathBuf>,
    sightings: Receiver<Sighting>,
    to_fix: &Sender<Item<'a>>,
) {
    let given: HashMap<_, _> =
        given.into_iter().filter_map(|(source, kept)| Some((source, run.relative(&kept)?))).collect();
    let mut desk =
        Desk { run, names: Names::beside(given.values()), given, claimed: HashSet::new(), seen: HashMap::new() };
    stream_in_order(
        sightings.into_iter(),
        run.options.jobs.max(1),
        run.interrupt,
        |_, sighting| {
            let span = new_video_span(&sighting.found.path);
            let examined = span.in_scope(|| examine(run, &sighting));
            (sighting, span, examined)
        },
        |_, (sighting, span, examined)| {
            if run.stopping() {
                return;
            }
            let address = sighting.found.object.as_ref().map(|object| object.address.clone());
            let admitted = desk.admit(sighting, &span, examined);
            let to_be_fixed = |item: &Item<'_>| matches!(item.job.state, JobState::Checked | JobState::Fixing);
            if let Some(address) = address.filter(|_| !admitted.as_ref().is_some_and(to_be_fixed)) {
                run.objects.forget(&address);
            }
            if let Some(item) = admitted {
                // The receivers live until this sender is gone.
                drop(to_fix.send(item));
            }
        },
    );
}

impl Run<'_> {
    /// An output as the ledger keeps it.
    fn kept(&self, relative: &Path) -> PathBuf {
        // An absolute path stays itself.
        self.among_others.as_ref().map_or_else(|| relative.to_owned(), |folder| folder.join(relative))
    }

    /// An output that the ledger keeps, relative to the output folder; `None` for one of another folder.
    fn relative(&self, kept: &Path) -> Option<PathBuf> {
        match (&self.options.mode, &self.among_others) {
            (Mode::Fix(_), Some(folder)) => kept.strip_prefix(folder).ok().map(Path::to_owned),
            _ => Some(kept.to_owned()),
        }
    }
}

fn spec_of<'a>(run: &'a Run<'a>, sighting: &Sighting) -> SpecOf<'a> {
    sighting.spec.clone().map_or(SpecOf::Run(&run.options.spec), SpecOf::Own)
}

/// Waits until a file that was written a moment ago has settled; false when it goes on growing.
fn has_settled(run: &Run<'_>, path: &Path) -> bool {
    let settle = run.options.settle;
    let stamp = || FileStamp::of(path).ok();
    let first = stamp();
    let age = || {
        let written = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        // A clock that is behind the file system's says nothing of its age.
        written.map_or(settle, |written| SystemTime::now().duration_since(written).unwrap_or_default())
    };
    let mut waited = Duration::ZERO;
    while age() < settle && waited < settle && !run.stopping() {
        std::thread::sleep(LOOK);
        waited += LOOK;
        if stamp() != first {
            return false;
        }
    }
    true
}

fn examine(run: &Run<'_>, sighting: &Sighting) -> Examined {
    if run.stopping() {
        return Examined::Stopped;
    }
    let path = &sighting.found.path;
    // An object appears when it is whole.
    if sighting.found.object.is_none() && !has_settled(run, path) {
        return Examined::Growing;
    }
    let spec = spec_of(run, sighting);
    let key_of = |fingerprint: Fingerprint| match (&run.options.mode, &run.among_others) {
        (Mode::Fix(options), None) => JobKey::new(fingerprint, &spec, options),
        (Mode::Fix(options), Some(folder)) => JobKey::new(fingerprint, &spec, options).below(folder),
        (Mode::AsIs, _) => JobKey::as_is(fingerprint, &spec),
    };
    let place = absolute(path);
    let cached = match stamp_of(&sighting.found).map(|stamp| run.recorded(run.ledger.fingerprint(&place, stamp))) {
        Some(Some(cached)) => cached,
        Some(None) => return Examined::Stopped,
        // Opening it will say why.
        None => None,
    };
    let cached = cached.map(key_of);
    if let Some(key) = &cached {
        match run.recorded(run.ledger.find(key)) {
            Some(Some(job)) => match is_settled(run, sighting.cover_at, &job) {
                Ok(true) => return Examined::Known(key.clone()),
                Ok(false) => {}
                Err(error) => return Examined::Later { reason: error.to_string() },
            },
            Some(None) => {}
            None => return Examined::Stopped,
        }
    }
    let mut working = Working::begin(run, path, RunStage::Check);
    let _span = working.span().clone().entered();
    if let Some(object) = &sighting.found.object {
        let examined = examine_object(run, &sighting.found, object, &spec, (cached, &key_of));
        if let Examined::Read(_, checked) = &examined {
            working.succeeded(checked.info.duration);
        }
        return examined;
    }
    let source = match Source::open(path) {
        Ok(source) => source,
        Err(error) => return Examined::Unreadable { key: None, error },
    };
    let key = match cached {
        Some(key) => key,
        None => match fingerprint(run, &source, &place) {
            Ok(fingerprint) => key_of(fingerprint),
            Err(error) => return Examined::Unreadable { key: None, error },
        },
    };
    match check_source(&source, &spec, run.media) {
        Ok(checked) => {
            working.succeeded(checked.info.duration);
            Examined::Read(key, Box::new(checked))
        }
        Err(error) => Examined::Unreadable { key: Some(key), error },
    }
}

fn fingerprint(run: &Run<'_>, source: &Source, place: &Path) -> Result<Fingerprint, ProbeError> {
    let error = |source| ProbeError::Io { path: place.to_owned(), source };
    let stamp = || source.file().metadata().map(|metadata| FileStamp::from(&metadata));
    let before = stamp().map_err(error)?;
    let fingerprint = source.fingerprint().map_err(error)?;
    // A file that was written meanwhile has no content to remember.
    if before == stamp().map_err(error)? {
        run.recorded(run.ledger.remember(place, before, &fingerprint));
    }
    Ok(fingerprint)
}

/// Whether the job needs no look at the source: it is done and its results are there, or nothing will be tried.
fn is_settled(run: &Run<'_>, cover_at: Option<Seconds>, job: &Job) -> Result<bool, StoreError> {
    Ok(match job.state {
        JobState::Unreadable | JobState::Failed | JobState::SetAside => true,
        JobState::Checked | JobState::Fixing => false,
        _ => Standing::of(run, cover_at, job)?.fixed,
    })
}

/// What of a job's results is still there.
struct Standing {
    fixed: bool,
    covered: bool,
}

impl Standing {
    fn of(run: &Run<'_>, asked: Option<Seconds>, job: &Job) -> Result<Self, StoreError> {
        let output = run.local(&job.output);
        let is = |path: &Path, stamp: FileStamp| Ok(run.result_stamp(path)? == Some(stamp));
        let fixed = job.rendition.as_ref().map_or(Ok(false), |rendition| is(&output, rendition.stamp))?;
        let cover = job.cover.as_ref().filter(|cover| fixed && cover.asked == asked);
        let covered = cover.map_or(Ok(false), |cover| is(&cover_of(&output), cover.stamp))?;
        Ok(Self { fixed, covered })
    }
}

/// Where one video after another is admitted, in their order, so that the same folder gives the same names.
struct Desk<'a> {
    run: &'a Run<'a>,
    /// Outputs by source, of earlier runs.
    given: HashMap<PathBuf, PathBuf>,
    names: Names,
    /// Outputs that a video of this run has.
    claimed: HashSet<PathBuf>,
    seen: HashMap<JobKey, First>,
}

impl<'a> Desk<'a> {
    fn admit(&mut self, sighting: Sighting, span: &Span, examined: Examined) -> Option<Item<'a>> {
        let run = self.run;
        let index = sighting.index;
        let source = sighting.found.path.clone();
        let (key, checked) = match examined {
            Examined::Known(key) => (key, None),
            Examined::Read(key, checked) => (key, Some(*checked)),
            Examined::Unreadable { key, error } => {
                self.refuse(&sighting, span, key, &error);
                return None;
            }
            Examined::Growing => {
                let reason = "somebody is still writing it: it is left for the next run".to_owned();
                run.finish(index, span, VideoOutcome::of(&source, End::Later { reason }));
                return None;
            }
            Examined::Later { reason } => {
                run.finish(index, span, VideoOutcome::of(&source, End::Later { reason }));
                return None;
            }
            Examined::Stopped => return None,
        };
        // The same video comes again out of a queue when it did not work: no twin of its own.
        if let Some(first) = self.seen.get(&key).filter(|first| first.source != source) {
            let of = first.clone();
            return self.admit_twin(&sighting, span, of, &key);
        }
        let relative = self.claim(&sighting, &key)?;
        let output = run.local(&relative);
        if matches!(run.options.mode, Mode::Fix(_)) && run.is_source(&output) {
            let reason = "its output would replace a source: choose another output folder".to_owned();
            run.finish(index, span, VideoOutcome::of(&source, End::Failed { stage: RunStage::Check, reason }));
            return None;
        }
        let job = run.recorded(run.ledger.enroll(&key, &absolute(&source), &run.kept(&relative)))?;
        self.seen.insert(key, First { index, source: source.clone(), job: job.id });
        let receipt = receipt_of(&output);
        let spec = spec_of(run, &sighting);
        let cover_at = sighting.cover_at;
        let (cover, twin_of, worked) = (None, None, false);
        let (span, object) = (span.clone(), sighting.found.object.clone());
        let item =
            Item { index, source, span, object, job, output, receipt, spec, cover_at, checked, cover, twin_of, worked };
        self.stand(item)
    }

    /// A video whose content is that of an earlier one: the work is done once.
    fn admit_twin(&mut self, sighting: &Sighting, span: &Span, of: First, key: &JobKey) -> Option<Item<'a>> {
        let run = self.run;
        let receipt = match &run.options.mode {
            Mode::Fix(_) => receipt_of(&run.local(&self.name(sighting))),
            Mode::AsIs => receipt_of(&absolute(&sighting.found.path)),
        };
        let (source, span) = (sighting.found.path.clone(), span.clone());
        let twin = Twin { index: sighting.index, source, span, of, receipt };
        match run.twins.join(twin) {
            TwinStanding::Waits => None,
            TwinStanding::Ended(twin) => {
                run.end_twin(&twin);
                None
            }
            TwinStanding::Ready(twin) => {
                let job = run.recorded(run.ledger.find(key))??;
                let output = run.local(&job.output);
                let time = job.cover.as_ref().map(|cover| cover.time);
                let picture = cover_of(&output);
                Some(Item {
                    index: twin.index,
                    source: twin.source,
                    span: twin.span,
                    object: None,
                    output,
                    receipt: twin.receipt,
                    spec: spec_of(run, sighting),
                    cover_at: sighting.cover_at,
                    checked: None,
                    cover: run.has_result(&picture).then_some(CoverOutcome { file: picture, time }),
                    twin_of: Some(twin.of),
                    job: Job { state: JobState::Covered, ..job },
                    worked: false,
                })
            }
        }
    }

    /// The output for its name: that of an earlier run, else the first that is free.
    fn name(&mut self, sighting: &Sighting) -> PathBuf {
        if let Some(output) = &sighting.output {
            return output.clone();
        }
        let place = absolute(&sighting.found.path);
        match &self.run.options.mode {
            // An absolute path stays itself when it is joined to the output folder.
            Mode::AsIs => place,
            Mode::Fix(_) => match self.given.get(&place).filter(|output| !self.claimed.contains(*output)) {
                Some(given) => given.clone(),
                None => self.names.give(&sighting.found.relative),
            },
        }
    }

    /// The output of the job: that of an earlier run, else the one for its name.
    fn claim(&mut self, sighting: &Sighting, key: &JobKey) -> Option<PathBuf> {
        let earlier = self.run.recorded(self.run.ledger.find(key))?.and_then(|job| self.run.relative(&job.output));
        let output = match earlier.filter(|output| !self.claimed.contains(output)) {
            Some(output) => output,
            None => self.name(sighting),
        };
        self.names.take(&output);
        self.claimed.insert(output.clone());
        Some(output)
    }

    /// Sets the job back to where its results still stand.
    fn stand(&self, mut item: Item<'a>) -> Option<Item<'a>> {
        let run = self.run;
        let reason = item.job.reason.clone().unwrap_or_default();
        match item.job.state {
            JobState::Unreadable | JobState::Failed => {
                let unreadable = item.job.state == JobState::Unreadable;
                let stage = if unreadable { RunStage::Check } else { RunStage::Fix };
                run.end(item, End::Failed { stage, reason });
                return None;
            }
            JobState::SetAside => {
                run.end(item, End::SetAside { reason });
                return None;
            }
            _ => {}
        }
        let standing = match Standing::of(run, item.cover_at, &item.job) {
            Ok(standing) => standing,
            Err(error) => {
                run.end(item, End::Later { reason: error.to_string() });
                return None;
            }
        };
        let state = match item.job.state {
            JobState::Fixed | JobState::Covering | JobState::Covered if !standing.fixed => JobState::Checked,
            JobState::Covered if !standing.covered => JobState::Fixed,
            state => state,
        };
        if state != item.job.state {
            run.recorded(run.ledger.reopen(item.job.id, state))?;
            item.job.state = state;
        }
        if state == JobState::Checked {
            item.job.rendition = None;
        }
        if state == JobState::Covered {
            let time = item.job.cover.as_ref().map(|cover| cover.time);
            item.cover = Some(CoverOutcome { file: cover_of(&item.output), time });
        }
        Some(item)
    }

    fn refuse(&mut self, sighting: &Sighting, span: &Span, key: Option<JobKey>, error: &ProbeError) {
        let run = self.run;
        let source = sighting.found.path.as_path();
        // The reader's own failure says nothing of the file; what the system refuses may be given the next time.
        let lasting = !matches!(error, ProbeError::Reader { .. } | ProbeError::Io { .. });
        if let Some(key) = key.filter(|_| lasting) {
            // A job of its own, so that `status` shows it; it has no output.
            let relative = self.name(sighting);
            let Some(job) = run.recorded(run.ledger.enroll(&key, &absolute(source), &run.kept(&relative))) else {
                return;
            };
            if run.recorded(run.ledger.set_unreadable(job.id, &error.to_string())).is_none() {
                return;
            }
        }
        let end = End::Failed { stage: RunStage::Check, reason: error.to_string() };
        run.finish(sighting.index, span, VideoOutcome::of(source, end));
    }
}
