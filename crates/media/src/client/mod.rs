//! The client: starts workers, limits and watches them, and throws away those that died, stalled or spoke nonsense.

mod config;
mod deaths;
mod leftovers;
mod libav_lines;
mod memory;
mod observer;
mod pool;
mod process;
mod wall;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pinpress_probe::{Decoded, DeepReader, MediaInfo, ProbeError, Spec};

pub use config::{PROGRAM_VARIABLE, WorkersConfig};
pub use deaths::Deaths;
pub(crate) use leftovers::temp_name_marked;
pub use leftovers::{TEMP_SUFFIX, remove_abandoned, sweep_abandoned, temp_name};
pub use observer::Observer;

use crate::cover::{CoverOptions, Covers};
use crate::options::FixOptions;
use crate::plan::Plan;
use crate::wire::{About, Event, Failure, FailureKind, Fix, Fixed, Outcome, Reply, Request, WirePath};
use libav_lines::LibavLines;
use pool::Pool;
use process::{Incoming, WorkerProcess, describe};

/// How often a waiting caller looks whether it is still wanted.
const TICK: Duration = Duration::from_millis(50);

/// Media workers, started when they are first needed and kept warm. Share it by reference: calls from many threads
/// take a worker each, up to [`WorkersConfig::max_workers`] and as far as memory goes, and wait for one beyond that.
#[derive(Debug)]
pub struct Workers {
    config: WorkersConfig,
    pool: Pool,
    deaths: Arc<Deaths>,
}

impl Workers {
    /// A pool in which nothing runs yet.
    #[must_use]
    pub fn new(config: WorkersConfig) -> Self {
        Self { config, pool: Pool::new(), deaths: Arc::default() }
    }

    /// The same, which counts there who died.
    #[must_use]
    pub fn counting(self, deaths: Arc<Deaths>) -> Self {
        Self { deaths, ..self }
    }

    /// How workers are started here.
    #[must_use]
    pub const fn config(&self) -> &WorkersConfig {
        &self.config
    }

    /// Sends `request` to a worker and waits for its end.
    ///
    /// # Errors
    /// The worker's own [`Failure`]; or [`FailureKind::Crashed`], [`FailureKind::Stalled`], [`FailureKind::Endless`],
    /// [`FailureKind::Cancelled`] or [`FailureKind::Protocol`] when the worker did not answer. After these its
    /// process is dead, what it has not finished is removed, and the next call has a fresh one.
    pub fn call(&self, request: &Request, observer: &dyn Observer) -> Result<Reply, Failure> {
        let result = self.exchange(request, observer);
        if let Err(failure) = &result {
            self.deaths.count(failure.kind);
            tracing::debug!(kind = ?failure.kind, "the worker failed: {}", failure.message.escape_debug());
            for line in &failure.log {
                // What it says may come out of the file.
                tracing::debug!(target: "libav", "{}", line.escape_debug());
            }
        }
        result
    }

    fn exchange(&self, request: &Request, observer: &dyn Observer) -> Result<Reply, Failure> {
        if observer.cancelled() {
            return Err(cancelled());
        }
        let mut line = serde_json::to_vec(request).map_err(|error| unsaid(&format!("cannot be sent: {error}")))?;
        line.push(b'\n');
        let mut lease = self.pool.check_out(&self.config, memory::estimate(request), observer)?;
        let Some(worker) = lease.worker() else { return Err(unsaid("no worker was started")) };
        worker.send(line);
        let wall = wall::limit(self.config.wall, request);
        let mut lines = LibavLines::default();
        match watch(worker, self.config.stall, wall, observer, &mut lines) {
            Ok(outcome) => {
                lease.keep(self.config.requests_per_worker.get());
                match outcome {
                    Outcome::Reply(reply) => Ok(*reply),
                    Outcome::Failure(mut failure) => {
                        if failure.log.is_empty() {
                            failure.log = lines.take();
                        }
                        // A living worker tidies up after its job; this is for what it could not remove.
                        if failure.kind == FailureKind::Crashed {
                            leftovers::sweep(request);
                        }
                        Err(failure)
                    }
                }
            }
            Err(mut failure) => {
                let status = worker.kill();
                if failure.kind == FailureKind::Crashed {
                    failure.message = format!("the media worker {}", describe(status));
                }
                failure.log = lines.take();
                failure.log.extend(worker.last_words());
                leftovers::sweep(request);
                Err(failure)
            }
        }
    }

