//! The second stage: each video as an output that fits.

use std::path::Path;

use crossbeam_channel::{Receiver, Sender};
use pinpress_media::{Failure, FailureKind, Fix, FixOptions, Fixed, Observer, Plan};
use pinpress_probe::{ProbeError, Source};

use super::item::{Item, Listener};
use super::{Mode, Run, Working, claims};
use crate::disk::{Place, Shortage};
use crate::ledger::{FileStamp, Hold, JobState, RenditionRecord, Step, StepOutcome};
use crate::objects::undelivered;
use crate::observe::{RunEvent, RunStage};
use crate::outcome::End;

pub(super) fn fixes<'a>(run: &'a Run<'a>, items: &Receiver<Item<'a>>, to_cover: &Sender<Item<'a>>) {
    for item in items {
        // A video that is not finished counts as interrupted.
        if run.stopping() {
            continue;
        }
        if let Some(item) = fix(run, item) {
            drop(to_cover.send(item));
        }
    }
}

fn fix<'a>(run: &'a Run<'a>, mut item: Item<'a>) -> Option<Item<'a>> {
    let _span = item.span.clone().entered();
    if !matches!(item.job.state, JobState::Checked | JobState::Fixing) {
        return Some(item);
    }
    if item.checked.is_none() {
        match run.objects.check(&item.found(), &item.spec, run.media) {
            Ok(checked) => item.checked = Some(checked),
            Err(error) => {
                let end = End::Failed { stage: RunStage::Check, reason: error.to_string() };
                run.end(item, end);
                return None;
            }
        }
    }
    let attempted = match &run.options.mode {
        Mode::AsIs if !item.checked.as_ref().is_some_and(|checked| checked.report.passes()) => {
            run.end(item, End::Unfit);
            return None;
        }
        Mode::AsIs => Work::AsItIs,
        Mode::Fix(options) => Work::Fix(options),
    };
    let _place = match attempted {
        Work::AsItIs => None,
        Work::Fix(_) => match make_room(run, &item) {
            Ok(Some(place)) => Some(place),
            Ok(None) => return None,
            Err(shortage) => {
                run.end(item, End::Later { reason: shortage.to_string() });
                return None;
            }
        },
    };
    // Asked before the attempt is entered, which makes the output ours.
    let ours = run.recorded(run.ledger.owns(&item.job.output))?;
    let (mut item, attempt) = run.begin(item, Step::Fix)?;
    let hold = run.leases.hold(attempt.claim());
    let result = match attempted {
        Work::AsItIs => rendition(&item.output).map(|rendition| {
            (Plan::passthrough(item.checked.as_ref().and_then(|checked| checked.info.duration)), rendition)
        }),
        Work::Fix(options) => {
            let mut working = Working::begin(run, &item.source, RunStage::Fix);
            let fixed = working.span().in_scope(|| carry_out(run, &item, options, ours, &hold));
            if fixed.is_ok() {
                working.succeeded(item.checked.as_ref().and_then(|checked| checked.info.duration));
            }
            fixed
        }
    };
    let outcome = match &result {
        Ok((plan, rendition)) => StepOutcome::Fixed { plan: Box::new(plan.clone()), rendition: rendition.clone() },
        Err(failure) => step_outcome(failure),
    };
    if let Err(end) = run.entered(run.ledger.finish(attempt, &outcome))? {
        run.end(item, end);
        return None;
    }
    match result {
        Ok((plan, rendition)) => {
            item.job.plan = Some(plan);
            item.job.rendition = Some(rendition);
            item.job.state = JobState::Fixed;
            item.worked = true;
            Some(item)
        }
        Err(failure) => {
            let end = end_of(&failure, RunStage::Fix, &hold);
            run.end(item, end);
            None
        }
    }
}

/// Room for the output: about as much as the source takes, which an encode seldom goes beyond.
fn make_room<'a>(run: &'a Run<'a>, item: &Item<'a>) -> Result<Option<Place<'a>>, Shortage> {
    let bytes = item.checked.as_ref().map_or(0, |checked| checked.info.size_bytes);
    let folder = run.options.output.as_path();
    run.room.wait_for(
        folder,
        bytes,
        || run.stopping(),
        |shortage| {
            let reason = format!("{} MB free, {} MB wanted", shortage.free / 1_000_000, shortage.wanted / 1_000_000);
            let message = format!("waits for room on the disk: {reason}");
            run.observer.event(&RunEvent::Warning { video: Some(&item.source), message });
        },
    )
}

