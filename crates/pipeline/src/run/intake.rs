//! The first stage: which job a file is, and what is left to do of it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crossbeam_channel::Sender;
use pinpress_probe::{Fingerprint, ProbeError, Source, Spec};

use super::item::Item;
use super::{Mode, Run};
use crate::check::{Checked, check_source};
use crate::ledger::{FileStamp, Job, JobKey, JobState, LedgerError};
use crate::naming::{absolute, another_name, cover_of, output_names};
use crate::observe::RunStage;
use crate::ordered::in_order;
use crate::outcome::{CoverOutcome, End, VideoOutcome};

/// The outputs of all videos, relative to the output folder; what an earlier run gave out stays.
pub(super) fn name_outputs(run: &Run<'_>) -> Result<Vec<PathBuf>, LedgerError> {
    if matches!(run.options.mode, Mode::AsIs) {
        // An absolute path stays itself when it is joined to the output folder.
        return Ok(run.videos.iter().map(|video| absolute(&video.path)).collect());
    }
    let relative: HashMap<PathBuf, &PathBuf> =
        run.videos.iter().map(|video| (absolute(&video.path), &video.relative)).collect();
    let given = run.ledger.outputs()?.into_iter();
    // Sources that are gone keep their names too: their outputs are still there.
    let given = given.map(|(source, output)| (relative.get(&source).map_or(source, |r| (*r).clone()), output));
    let sources: Vec<PathBuf> = run.videos.iter().map(|video| video.relative.clone()).collect();
    Ok(output_names(&sources, &given.collect()))
}

/// What looking at a file brought.
enum Examined {
    /// Its job needs no look inside.
    Known(JobKey),
    /// It was read and judged.
    Read(JobKey, Box<Checked>),
    /// It is no video that can be read.
    Unreadable { key: Option<JobKey>, error: ProbeError },
    /// The ledger failed.
    Stopped,
}

pub(super) fn intake<'a>(run: &'a Run<'a>, outputs: &[PathBuf], to_fix: &Sender<Item<'a>>) {
    let sources: HashSet<PathBuf> = run.videos.iter().map(|video| absolute(&video.path)).collect();
    let mut desk = Desk { run, outputs, sources, seen: HashMap::new(), claimed: HashSet::new() };
    in_order(
        run.videos.len(),
        run.options.jobs.max(1),
        run.interrupt,
        |index| examine(run, index),
        |index, examined| {
            if run.stopping() {
                return;
            }
            if let Some(item) = desk.admit(index, examined) {
                // The receivers live until this sender is gone.
                drop(to_fix.send(item));
            }
        },
    );
}

fn spec_of<'a>(run: &'a Run<'a>, index: usize) -> &'a Spec {
    run.orders[index].spec.as_ref().unwrap_or(&run.options.spec)
}