    /// Reads the facts of `source` with libav.
    ///
    /// # Errors
    /// As [`Workers::call`].
    pub fn probe(&self, source: &Path, observer: &dyn Observer) -> Result<MediaInfo, Failure> {
        match self.call(&Request::Probe { source: for_worker(source) }, observer)? {
            Reply::Probed { info } => Ok(*info),
            other => Err(unasked(&other)),
        }
    }

    /// Decodes every picture and sound of `source`, which plays for `total_ms` as far as is known, with the threads
    /// of a request.
    ///
    /// # Errors
    /// As [`Workers::call`].
    pub fn decode(&self, source: &Path, total_ms: Option<u64>, observer: &dyn Observer) -> Result<Decoded, Failure> {
        let request = Request::Decode { source: for_worker(source), total_ms };
        match deaths::until_set_aside(|| self.call(&request, observer))? {
            Reply::Decoded(decoded) => Ok(decoded),
            other => Err(unasked(&other)),
        }
    }

    /// Says what a fix of `source` would do, and writes nothing. There is a plan for each part of a video that is
    /// split, else one.
    ///
    /// # Errors
    /// As [`Workers::call`].
    pub fn plan(
        &self,
        source: &Path,
        info: &MediaInfo,
        spec: &Spec,
        options: &FixOptions,
        observer: &dyn Observer,
    ) -> Result<Vec<Plan>, Failure> {
        self.plan_of(Some(for_worker(source)), (info, spec, options), observer)
    }

    /// The same by the facts alone, for a video that is not at hand; `None` where only a look into it decides.
    ///
    /// # Errors
    /// As [`Workers::call`].
    pub fn plan_by_facts(
        &self,
        info: &MediaInfo,
        spec: &Spec,
        options: &FixOptions,
        observer: &dyn Observer,
    ) -> Result<Option<Vec<Plan>>, Failure> {
        let plans = self.plan_of(None, (info, spec, options), observer)?;
        Ok((!plans.is_empty()).then_some(plans))
    }

    fn plan_of(
        &self,
        source: Option<WirePath>,
        (info, spec, options): (&MediaInfo, &Spec, &FixOptions),
        observer: &dyn Observer,
    ) -> Result<Vec<Plan>, Failure> {
        let request = Request::Plan {
            source,
            info: Box::new(info.clone()),
            spec: Box::new(spec.clone()),
            options: Box::new(options.clone()),
        };
        match self.call(&request, observer)? {
            Reply::Planned { plans } => Ok(plans),
            other => Err(unasked(&other)),
        }
    }

    /// Carries `fix` out.
    ///
    /// # Errors
    /// As [`Workers::call`]; then there is nothing new under its output.
    pub fn fix(&self, fix: Fix<'_>, observer: &dyn Observer) -> Result<Fixed, Failure> {
        let request = Request::Fix {
            source: for_worker(fix.source),
            info: Box::new(fix.info.clone()),
            spec: Box::new(fix.spec.clone()),
            options: Box::new(fix.options.clone()),
            output: fix.output.into(),
            part: fix.part,
        };
        match self.call(&request, observer)? {
            Reply::Fixed(fixed) => Ok(*fixed),
            other => Err(unasked(&other)),
        }
    }

    /// Ranks frames of `source` and writes the pictures that `options` asks for.
    ///
    /// # Errors
    /// As [`Workers::call`]; then there is no new picture.
    pub fn cover(&self, source: &Path, options: &CoverOptions, observer: &dyn Observer) -> Result<Covers, Failure> {
        match self.call(&Request::Cover { source: for_worker(source), options: options.clone() }, observer)? {
            Reply::Covered(covers) => Ok(covers),
            other => Err(unasked(&other)),
        }
    }

    /// What the worker is linked to, and what confines it here.
    ///
    /// # Errors
    /// As [`Workers::call`].
    pub fn about(&self) -> Result<About, Failure> {
        match self.call(&Request::About, &())? {
            Reply::About(about) => Ok(about),
            other => Err(unasked(&other)),
        }
    }
}

