//! What a run tells: to a person as it goes on and at its end, to programs, and to who reads of it later in its log and
//! its report.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use pinpress_media::Deaths;
use pinpress_pipeline::{RunEvent, RunObserver, RunOptions, RunSummary, video_span};
use pinpress_publish::Client;

use crate::exit::Exit;
use crate::logs;
use crate::metrics::{MetricsArgs, Watched};
use crate::options::Shared;
use crate::output::{DIM, Results, complain, file_url, warn};
use crate::progress::{Progress, Running, Step};
use crate::render::run_html::RunHtml;
use crate::render::run_json::{Event, EventLine, ProgressJson, SummaryJson, VideoJson, document, text};
use crate::render::{run_end, run_table};

/// Progress of one video is told to programs at most so often.
const PROGRESS_APART: Duration = Duration::from_millis(500);

/// How a run is told.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is told")]
pub(crate) struct RunOutputArgs {
    /// human, json (a document at the end) or ndjson (a line for each event, as it happens).
    #[arg(long, value_name = "FORMAT", default_value = "human", env = "PINPRESS_FORMAT", hide_env = true)]
    #[arg(hide_possible_values = true)]
    format: RunFormat,
    /// Where the HTML report of the run goes; by default report.html in OUT/.pinpress.
    #[arg(long, value_name = "FILE", env = "PINPRESS_REPORT", hide_env = true)]
    report: Option<PathBuf>,
    #[command(flatten)]
    metrics: MetricsArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RunFormat {
    Human,
    Json,
    Ndjson,
}

impl RunOutputArgs {
    /// Whether people read the results.
    pub(crate) fn for_people(&self) -> bool {
        self.format == RunFormat::Human
    }

    /// Begins to tell of a run with these options.
    ///
    /// # Errors
    /// When there is no room for what is kept until the end, or metrics cannot be served.
    pub(crate) fn begin(&self, run: &RunOptions, shared: &Shared) -> anyhow::Result<RunOutput> {
        let watched = self.metrics.begin(run.pins.as_ref().map(|pins| &pins.client), shared.quiet)?;
        let events = match self.format {
            RunFormat::Ndjson => Some(Mutex::new(EventLines::new()?)),
            RunFormat::Human | RunFormat::Json => None,
        };
        let own = run.own_folder();
        let place = self.report.clone().unwrap_or_else(|| own.join("report.html"));
        Ok(RunOutput {
            format: self.format,
            quiet: shared.quiet,
            log: logs::to_files(&own, shared.log_format),
            progress: Progress::new(shared.quiet),
            events,
            html: RunHtml::new(&run.output_as_named(), &own)?,
            report: place,
            asked: self.report.is_some(),
            watched,
        })
    }
}

/// Listens to a run and tells of it.
pub(crate) struct RunOutput {
    format: RunFormat,
    quiet: bool,
    log: PathBuf,
    progress: Progress,
    events: Option<Mutex<EventLines>>,
    html: RunHtml,
    report: PathBuf,
    /// Somebody named the report's place.
    asked: bool,
    /// Metrics, where they are asked for.
    watched: Option<Watched>,
}

impl RunOutput {
    /// Where media workers that die are counted.
    pub(crate) fn deaths(&self) -> Arc<Deaths> {
        self.watched.as_ref().map(Watched::deaths).unwrap_or_default()
    }

    /// Takes the live lines away.
    pub(crate) fn hush(&self) {
        self.progress.end();
    }

    /// Tells how the run ended, which comes to `exit` so far.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub(crate) fn end(self, summary: &RunSummary, mut exit: Exit) -> anyhow::Result<Exit> {
        let report = match self.html.write(Some(&self.report), summary) {
            Ok(()) => {
                self.html.sweep();
                Some(self.report.as_path())
            }
            // What was asked for by name is missed; the usual one is a bonus, like the log.
            Err(error) if self.asked => {
                complain(&format!("{error:#}"));
                exit = exit.worse(Exit::NotDone);
                None
            }
            Err(error) => {
                warn(&format!("{error:#}"));
                None
            }
        };
        if let Some(trouble) = logs::trouble() {
            warn(&trouble);
        }
        match self.format {
            RunFormat::Human => {
                let mut out = anstream::stdout();
                tell(&mut out, summary, self.quiet)?;
                if let Some(report) = report.filter(|_| !self.quiet) {
                    writeln!(out, "{DIM}report: {}{DIM:#}", file_url(report))?;
                }
            }
            RunFormat::Json => {
                let mut results = Results::exact(None)?;
                writeln!(results, "{}", document(summary, SummaryJson::new(summary, exit, report, &self.log))?)?;
                results.end()?;
            }
            RunFormat::Ndjson => {
                if let Some(lines) = self.events {
                    let mut lines = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
                    lines.write(Event::Summary(SummaryJson::new(summary, exit, report, &self.log)));
                    lines.end()?;
                }
            }
        }
        Ok(exit)
    }
}

