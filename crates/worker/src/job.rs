//! One request, in the child.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use pinpress_av::Cancel;
use pinpress_media::{Failure, FailureKind, Fix, LinkMode, Outcome, Reply, Request};
use pinpress_transcode::plan::{Measured, plan};
use pinpress_transcode::{carry_out, plan_for};

use crate::about;
use crate::events::Events;

/// Does what `request` asks and says how it ended; always says so once.
pub(crate) fn run(request: &Request, walls: Vec<String>, threads: usize, events: &Arc<Events>) {
    // What a look at the encoders says is about no video.
    if request.source().is_some() {
        let heard = Arc::clone(events);
        pinpress_av::log::tell(move |line| heard.log(line));
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| answer(request, walls, threads, events)))
        .unwrap_or_else(|panic| Err(Failure::new(FailureKind::Crashed, own_fault(panic.as_ref()))));
    events.done(match outcome {
        Ok(reply) => Outcome::Reply(Box::new(reply)),
        Err(mut failure) => {
            if failure.log.is_empty() {
                failure.log = pinpress_av::take_log();
            }
            Outcome::Failure(failure)
        }
    });
}

/// Whether `request` may come down to a second name for its source. Asked by the parent, which then lets the child do
/// so: by facts and rules alone, without a look into the file.
pub(crate) fn may_link(request: &Request) -> bool {
    match request {
        Request::Fix { info, spec, options, .. } if options.link == LinkMode::Hard => {
            plan(info, spec, options, &Measured::default()).is_passthrough()
        }
        _ => false,
    }
}

fn answer(request: &Request, walls: Vec<String>, threads: usize, events: &Arc<Events>) -> Result<Reply, Failure> {
    let cancel = heard_by(events);
    match request {
        Request::Probe { source } => {
            pinpress_transcode::read(&PathBuf::from(source), &cancel, &mut |progress| events.progress(progress))
                .map(|info| Reply::Probed { info: Box::new(info) })
        }
        Request::Decode { source, total_ms } => {
            pinpress_transcode::decode(&PathBuf::from(source), threads, *total_ms, &cancel, &mut |progress| {
                events.progress(progress);
            })
            .map(Reply::Decoded)
        }
        Request::Plan { source, info, spec, options } => {
            let plans = match source {
                Some(source) => pinpress_transcode::plans(&PathBuf::from(source), info, spec, options, &cancel)?,
                None => pinpress_transcode::plans_by_facts(info, spec, options)?.unwrap_or_default(),
            };
            Ok(Reply::Planned { plans })
        }
        Request::Fix { source, info, spec, options, output, part } => {
            let (source, output) = (PathBuf::from(source), PathBuf::from(output));
            let fix = Fix { source: &source, info, spec, options, output: &output, part: *part };
            carry_out(fix, plan_for(fix, &cancel)?, &cancel, &mut |progress| events.progress(progress))
                .map(|fixed| Reply::Fixed(Box::new(fixed)))
        }
        Request::Cover { source, options } => {
            pinpress_cover::cover(&PathBuf::from(source), options, threads, &|progress| events.progress(progress))
                .map(Reply::Covered)
        }
        Request::About => Ok(Reply::About(about::about(walls))),
    }
}

/// Never set, as the process is killed instead; says for each frame that the work goes on.
fn heard_by(events: &Arc<Events>) -> Cancel {
    let events = Arc::clone(events);
    Cancel::with_beat(move || events.alive())
}

fn own_fault(panic: &(dyn Any + Send)) -> String {
    let what = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no reason given");
    format!("the media worker failed inside ({what}): please report it, with the file if you can")
}
