//! What `fix` does with one video: check it, plan it, carry it out, a result for each output.

mod stored;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pinpress_media::{Action, Failure, FailureKind, Fix, FixOptions, Fixed, Observer, Part, Plan, sweep_abandoned};
use pinpress_pipeline::naming::part_of;
use pinpress_pipeline::{Checked, Found, Interrupt, Media as _, Objects, check_file};
use pinpress_probe::{DeepReader, ProbeError, Spec};
use pinpress_store::Object;

use crate::delivery::Delivery;
use crate::progress::Progress;
use crate::whole::Whole;
use crate::workers::LazyWorkers;

/// What became of one video, or of one part of it.
pub(crate) struct FixResult {
    /// The source.
    pub(crate) source: PathBuf,
    /// The part, where it is split.
    pub(crate) part: Option<Part>,
    /// Where the result is, or would be.
    pub(crate) output: Option<PathBuf>,
    /// The source, checked.
    pub(crate) before: Option<Checked>,
    /// How it went.
    pub(crate) outcome: FixOutcome,
}

/// How it went.
pub(crate) enum FixOutcome {
    /// A verified output.
    Fixed(Box<Fixed>),
    /// The output is there already and passes.
    Kept(Box<Checked>),
    /// What would be done.
    Planned(Box<Plan>),
    /// The source cannot be read as a video.
    Unreadable(ProbeError),
    /// It was not fixed.
    Failed(Failure),
}

impl FixOutcome {
    /// Whether the video fits now, or would.
    pub(crate) fn is_good(&self) -> bool {
        match self {
            Self::Fixed(_) | Self::Kept(_) => true,
            Self::Planned(plan) => plan.action != Action::Unfixable,
            Self::Unreadable(_) | Self::Failed(_) => false,
        }
    }
}

/// Everything that one fix needs beside its video.
pub(crate) struct FixJob<'a> {
    /// The rule set.
    pub(crate) spec: &'a Spec,
    /// What the user prefers.
    pub(crate) options: FixOptions,
    /// The output of each video; `None` where only plans are made.
    pub(crate) outputs: Option<Vec<PathBuf>>,
    /// Where outputs go in the end, and the folder here in which they are made; `None` where that is their place.
    pub(crate) delivery: Option<Delivery>,
    /// All sources: none may be an output.
    pub(crate) sources: HashSet<PathBuf>,
    /// Reads those that are in storage.
    pub(crate) objects: &'a Objects,
    /// Nothing is written.
    pub(crate) plan_only: bool,
    /// Who does it.
    pub(crate) workers: &'a LazyWorkers,
    /// Where it is shown.
    pub(crate) progress: &'a Progress,
    /// Whether to go on.
    pub(crate) interrupt: &'a Interrupt,
}

