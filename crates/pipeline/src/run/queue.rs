//! The queue worked off: videos are claimed one after another, as there is room for them, and go through the stages of
//! a run. Many programs on many machines do so at the same time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::Sender;
use jiff::{SignedDuration, Timestamp};
use pinpress_store::{Object, ObjectAddress};

use super::book::Book;
use super::survey::Sighting;
use super::{Run, RunError, RunOptions, runtime};
use crate::discover::Found;
use crate::interrupt::Interrupt;
use crate::ledger::{
    Bell, Lease, Leases, LedgerError, Order, OrderId, PostgresLedger, QueueState, Task, TaskEnd, TaskPin,
};
use crate::media::Media;
use crate::observe::{RunEvent, RunObserver, RunStage, new_video_span};
use crate::outcome::{End, RunSummary, VideoOutcome};
use crate::pins::PinPlan;
use crate::sweep::sweep;

/// How long a worker waits at most before it looks at the queue by itself: what it should have heard of can be lost
/// with the connection.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// How long at least: what is due is often due for others too.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_millis(200);

/// How often who has videos at work, and room for more, looks for such that it does not hear of.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How often who waits for room looks whether to stop.
const LOOK: Duration = Duration::from_millis(200);

/// When a worker has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Never, unless it is asked to stop.
    Stopped,
    /// When nobody has anything to do any more, but for Pins whose time is to come.
    Empty,
}

/// Works off the queue of `ledger`, with claims of that lease: each video by the options that `prepare` makes of its order, which ask for that
/// ledger. What became of the videos of one order is given to `told` each time that none is left of it.
///
/// # Errors
/// As [`run()`](super::run()), or what `prepare` says; what was claimed is released then.
pub fn work<E: From<RunError>>(
    (ledger, lease): (&PostgresLedger, &Lease),
    prepare: &mut dyn FnMut(&Order) -> Result<RunOptions, E>,
    (media, observer, interrupt): (&dyn Media, &dyn RunObserver, &Interrupt),
    until: Until,
    told: &mut dyn FnMut(RunSummary) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |error: LedgerError| E::from(RunError::from(error));
    // Before the first look, so that nothing is missed between that and the wait.
    let mut bell = ledger.bell();
    let mut prepared: BTreeMap<OrderId, RunOptions> = BTreeMap::new();
    observer.event(&RunEvent::Begun);
    while !interrupt.requested() {
        let Some(task) = ledger.claim_next(None, lease).map_err(failed)? else {
            let state = ledger.queue().map_err(failed)?;
            if until == Until::Empty && state.ready + state.again + state.at_work == 0 {
                break;
            }
            wait(&mut bell, &state, observer, interrupt);
            continue;
        };
        let options = match prepared.entry(task.order) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                match ledger.order(task.order).map_err(failed).and_then(|order| prepare(&order)) {
                    Ok(options) => place.insert(options),
                    Err(error) => {
                        drop(ledger.end_task(&task, &TaskEnd::Released, lease));
                        return Err(error);
                    }
                }
            }
        };
        let summary = work_off(options, (ledger, lease, &mut bell), task, (media, observer, interrupt))?;
        let refused = summary.refused.is_some();
        told(summary)?;
        if refused {
            break;
        }
    }
    Ok(())
}

fn wait(bell: &mut Bell, state: &QueueState, observer: &dyn RunObserver, interrupt: &Interrupt) {
    let pins = usize::try_from(state.scheduled).unwrap_or(usize::MAX);
    observer.event(&RunEvent::Watching { pins, until: state.next.filter(|_| pins > 0) });
    let until = state.next.map_or(LONGEST_WAIT, |next| next.duration_since(Timestamp::now()));
    let limit = until.clamp(SHORTEST_WAIT, LONGEST_WAIT);
    bell.wait(limit.unsigned_abs(), interrupt);
}

/// Works off one order, beginning with `first`, until none of its videos can be begun.
fn work_off(
    options: &RunOptions,
    (ledger, lease, bell): (&PostgresLedger, &Lease, &mut Bell),
    first: Task,
    (media, observer, interrupt): (&dyn Media, &dyn RunObserver, &Interrupt),
) -> Result<RunSummary, RunError> {
    let runtime = options.pins.as_ref().map(|_| runtime()).transpose()?;
    std::fs::create_dir_all(&options.output)
        .map_err(|source| RunError::Output { path: options.output.clone(), source })?;
    let mut output = options.ledger_place().share_output_among_workers()?;
    let swept = if output.is_alone() { sweep(&options.output) } else { Vec::new() };
    output.let_others_in()?;
    if !swept.is_empty() {
        observer.event(&RunEvent::Swept { files: swept.len() });
    }
    let book = Book::open_ended();
    let tasks = Tasks::new(ledger, lease, room(options));
    let mut run = Run::new(options, &book, (media, observer, interrupt), (ledger, lease.clone()));
    run.tasks = Some(&tasks);
    let (sightings, sighted) = crossbeam_channel::unbounded();
    run.renewed_during(|| {
        std::thread::scope(|scope| {
            let (run, tasks) = (&run, &tasks);
            scope.spawn(move || tasks.feed(run, first, bell, &sightings));
            run.stages(sighted, options.pins.as_ref().zip(runtime.as_ref()))
        })
    })?;
    // What was not come to is for others.
    tasks.release(&run.leases);
    if output.is_last() {
        run.folders.prune();
    }
    Ok(run.into_ended()?.summary(book, interrupt))
}