/// The table and the total.
fn tell(out: &mut dyn std::io::Write, summary: &RunSummary, quiet: bool) -> std::io::Result<()> {
    if !quiet {
        if !summary.videos.is_empty() {
            writeln!(out, "{}", run_table::table(summary))?;
        }
        return writeln!(out, "{}", run_table::total(summary));
    }
    for outcome in summary.videos.iter().filter(|outcome| !outcome.end.is_good()) {
        writeln!(out, "{}", run_table::line(outcome))?;
    }
    Ok(())
}

impl RunObserver for RunOutput {
    fn event(&self, event: &RunEvent<'_>) {
        log(event);
        if let RunEvent::Finished { outcome, here } = event {
            self.html.video(outcome, *here);
        }
        if let Some(lines) = &self.events {
            lines.lock().unwrap_or_else(PoisonError::into_inner).event(event);
        }
        if let Some(watched) = &self.watched {
            watched.event(event);
        }
        self.progress.event(event);
    }
}

/// How a worker tells of what it does.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is told")]
pub(crate) struct EventsOption {
    /// human, or ndjson (a line for each event, as it happens).
    #[arg(long, value_name = "FORMAT", default_value = "human", env = "PINPRESS_FORMAT", hide_env = true)]
    #[arg(hide_possible_values = true)]
    format: EventsFormat,
    #[command(flatten)]
    metrics: MetricsArgs,
}

impl EventsOption {
    /// Whether people read it.
    pub(crate) fn for_people(&self) -> bool {
        self.format == EventsFormat::Human
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EventsFormat {
    Human,
    Ndjson,
}

/// Listens to a worker, which has neither an end to report nor a folder of its own.
pub(crate) struct WorkOutput {
    progress: Progress,
    events: Option<Mutex<EventLines>>,
    /// Metrics, where they are asked for.
    watched: Option<Watched>,
}

impl WorkOutput {
    /// # Errors
    /// When there is no room for what is kept until the end, or metrics cannot be served.
    pub(crate) fn new(tell: &EventsOption, shared: &Shared) -> anyhow::Result<Self> {
        let watched = tell.metrics.begin(None, shared.quiet)?;
        let events = (!tell.for_people()).then(|| EventLines::new().map(Mutex::new)).transpose()?;
        Ok(Self { progress: Progress::new(shared.quiet), events, watched })
    }

    /// Where media workers that die are counted.
    pub(crate) fn deaths(&self) -> Arc<Deaths> {
        self.watched.as_ref().map(Watched::deaths).unwrap_or_default()
    }

    /// The calls that are left are those of `client`, where nobody's are shown yet.
    pub(crate) fn calls_of(&self, client: &Client) {
        if let Some(watched) = &self.watched {
            watched.calls_of(client);
        }
    }

    /// Takes the live lines away.
    ///
    /// # Errors
    /// When stdout could not be written.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        self.progress.end();
        let lines = self.events.map(|lines| lines.into_inner().unwrap_or_else(PoisonError::into_inner));
        lines.map_or(Ok(()), EventLines::end)
    }
}

impl RunObserver for WorkOutput {
    fn event(&self, event: &RunEvent<'_>) {
        log(event);
        if let Some(lines) = &self.events {
            lines.lock().unwrap_or_else(PoisonError::into_inner).event(event);
        }
        if let Some(watched) = &self.watched {
            watched.event(event);
        }
        self.progress.event(event);
    }
}

/// Whose words these are in the log.
const RUN: &str = "pinpress::run";

/// The event for the log. What the terminal shows anyway has a level that `-v` does not.
fn log(event: &RunEvent<'_>) {
    let video = match event {
        RunEvent::Started { video, .. } | RunEvent::StageDone { video, .. } | RunEvent::Waiting { video, .. } => {
            Some(*video)
        }
        RunEvent::Warning { video, .. } => *video,
        RunEvent::Finished { outcome, .. } => Some(outcome.source.as_path()),
        _ => None,
    };
    let _span = video.map(|video| video_span(video).entered());
    match event {
        RunEvent::Discovered { videos, skipped, complete } => {
            tracing::debug!(target: RUN, videos, skipped, complete, "discovered");
        }
        RunEvent::Swept { files } => tracing::debug!(target: RUN, files, "temp files of a killed run were removed"),
        RunEvent::StageDone { stage, took, succeeded, .. } => {
            tracing::debug!(target: RUN, %stage, ?took, succeeded, "stage done");
        }
        RunEvent::Started { stage, .. } => tracing::debug!(target: RUN, %stage, "started"),
        RunEvent::Waiting { reason, delay, .. } => {
            tracing::debug!(target: RUN, ?delay, "waiting: {}", reason.escape_debug());
        }
        RunEvent::Idle { pins, until } => tracing::debug!(target: RUN, pins, %until, "idle"),
        RunEvent::Watching { pins, until } => tracing::debug!(target: RUN, pins, ?until, "watching"),
        RunEvent::Warning { message, .. } => tracing::debug!(target: RUN, "note: {}", message.escape_debug()),
        RunEvent::Finished { outcome, .. } => {
            let pin = outcome.pin.as_ref().map(|pin| pin.id.as_str());
            let end = outcome.end.name();
            match run_end::reason(outcome) {
                Some(reason) => tracing::debug!(target: RUN, end, pin, "finished: {}", reason.escape_debug()),
                None => tracing::debug!(target: RUN, end, pin, "finished"),
            }
        }
        // Some ten times a second; and what the next one says too.
        RunEvent::Media { .. } | RunEvent::Upload { .. } | RunEvent::Begun { .. } | RunEvent::Found { .. } => {}
    }
}

/// Lines of JSON on stdout.
struct EventLines {
    results: Results,
    begun: Instant,
    running: HashMap<PathBuf, Running>,
    /// Why nobody reads any more. The work goes on: its results are worth more than its story.
    broken: Option<anyhow::Error>,
}

impl EventLines {
    fn new() -> anyhow::Result<Self> {
        let results = Results::exact(None)?;
        Ok(Self { results, begun: Instant::now(), running: HashMap::new(), broken: None })
    }

