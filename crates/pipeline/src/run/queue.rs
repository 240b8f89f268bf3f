//! The queue worked off: videos are claimed one after another, as there is room for them, and go through the stages of
//! a run. Many programs on many machines do so at the same time.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::Sender;
use jiff::{SignedDuration, Timestamp};
use pinpress_store::{Object, ObjectAddress};
use tokio::runtime::Runtime;

use super::book::Book;
use super::survey::Sighting;
use super::{Run, RunError, RunOptions, runtime};
use crate::discover::Found;
use crate::interrupt::Interrupt;
use crate::ledger::{
    Bell, Lease, Leases, Ledger as _, LedgerError, Order, OrderId, OutputLock, PostgresLedger, QueueState, Task,
    TaskEnd, TaskPin,
};
use crate::media::Media;
use crate::observe::{RunEvent, RunObserver, RunStage, new_video_span};
use crate::outcome::{End, VideoOutcome};
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

/// What became of the videos that were taken, each time that one was.
#[derive(Debug, Default)]
pub struct Worked {
    /// How often one ended where it was meant to be.
    pub good: usize,
    /// How often one did not.
    pub bad: usize,
    /// Why no other video will fare better: the token is not accepted.
    pub refused: Option<String>,
}

/// Works off the queue of `ledger`, with claims of that lease: each video by the options that `prepare` makes of its
/// order, which ask for that ledger.
///
/// # Errors
/// As [`run()`](super::run()), or what `prepare` says. What was claimed is released then, or free when its lease is over
/// where the ledger itself failed.
pub fn work<E: From<RunError>>(
    (ledger, lease): (&PostgresLedger, &Lease),
    prepare: &mut dyn FnMut(&Order) -> Result<RunOptions, E>,
    (media, observer, interrupt): (&dyn Media, &dyn RunObserver, &Interrupt),
    until: Until,
) -> Result<Worked, E> {
    let failed = |error: LedgerError| E::from(RunError::from(error));
    // Before the first look, so that nothing is missed between that and the wait.
    let mut bell = ledger.bell();
    let mut prepared: BTreeMap<OrderId, RunOptions> = BTreeMap::new();
    let mut worked = Worked::default();
    observer.event(&RunEvent::Begun { ledger: ledger.reach() });
    while !interrupt.requested() && worked.refused.is_none() {
        let Some(task) = ledger.claim_next(None, lease).map_err(failed)? else {
            let state = ledger.queue().map_err(failed)?;
            if until == Until::Empty && state.ready + state.again + state.at_work == 0 {
                break;
            }
            wait(&mut bell, &state, observer, interrupt);
            continue;
        };
        let options = ready(&mut prepared, ledger, task.order, prepare);
        let opened = options.and_then(|options| Ok((Shop::open(options, observer)?, options)));
        let (shop, options) = match opened {
            Ok(ready) => ready,
            Err(error) => {
                drop(ledger.end_task(&task, &TaskEnd::Released, lease));
                return Err(error);
            }
        };
        work_off(options, (ledger, lease, &mut bell), (shop, task), (media, observer, interrupt), &mut worked)?;
    }
    Ok(worked)
}

/// The options of an order, made when it is met for the first time.
fn ready<'o, E: From<RunError>>(
    prepared: &'o mut BTreeMap<OrderId, RunOptions>,
    ledger: &PostgresLedger,
    order: OrderId,
    prepare: &mut dyn FnMut(&Order) -> Result<RunOptions, E>,
) -> Result<&'o RunOptions, E> {
    Ok(match prepared.entry(order) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(place) => place.insert(prepare(&ledger.order(order).map_err(RunError::from)?)?),
    })
}

/// What the work on an order needs before it begins.
struct Shop {
    runtime: Option<Runtime>,
    output: OutputLock,
}

impl Shop {
    fn open(options: &RunOptions, observer: &dyn RunObserver) -> Result<Self, RunError> {
        let runtime = options.pins.as_ref().map(|_| runtime()).transpose()?;
        std::fs::create_dir_all(&options.output)
            .map_err(|source| RunError::Output { path: options.output.clone(), source })?;
        let mut output = options.ledger_place().share_output_among_workers()?;
        let swept = if output.is_alone() { sweep(&options.output) } else { Vec::new() };
        output.let_others_in()?;
        if !swept.is_empty() {
            observer.event(&RunEvent::Swept { files: swept.len() });
        }
        Ok(Self { runtime, output })
    }
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
    (Shop { runtime, output }, first): (Shop, Task),
    (media, observer, interrupt): (&dyn Media, &dyn RunObserver, &Interrupt),
    worked: &mut Worked,
) -> Result<(), RunError> {
    let book = Book::open_ended();
    let tasks = Tasks::new(ledger, lease, room(options));
    let mut run = match Run::new(options, &book, (media, observer, interrupt), (ledger, lease.clone())) {
        Ok(run) => run,
        Err(error) => {
            drop(ledger.end_task(&first, &TaskEnd::Released, lease));
            return Err(error);
        }
    };
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
    worked.refused = run.into_ended()?.refused;
    let (good, bad) = tasks.counts();
    worked.good += good;
    worked.bad += bad;
    Ok(())
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
    good: AtomicUsize,
    bad: AtomicUsize,
}

impl<'a> Tasks<'a> {
    fn new(ledger: &'a PostgresLedger, lease: &'a Lease, room: usize) -> Self {
        let (held, freed) = (Mutex::new(BTreeMap::new()), Condvar::new());
        Self { ledger, lease, room, held, freed, good: AtomicUsize::new(0), bad: AtomicUsize::new(0) }
    }

    /// How many ended where they were meant to be, and how many did not.
    fn counts(&self) -> (usize, usize) {
        (self.good.load(Ordering::Relaxed), self.bad.load(Ordering::Relaxed))
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
        let plan = plan_of(&task);
        let index = run.book.enter_with(&task.source, plan.as_ref().ok().cloned().flatten());
        run.observer.event(&RunEvent::Found { video: &task.source });
        self.held().insert(index, task.clone());
        let object = match plan.and_then(|_| object_of(run, &task.source)) {
            Ok(object) => object,
            Err(reason) => {
                let end = End::Failed { stage: RunStage::Check, reason };
                run.finish(index, &new_video_span(&task.source), VideoOutcome::of(&task.source, end));
                return;
            }
        };
        let sighting = Sighting {
            index,
            found: Found { object, ..Found::here(task.source, task.output.clone()) },
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
        let count = if outcome.end.is_good() { &self.good } else { &self.bad };
        count.fetch_add(1, Ordering::Relaxed);
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

/// Its Pin, where it is to have one.
fn plan_of(task: &Task) -> Result<Option<PinPlan>, String> {
    let Some(TaskPin { board, content, publish_at }) = task.terms.pin.clone() else { return Ok(None) };
    let board = board.parse().map_err(|error| format!("its board in the queue is none ({error}): enter it again"))?;
    Ok(Some(PinPlan::kept(&task.source, board, content, publish_at)))
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