/// Videos that are claimed at a time: one for each that is encoded, one for each that waits for that or has its cover
/// picked, and those that are uploaded. More would wait here while other machines have nothing to do.
fn room(options: &RunOptions) -> usize {
    2 * options.jobs.max(1) + options.pins.as_ref().map_or(0, |pins| pins.uploads)
}

/// The videos that this program has claimed.
pub(super) struct Tasks<'a> {
    ledger: &'a PostgresLedger,
    lease: &'a Lease,
    room: usize,
    /// By their places in the book.
    held: Mutex<BTreeMap<usize, Task>>,
    freed: Condvar,
}

impl<'a> Tasks<'a> {
    const fn new(ledger: &'a PostgresLedger, lease: &'a Lease, room: usize) -> Self {
        Self { ledger, lease, room, held: Mutex::new(BTreeMap::new()), freed: Condvar::new() }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<usize, Task>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims videos of the order of `first` and hands them on, until there is none and all are done, or the run ends.
    fn feed(&self, run: &Run<'_>, first: Task, bell: &mut Bell, sightings: &Sender<Sighting>) {
        let order = first.order;
        let mut next = Some(first);
        while self.wait_for_room(run) {
            let task = match next.take() {
                Some(task) => task,
                None => match run.recorded(self.ledger.claim_next(Some(order), self.lease)) {
                    Some(Some(task)) => task,
                    // While one takes long, others may come, and what did not work has its next turn.
                    Some(None) if !self.held().is_empty() => {
                        bell.wait(LOOK_AGAIN, run.interrupt);
                        continue;
                    }
                    Some(None) | None => return,
                },
            };
            self.hand_on(run, task, sightings);
        }
        if let Some(task) = next {
            drop(self.ledger.end_task(&task, &TaskEnd::Released, self.lease));
        }
    }

    fn hand_on(&self, run: &Run<'_>, task: Task, sightings: &Sender<Sighting>) {
        run.leases.keep(task.claim());
        let plan = task.terms.pin.clone().and_then(|pin| plan_of(&task, pin));
        let index = run.book.enter_with(&task.source, plan);
        run.observer.event(&RunEvent::Found { video: &task.source });
        self.held().insert(index, task.clone());
        let object = match object_of(run, &task.source) {
            Ok(object) => object,
            Err(reason) => {
                let end = End::Failed { stage: RunStage::Check, reason };
                run.finish(index, &new_video_span(&task.source), VideoOutcome::of(&task.source, end));
                return;
            }
        };
        let sighting = Sighting {
            index,
            found: Found { path: task.source, relative: task.output.clone(), object },
            spec: task.terms.spec.map(Arc::new),
            cover_at: task.terms.cover_at,
            output: Some(task.output),
        };
        // Where nobody listens any more, it is released at the end.
        drop(sightings.send(sighting));
    }

    /// False when the run ends.
    fn wait_for_room(&self, run: &Run<'_>) -> bool {
        let mut held = self.held();
        while held.len() >= self.room && !run.stopping() {
            held = self.freed.wait_timeout(held, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        !run.stopping()
    }

    /// Enters how a video ended. `limit` is until when Pinterest asks to be left alone.
    pub(super) fn ended(&self, run: &Run<'_>, index: usize, outcome: &VideoOutcome, limit: Option<Timestamp>) {
        let Some(task) = self.held().remove(&index) else { return };
        self.freed.notify_all();
        self.end(&run.leases, &task, &end_of(&outcome.end, limit));
    }

    fn end(&self, leases: &Leases, task: &Task, end: &TaskEnd) {
        match self.ledger.end_task(task, end, self.lease) {
            Ok(()) => {}
            // Another has it, and will enter how it ends.
            Err(LedgerError::Superseded { .. }) => {
                tracing::warn!(video = ?task.source, "it was taken over by another worker meanwhile");
            }
            // It comes again when the lease is over; what was done is in the ledger or on the disk.
            Err(error) => tracing::error!(%error, video = ?task.source, "how it ended could not be entered"),
        }
        leases.let_go(task.claim());
    }

    /// Gives back what was not come to.
    fn release(&self, leases: &Leases) {
        for task in std::mem::take(&mut *self.held()).into_values() {
            self.end(leases, &task, &TaskEnd::Released);
        }
    }
}

/// What storage says of a source that is there; `None` for a file of this machine.
fn object_of(run: &Run<'_>, source: &Path) -> Result<Option<Object>, String> {
    let Some(address) = ObjectAddress::of_argument(source) else { return Ok(None) };
    let address = address.map_err(|error| error.to_string())?;
    match run.objects.look(&address) {
        Ok(Some(object)) => Ok(Some(object)),
        Ok(None) => Err(format!("there is no such object any more: {address}")),
        Err(error) => Err(error.to_string()),
    }
}

/// `None` for a board's id that is none.
fn plan_of(task: &Task, pin: TaskPin) -> Option<PinPlan> {
    Some(PinPlan::kept(&task.source, pin.board.parse().ok()?, pin.content, pin.publish_at))
}

fn end_of(end: &End, limit: Option<Timestamp>) -> TaskEnd {
    match end {
        End::Done | End::UpToDate | End::Unlisted | End::Duplicate { .. } => TaskEnd::Done,
        End::Scheduled { at } => TaskEnd::Scheduled(*at),
        End::Later { reason } => TaskEnd::Later { reason: reason.clone(), at: limit },
        End::Failed { reason, .. } => TaskEnd::Failed(reason.clone()),
        End::Unknown { reason } | End::SetAside { reason } => TaskEnd::GivenUp(reason.clone()),
        End::Unfit => TaskEnd::GivenUp("it does not fit".to_owned()),
        End::Interrupted => TaskEnd::Released,
    }
}