impl FixJob<'_> {
    /// Fixes the video `found`, or plans it: one result for each output that it has.
    pub(crate) fn fix(&self, found: &Found, index: usize) -> Vec<FixResult> {
        let output = self.outputs.as_ref().map(|outputs| outputs[index].clone());
        let source = found.path.clone();
        let listener = self.listen(&source);
        let whole = Whole::new(self.objects, found, &listener);
        let read_whole = |_: &Object| {
            let file = whole.file()?;
            DeepReader::read(self.workers, file).map_err(|error| error.of(&source))
        };
        let before = match self.objects.check_by(found, self.spec, self.workers, read_whole) {
            Ok(checked) => checked,
            Err(error) => {
                let outcome = FixOutcome::Unreadable(error);
                return vec![FixResult { source: source.clone(), part: None, output: None, before: None, outcome }];
            }
        };
        let splits = self.options.splits(&before.info, self.spec);
        let result = |part, output: Option<PathBuf>, outcome: Result<FixOutcome, Failure>| FixResult {
            source: source.clone(),
            part,
            output: output.map(|output| self.final_name(output)),
            before: Some(before.clone()),
            outcome: outcome.unwrap_or_else(FixOutcome::Failed),
        };
        match &output {
            Some(output) if !self.plan_only && !splits => {
                vec![result(None, Some(output.clone()), self.carry_out((found, &whole), &before, output, None))]
            }
            _ => {
                let plans = match self.plans((found, &whole), &before, &listener) {
                    Ok(plans) => plans,
                    Err(failure) => return vec![result(None, output, Err(failure))],
                };
                let one = |plan: Plan| {
                    let part = plan.part;
                    let output = output
                        .as_ref()
                        .map(|output| part.map_or_else(|| output.clone(), |part| part_of(output, part.number)));
                    let outcome = match (&output, part) {
                        (Some(output), Some(part)) if !self.plan_only => {
                            self.part((found, &whole), &before, output, part)
                        }
                        // A video that cannot be split.
                        (Some(_), None) if !self.plan_only => {
                            let reason = plan.unfixable.clone().unwrap_or_else(|| "it cannot be split".to_owned());
                            Err(Failure::new(FailureKind::Unfixable, reason))
                        }
                        _ => Ok(FixOutcome::Planned(Box::new(plan))),
                    };
                    result(part, output, outcome)
                };
                plans.into_iter().take_while(|_| !self.interrupt.requested()).map(one).collect()
            }
        }
    }

    /// What would be done. Of an object none of its pictures travels, unless they decide it.
    fn plans(
        &self,
        (found, whole): (&Found, &Whole<'_>),
        before: &Checked,
        listener: &Listener<'_>,
    ) -> Result<Vec<Plan>, Failure> {
        if found.object.is_some()
            && let Some(plans) = self.workers.plan_by_facts(&before.info, self.spec, &self.options, listener)?
        {
            return Ok(plans);
        }
        self.workers.plan(whole.path()?, &before.info, self.spec, &self.options, listener)
    }

    /// What the output is called in the end.
    fn final_name(&self, output: PathBuf) -> PathBuf {
        match &self.delivery {
            Some(delivery) => delivery.target(&output).map_or(output, |target| target.to_path()),
            None => output,
        }
    }

    fn part(
        &self,
        source: (&Found, &Whole<'_>),
        before: &Checked,
        output: &Path,
        part: Part,
    ) -> Result<FixOutcome, Failure> {
        if self.outputs.as_ref().is_some_and(|outputs| outputs.iter().any(|other| other == output)) {
            let message =
                format!("part {} would have the name of another video's output: rename one of them", part.number);
            return Err(Failure::new(FailureKind::OutputExists, message));
        }
        self.carry_out(source, before, output, Some(part))
    }

    fn carry_out(
        &self,
        (found, whole): (&Found, &Whole<'_>),
        before: &Checked,
        output: &Path,
        part: Option<Part>,
    ) -> Result<FixOutcome, Failure> {
        let target = self.delivery.as_ref().map(|delivery| delivery.target(output)).transpose()?;
        if target.as_ref().is_some_and(|target| self.sources.contains(&target.to_path())) {
            let message = "its output would replace a source: choose another output folder";
            return Err(Failure::new(FailureKind::OutputExists, message));
        }
        if output.canonicalize().is_ok_and(|output| self.sources.contains(&output)) {
            let message = "its output would replace a source: choose another output folder";
            return Err(Failure::new(FailureKind::OutputExists, message));
        }
        if output.is_dir() {
            let message = format!(
                "there is a folder of that name: move it, or choose another output folder: {}",
                output.display()
            );
            return Err(Failure::new(FailureKind::OutputExists, message));
        }
        // Here and not where it is made: an output that stays is not made again, and a run that was killed right after
        // it had its name has left what it was made in.
        sweep_abandoned(output);
        if !self.options.overwrite {
            let kept = match &target {
                None => self.kept(found, output)?,
                Some(target) => self.kept_in_storage(found, target)?,
            };
            if let Some(kept) = kept {
                return Ok(FixOutcome::Kept(Box::new(kept)));
            }
        }
        if let (Some(target), None) = (&target, part)
            && let Some(copied) = self.copied_in_storage(found, before, target)?
        {
            return Ok(FixOutcome::Fixed(Box::new(copied)));
        }
        let missing = output.parent().filter(|folder| !folder.is_dir());
        if let Some(folder) = missing {
            std::fs::create_dir_all(folder).map_err(|error| cannot_make(folder, &error))?;
        }
        if found.object.is_some() {
            self.progress.started(&found.path, "fetch");
        }
        let source = whole.path()?;
        self.progress.started(&found.path, "fix");
        let fix = Fix { source, info: &before.info, spec: self.spec, options: &self.options, output, part };
        let listener = self.listen(&found.path);
        let fixed = self.workers.fix(fix, &listener)?;
        if let Some(delivery) = &self.delivery {
            self.progress.started(&found.path, "upload");
            delivery.deliver(output, self.options.overwrite, self.objects, &listener)?;
        }
        Ok(FixOutcome::Fixed(Box::new(fixed)))
    }

    /// The output that is there already, when it is newer than its source and passes.
    fn kept(&self, source: &Found, output: &Path) -> Result<Option<Checked>, Failure> {
        let Ok(there) = std::fs::metadata(output) else { return Ok(None) };
        let newer = modified(source).zip(there.modified().ok()).is_some_and(|(source, output)| output >= source);
        let checked = check_file(output, self.spec, self.workers).ok().filter(|checked| checked.report.passes());
        match checked.filter(|_| newer) {
            Some(checked) => Ok(Some(checked)),
            None => Err(Failure::new(
                FailureKind::OutputExists,
                format!(
                    "there is a file already, and it is not this one's result: --overwrite replaces it: {}",
                    output.display()
                ),
            )),
        }
    }

    const fn listen<'a>(&'a self, video: &'a Path) -> Listener<'a> {
        Listener { progress: self.progress, interrupt: self.interrupt, video }
    }
}

/// When the source was written.
fn modified(source: &Found) -> Option<SystemTime> {
    match &source.object {
        Some(object) => Some(object.modified),
        None => std::fs::metadata(&source.path).and_then(|file| file.modified()).ok(),
    }
}

fn cannot_make(folder: &Path, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind;
    let remedy = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room and run it again",
        _ => "choose a folder you can write to",
    };
    Failure::new(FailureKind::Io, format!("cannot make the folder {}: {error}: {remedy}", folder.display()))
}

/// Passes on what a worker tells.
pub(crate) struct Listener<'a> {
    /// Where it is shown.
    pub(crate) progress: &'a Progress,
    /// Whether to go on.
    pub(crate) interrupt: &'a Interrupt,
    /// The video it is about.
    pub(crate) video: &'a Path,
}

impl Observer for Listener<'_> {
    fn progress(&self, progress: pinpress_media::Progress) {
        self.progress.worked(self.video, progress);
    }

    fn warning(&self, message: &str) {
        self.progress.warning(Some(self.video), message);
    }

    fn cancelled(&self) -> bool {
        self.interrupt.requested()
    }
}