fn examine(run: &Run<'_>, index: usize) -> Examined {
    if run.stopping() {
        return Examined::Stopped;
    }
    let path = &run.videos[index].path;
    let spec = spec_of(run, index);
    let key_of = |fingerprint: Fingerprint| match &run.options.mode {
        Mode::Fix(options) => JobKey::new(fingerprint, spec, options),
        Mode::AsIs => JobKey::as_is(fingerprint, spec),
    };
    let place = absolute(path);
    let cached = match FileStamp::of(path).map(|stamp| run.recorded(run.ledger.fingerprint(&place, stamp))) {
        Ok(Some(cached)) => cached,
        Ok(None) => return Examined::Stopped,
        // Opening it will say why.
        Err(_) => None,
    };
    let cached = cached.map(key_of);
    if let Some(key) = &cached {
        match run.recorded(run.ledger.find(key)) {
            Some(Some(job)) if is_settled(run, index, &job) => return Examined::Known(key.clone()),
            Some(_) => {}
            None => return Examined::Stopped,
        }
    }
    run.started(path, RunStage::Check);
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
    match check_source(&source, spec, run.media) {
        Ok(checked) => Examined::Read(key, Box::new(checked)),
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
fn is_settled(run: &Run<'_>, index: usize, job: &Job) -> bool {
    match job.state {
        JobState::Unreadable | JobState::Failed | JobState::SetAside => true,
        JobState::Checked | JobState::Fixing => false,
        _ => Standing::of(run, index, job).fixed,
    }
}

/// What of a job's results is still there.
struct Standing {
    fixed: bool,
    covered: bool,
}

impl Standing {
    fn of(run: &Run<'_>, index: usize, job: &Job) -> Self {
        let output = run.options.output.join(&job.output);
        let is = |path: &Path, stamp: FileStamp| FileStamp::of(path).is_ok_and(|now| now == stamp);
        let fixed = job.rendition.as_ref().is_some_and(|rendition| is(&output, rendition.stamp));
        let asked = run.orders[index].cover_at;
        let covered = fixed
            && job.cover.as_ref().is_some_and(|cover| cover.asked == asked && is(&cover_of(&output), cover.stamp));
        Self { fixed, covered }
    }
}

/// Where one video after another is admitted, in their order, so that the same folder gives the same names.
struct Desk<'a, 'b> {
    run: &'a Run<'a>,
    outputs: &'b [PathBuf],
    sources: HashSet<PathBuf>,
    seen: HashMap<JobKey, usize>,
    claimed: HashSet<PathBuf>,
}

impl<'a> Desk<'a, '_> {
    fn admit(&mut self, index: usize, examined: Examined) -> Option<Item<'a>> {
        let run = self.run;
        let source = run.videos[index].path.as_path();
        let failed = |reason| VideoOutcome::of(source, End::Failed { stage: RunStage::Check, reason });
        let (key, checked) = match examined {
            Examined::Known(key) => (key, None),
            Examined::Read(key, checked) => (key, Some(*checked)),
            Examined::Unreadable { key, error } => {
                self.refuse(index, key, &error);
                return None;
            }
            Examined::Stopped => return None,
        };
        if let Some(first) = self.seen.get(&key) {
            run.finish(index, VideoOutcome::of(source, self.twin(index, *first)));
            return None;
        }
        self.seen.insert(key.clone(), index);
        let relative = self.claim(index, &key)?;
        let output = run.options.output.join(&relative);
        if matches!(run.options.mode, Mode::Fix(_)) && self.sources.contains(&absolute(&output)) {
            let reason = "its output would replace a source: choose another output folder".to_owned();
            run.finish(index, failed(reason));
            return None;
        }
        let job = run.recorded(run.ledger.enroll(&key, &absolute(source), &relative))?;
        let item = Item {
            index,
            source,
            job,
            output,
            spec: Cow::Borrowed(spec_of(run, index)),
            checked,
            cover: None,
            worked: false,
        };
        self.stand(item)
    }

    /// How a video ends whose content is that of an earlier one.
    fn twin(&self, index: usize, first: usize) -> End {
        let of = self.run.videos[first].path.clone();
        let board_of = |index: usize| self.run.orders[index].pin.as_ref().map(|pin| &pin.board);
        match board_of(index) {
            Some(board) if board_of(first) != Some(board) => {
                let of = of.display();
                let reason =
                    format!("same content as {of}, which goes elsewhere: publish it by itself with `pinpress publish`");
                End::Later { reason }
            }
            _ => End::Duplicate { of },
        }
    }

    /// The output of the job: that of an earlier run, else the one for its name.
    fn claim(&mut self, index: usize, key: &JobKey) -> Option<PathBuf> {
        let earlier = self.run.recorded(self.run.ledger.find(key))?.map(|job| job.output);
        let free = |output: &PathBuf| !self.claimed.contains(output);
        let output = earlier.filter(free).or_else(|| Some(self.outputs[index].clone()).filter(free));
        // Files that changed names among each other between two runs can get here.
        let output = output.unwrap_or_else(|| {
            another_name(&self.run.videos[index].relative, |output| {
                self.claimed.contains(output) || self.outputs.iter().any(|other| other == output)
            })
        });
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
                run.finish(item.index, item.outcome(End::Failed { stage, reason }));
                return None;
            }
            JobState::SetAside => {
                run.finish(item.index, item.outcome(End::SetAside { reason }));
                return None;
            }
            _ => {}
        }
        let standing = Standing::of(run, item.index, &item.job);
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

    fn refuse(&mut self, index: usize, key: Option<JobKey>, error: &ProbeError) {
        let run = self.run;
        let source = run.videos[index].path.as_path();
        // The reader's own failure says nothing of the file; what the system refuses may be given the next time.
        let lasting = !matches!(error, ProbeError::Reader { .. } | ProbeError::Io { .. });
        if let Some(key) = key.filter(|_| lasting) {
            // A job of its own, so that `status` shows it; it has no output.
            let relative = self.outputs[index].clone();
            let Some(job) = run.recorded(run.ledger.enroll(&key, &absolute(source), &relative)) else { return };
            if run.recorded(run.ledger.set_unreadable(job.id, &error.to_string())).is_none() {
                return;
            }
        }
        let end = End::Failed { stage: RunStage::Check, reason: error.to_string() };
        run.finish(index, VideoOutcome::of(source, end));
    }
}