    fn write(&mut self, event: Event<'_>) {
        if self.broken.is_some() {
            return;
        }
        let written = serde_json::to_vec(&EventLine::now(event)).map_err(anyhow::Error::from).and_then(|mut line| {
            line.push(b'\n');
            self.results.write_all(&line)?;
            Ok(self.results.hand_on()?)
        });
        self.broken = written.err();
    }

    fn end(self) -> anyhow::Result<()> {
        match self.broken {
            Some(error) => Err(error),
            None => self.results.end(),
        }
    }

    fn event(&mut self, event: &RunEvent<'_>) {
        let now = self.begun.elapsed();
        match event {
            RunEvent::Discovered { videos, skipped, complete } => {
                self.write(Event::Discovered { videos: *videos, skipped: *skipped, complete: *complete });
            }
            RunEvent::Swept { files } => self.write(Event::Swept { files: *files }),
            RunEvent::Started { video, stage } => {
                self.running.insert(video.to_path_buf(), Running::enter(stage.name(), now));
                self.write(Event::Started { video: text(video), stage: stage.name() });
            }
            RunEvent::Media { video, progress } => self.moved(video, |running| running.worked(now, *progress), now),
            RunEvent::Upload { video, sent, total } => {
                self.moved(video, |running| running.uploaded(now, *sent, *total), now);
            }
            RunEvent::Waiting { video, reason, delay } => {
                let wait_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                self.write(Event::Waiting { video: text(video), stage: "publish", reason, wait_ms });
            }
            RunEvent::Idle { pins, until } => self.write(Event::Idle { pins: *pins, until: until.to_string() }),
            RunEvent::Watching { pins, until } => {
                self.write(Event::Watching { pins: *pins, until: until.map(|until| until.to_string()) });
            }
            RunEvent::Warning { video, message } => {
                self.write(Event::Warning { video: video.map(text), message });
            }
            RunEvent::Finished { outcome, .. } => {
                self.running.remove(&outcome.source);
                self.write(Event::Finished(VideoJson::from(*outcome)));
            }
            // No part of the contract: it follows from what is.
            RunEvent::Begun { .. } | RunEvent::Found { .. } | RunEvent::StageDone { .. } => {}
        }
    }

    fn moved(&mut self, video: &Path, step: impl FnOnce(&mut Running) -> Step, now: Duration) {
        let Some(running) = self.running.get_mut(video) else { return };
        let step = step(running);
        if running.is_news(now, PROGRESS_APART) {
            let progress = ProgressJson::new(video, running.stage, &step);
            self.write(Event::Progress(progress));
        }
    }
}
