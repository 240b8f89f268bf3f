//! The third stage: a cover beside each output.

use std::path::Path;

use crossbeam_channel::Receiver;
use pinpress_media::{CoverOptions, Failure, FailureKind, PictureFiles, PictureFormat};
use pinpress_publish::CoverAs;
use tokio::sync::mpsc::Sender;

use super::fix::{end_of, step_outcome};
use super::item::{Item, Listener};
use super::{Mode, Run, Working};
use crate::ledger::{CoverRecord, Hold, JobState, Step, StepOutcome};
use crate::naming::{cover_of, cover_stem};
use crate::objects::undelivered;
use crate::observe::RunStage;
use crate::outcome::CoverOutcome;

pub(super) fn covers<'a>(run: &'a Run<'a>, items: &Receiver<Item<'a>>, to_publish: &Sender<Item<'a>>) {
    for item in items {
        if run.stopping() {
            continue;
        }
        if let Some(item) = cover(run, item) {
            let twins = run.twins.ready(&item);
            for item in std::iter::once(item).chain(twins) {
                drop(to_publish.blocking_send(item));
            }
        }
    }
}

fn cover<'a>(run: &'a Run<'a>, mut item: Item<'a>) -> Option<Item<'a>> {
    let _span = item.span.clone().entered();
    if item.job.state == JobState::Covered {
        return Some(item);
    }
    let picture = cover_of(&item.output);
    let as_picture = run.options.pins.as_ref().is_none_or(|pins| pins.cover_as == CoverAs::Image);
    let unasked = item.cover_at.is_none();
    if matches!(run.options.mode, Mode::AsIs) && unasked && as_picture && picture.is_file() {
        // Somebody chose it, or an earlier run did.
        item.cover = Some(CoverOutcome { file: picture, time: item.job.cover.as_ref().map(|cover| cover.time) });
        return Some(item);
    }
    let (mut item, attempt) = run.begin(item, Step::Cover)?;
    let hold = run.leases.hold(attempt.claim());
    let mut working = Working::begin(run, &item.source, RunStage::Cover);
    let result = working.span().in_scope(|| pick(run, &item, &hold));
    if result.is_ok() {
        working.succeeded(item.duration());
    }
    drop(working);
    let outcome = match &result {
        Ok(cover) => StepOutcome::Covered(cover.clone()),
        Err(failure) => step_outcome(failure),
    };
    if let Err(end) = run.entered(run.ledger.finish(attempt, &outcome))? {
        run.end(item, end);
        return None;
    }
    match result {
        Ok(cover) => {
            item.cover = Some(CoverOutcome { file: picture, time: Some(cover.time) });
            item.job.cover = Some(cover);
            item.job.state = JobState::Covered;
            item.worked = true;
            Some(item)
        }
        Err(failure) => {
            let end = end_of(&failure, RunStage::Cover, &hold);
            run.end(item, end);
            None
        }
    }
}

fn pick<'a>(run: &'a Run<'a>, item: &Item<'a>, hold: &Hold<'_>) -> Result<CoverRecord, Failure> {
    let asked = item.cover_at;
    let folder = item.output.parent().unwrap_or_else(|| Path::new("."));
    let options = CoverOptions {
        count: 1,
        at: asked,
        pictures: Some(PictureFiles {
            folder: folder.into(),
            stem: Path::new(&cover_stem(&item.output)).into(),
            format: PictureFormat::Jpeg,
            max_side: None,
        }),
        contact_sheet: None,
        // Beside an output of ours the cover is ours too. Beside a video that is published as it is, only one that
        // this job has made: somebody may have put theirs there.
        overwrite: matches!(run.options.mode, Mode::Fix(_)) || item.job.cover.is_some(),
    };
    let listener = Listener::new(run, &item.source, hold);
    let expected = item.job.rendition.as_ref().map(|rendition| rendition.stamp);
    run.bring(&item.output, expected, &listener).map_err(|error| undelivered(&error, &listener))?;
    let covers = run.media.cover(&item.output, &options, &listener)?;
    let time = covers.candidates.first().map(|candidate| candidate.time);
    let time = time.ok_or_else(|| Failure::new(FailureKind::NotAVideo, "no frame of it could be shown"))?;
    let stamp = run.deliver(&cover_of(&item.output), true, &listener)?;
    Ok(CoverRecord { time, asked, stamp })
}