enum Work<'a> {
    AsItIs,
    Fix(&'a FixOptions),
}

fn carry_out<'a>(
    run: &'a Run<'a>,
    item: &Item<'a>,
    options: &FixOptions,
    ours: bool,
    hold: &Hold<'_>,
) -> Result<(Plan, RenditionRecord), Failure> {
    run.folders
        .make_for(&item.output)
        .map_err(|error| Failure::new(FailureKind::Io, format!("cannot make the folder of its output: {error}")))?;
    let replace = options.overwrite || ours;
    // What is kept in storage is at most a rest here.
    let overwrite = replace || run.depot.is_some();
    let options = FixOptions { threads: run.threads.per_job, overwrite, ..options.clone() };
    let Some(checked) = &item.checked else {
        return Err(Failure::new(FailureKind::Protocol, "it was not checked"));
    };
    let listener = Listener::new(run, &item.source, hold);
    if !replace && run.depot.is_some() {
        // Not after minutes of encoding.
        let there = run.result_stamp(&item.output).map_err(|error| undelivered(&error, &listener))?;
        if there.is_some() {
            return Err(Failure::output_exists());
        }
    }
    let source = run.objects.fetch(&item.found(), None, &listener).map_err(|error| unfetched(&error, &listener))?;
    let fix = Fix {
        source: source.path(),
        info: &checked.info,
        spec: &item.spec,
        options: &options,
        output: &item.output,
        part: None,
    };
    let encode = run.encodes.take();
    let Fixed { plan, .. } = run.media.fix(fix, &listener)?;
    drop(encode);
    drop(source);
    let delivered = rendition(&item.output)
        .and_then(|made| Ok(RenditionRecord { stamp: run.deliver(&item.output, replace, &listener)?, ..made }));
    if delivered.is_err() {
        run.clear(&item.output);
    }
    Ok((plan, delivered?))
}

fn unfetched(error: &ProbeError, observer: &dyn Observer) -> Failure {
    let kind = if observer.cancelled() { FailureKind::Cancelled } else { FailureKind::Io };
    Failure::new(kind, error.to_string())
}

/// The output as it lies there now.
fn rendition(output: &Path) -> Result<RenditionRecord, Failure> {
    let failed = |reason: String| Failure::new(FailureKind::Io, format!("the output cannot be read back: {reason}"));
    let source = Source::open(output).map_err(|error| failed(error.to_string()))?;
    let metadata = source.file().metadata().map_err(|error| failed(error.to_string()))?;
    let fingerprint = source.fingerprint().map_err(|error| failed(error.to_string()))?;
    Ok(RenditionRecord { fingerprint, stamp: FileStamp::from(&metadata) })
}

/// What a failure means for the next run.
pub(super) fn step_outcome(failure: &Failure) -> StepOutcome {
    let reason = failure.message.clone();
    match failure.kind {
        FailureKind::NotAVideo | FailureKind::Incomplete | FailureKind::Corrupt | FailureKind::Unfixable => {
            StepOutcome::Impossible(reason)
        }
        FailureKind::Cancelled | FailureKind::Protocol => StepOutcome::Released,
        FailureKind::OutputExists => StepOutcome::Blocked,
        FailureKind::Io
        | FailureKind::Unproven
        | FailureKind::Encoder
        | FailureKind::Crashed
        | FailureKind::Stalled
        | FailureKind::Endless => StepOutcome::Failed(reason),
    }
}

pub(super) fn end_of(failure: &Failure, stage: RunStage, hold: &Hold<'_>) -> End {
    match failure.kind {
        FailureKind::Cancelled if hold.is_lost() => claims::taken_over(),
        FailureKind::Cancelled => End::Interrupted,
        _ => End::Failed { stage, reason: failure.message.clone() },
    }
}