/// The path as the worker can open it: what `/proc/self` and `/dev/fd` name is a file of this process, and another or
/// none of the worker's.
fn for_worker(path: &Path) -> WirePath {
    const OF_THIS_PROCESS: [&str; 4] = ["/proc/self", "/proc/thread-self", "/dev/fd", "/dev/stdin"];
    let real = OF_THIS_PROCESS.iter().any(|own| path.starts_with(own)).then(|| path.canonicalize().ok()).flatten();
    WirePath::from(real.as_deref().unwrap_or(path))
}

impl DeepReader for Workers {
    fn read(&self, path: &Path) -> Result<MediaInfo, ProbeError> {
        deaths::until_set_aside(|| self.probe(path, &())).map_err(|failure| failure.into_probe_error(path))
    }
}

impl Failure {
    /// The failure to read the file at `path` that this is.
    #[must_use]
    pub fn into_probe_error(self, path: &Path) -> ProbeError {
        let (path, message) = (path.to_owned(), self.message);
        match self.kind {
            FailureKind::Io => {
                let reason = bare(&message, "cannot read it: ", "");
                ProbeError::Io { path, source: std::io::Error::other(reason) }
            }
            FailureKind::NotAVideo => ProbeError::NotAVideo { reason: bare(&message, "not a video: ", ""), path },
            FailureKind::Incomplete => ProbeError::Incomplete { path },
            FailureKind::Corrupt => {
                ProbeError::Corrupt { reason: bare(&message, "corrupt: ", ": export or copy it again"), path }
            }
            _ => ProbeError::Reader { reason: message, path },
        }
    }
}

/// A message without what [`ProbeError`] says around it.
fn bare(message: &str, before: &str, after: &str) -> String {
    let message = message.strip_prefix(before).unwrap_or(message);
    message.strip_suffix(after).unwrap_or(message).to_owned()
}

/// Hears the worker out. An error means that the worker is of no more use.
fn watch(
    worker: &WorkerProcess,
    stall: Duration,
    wall: Duration,
    observer: &dyn Observer,
    lines: &mut LibavLines,
) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let mut moved = begun;
    loop {
        match worker.hear(TICK.min(stall).min(wall)) {
            Some(Incoming::Event(Event::Progress(progress))) => {
                moved = Instant::now();
                observer.progress(progress);
            }
            Some(Incoming::Event(Event::Warning { message })) => observer.warning(&message),
            Some(Incoming::Event(Event::Log { line })) => lines.push(line),
            Some(Incoming::Event(Event::Done { outcome })) => return Ok(outcome),
            Some(Incoming::Garbage(what)) => {
                return Err(unsaid(&format!("the media worker said something that is no event: {what}")));
            }
            Some(Incoming::End) => return Err(Failure::new(FailureKind::Crashed, "")),
            None => {}
        }
        if observer.cancelled() {
            return Err(cancelled());
        }
        if moved.elapsed() >= stall {
            let text = format!(
                "no progress for {} s, so it was stopped: the file makes the decoder hang",
                stall.as_secs_f32()
            );
            return Err(Failure::new(FailureKind::Stalled, text));
        }
        if begun.elapsed() >= wall {
            let text = format!(
                "not done after {} s, so it was stopped: the file keeps the decoder busy for ever",
                wall.as_secs_f32()
            );
            return Err(Failure::new(FailureKind::Endless, text));
        }
    }
}

fn cancelled() -> Failure {
    Failure::new(FailureKind::Cancelled, "stopped on request")
}

fn unsaid(message: &str) -> Failure {
    Failure::new(FailureKind::Protocol, message)
}

fn unasked(reply: &Reply) -> Failure {
    let name = match reply {
        Reply::Probed { .. } => "probed",
        Reply::Decoded(_) => "decoded",
        Reply::Planned { .. } => "planned",
        Reply::Fixed(_) => "fixed",
        Reply::Covered(_) => "covered",
        Reply::About(_) => "about",
    };
    unsaid(&format!(
        "the media worker answered another question ({name}): pinpress and pinpress-media are of different versions"
    ))
}
