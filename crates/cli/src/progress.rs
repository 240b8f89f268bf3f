//! What goes on, on stderr: live lines in a terminal, plain lines in a pipe, nothing with `-q`.

mod estimate;
mod line;
mod step;
mod words;

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use pinpress_pipeline::{End, RunEvent, RunObserver, VideoOutcome};

pub(crate) use step::{Running, Step, Unit};

use crate::output::{NOTE, clean, shown, stderr_width};
use crate::render::run_table;
use estimate::Estimate;

/// In a pipe a line at most so often about one video: an hour's work is told in some hundred.
const LINES_APART: Duration = Duration::from_secs(30);

/// Cells of the bar of the whole run.
const BAR: usize = 24;

/// Listens to a run, or to anything that speaks of videos in the same way.
pub(crate) struct Progress {
    quiet: bool,
    lines: MultiProgress,
    live: bool,
    begun: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    total: Option<ProgressBar>,
    estimate: Estimate,
    videos: HashMap<PathBuf, Line>,
}

struct Line {
    running: Running,
    /// In a terminal.
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For a terminal when stderr is one.
    pub(crate) fn new(quiet: bool) -> Self {
        let live = !quiet && std::io::stderr().is_terminal();
        Self { quiet, lines: MultiProgress::new(), live, begun: Instant::now(), state: Mutex::default() }
    }

    /// Writes a line to stderr without tearing the live lines.
    fn say(&self, line: &str) {
        self.lines.suspend(|| drop(std::io::Write::write_fmt(&mut anstream::stderr(), format_args!("{line}\n"))));
    }

    /// Lets something else write to the terminal.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.lines.suspend(write)
    }

    fn with_state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// So many videos are known by now.
    pub(crate) fn expect(&self, videos: usize) {
        self.with_state(|state| {
            state.estimate.expect(videos);
            if self.live && state.total.is_none() {
                let bar = self.lines.add(ProgressBar::new_spinner());
                if let Ok(style) = ProgressStyle::with_template("{elapsed_precise:.dim} {wide_msg}") {
                    bar.set_style(style);
                }
                bar.enable_steady_tick(Duration::from_secs(1));
                state.total = Some(bar);
            }
            state.tell_total(self.begun.elapsed());
        });
    }

    /// A step of a video began.
    pub(crate) fn started(&self, video: &Path, stage: &'static str) {
        // A check is over in a moment, and then its video waits: neither is worth a line.
        if self.quiet || stage == "check" {
            return;
        }
        let now = self.begun.elapsed();
        self.with_state(|state| {
            state.estimate.started(video, stage, now);
            let running = Running::enter(stage, now);
            match state.videos.get_mut(video) {
                Some(line) => line.running = running,
                None => {
                    let bar = self.live.then(|| self.line_before(state.total.as_ref()));
                    state.videos.insert(video.to_owned(), Line { running, bar });
                }
            }
            if let Some(bar) = state.videos.get(video).and_then(|line| line.bar.as_ref()) {
                bar.set_prefix(stage);
                bar.set_message(line::begun(video, stderr_width()));
            }
        });
        if !self.live {
            self.say(&format!("{stage:<8} {}", shown(video)));
        }
    }

    /// A live line for one video. What is wider than the terminal is cut.
    fn line_before(&self, total: Option<&ProgressBar>) -> ProgressBar {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:<8} {wide_msg}") {
            bar.set_style(style);
        }
        let bar = match total {
            Some(total) => self.lines.insert_before(total, bar),
            None => self.lines.add(bar),
        };
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    /// A worker came further, in media time.
    pub(crate) fn worked(&self, video: &Path, progress: pinpress_media::Progress) {
        self.moved(video, |running, now| running.worked(now, progress));
    }

    fn moved(&self, video: &Path, step: impl FnOnce(&mut Running, Duration) -> Step) {
        let now = self.begun.elapsed();
        let line = self.with_state(|state| {
            let line = state.videos.get_mut(video)?;
            let step = step(&mut line.running, now);
            let stage = line.running.stage;
            let told = match &line.bar {
                Some(bar) => {
                    bar.set_message(line::moved(video, &step, stderr_width()));
                    None
                }
                None => line.running.is_due(now, LINES_APART).then(|| step.text()),
            };
            state.estimate.moved(video, stage, &step);
            state.tell_total(now);
            told.map(|text| format!("{stage:<8} {}: {text}", shown(video)))
        });
        if let Some(line) = line.filter(|_| !self.quiet) {
            self.say(&line);
        }
    }

    /// Something keeps a video waiting.
    fn waits(&self, video: &Path, reason: &str) {
        self.with_state(|state| {
            if let Some(bar) = state.videos.get(video).and_then(|line| line.bar.as_ref()) {
                bar.set_message(line::waits(video, &clean(reason), stderr_width()));
            }
        });
    }

    /// Nothing more is done with a video.
    pub(crate) fn finished(&self, video: &Path, line: Option<&str>) {
        self.done(video, line, false);
    }

    fn done(&self, video: &Path, line: Option<&str>, failed: bool) {
        self.with_state(|state| {
            if let Some(bar) = state.videos.remove(video).and_then(|line| line.bar) {
                bar.finish_and_clear();
            }
            state.estimate.finished(video, failed);
            state.tell_total(self.begun.elapsed());
        });
        if let Some(line) = line.filter(|_| !self.quiet) {
            self.say(line);
        }
    }

    /// Something a person should know, whatever `-q` says.
    pub(crate) fn warning(&self, video: Option<&Path>, message: &str) {
        let place = video.map_or_else(String::new, |video| format!(": {}", shown(video)));
        self.say(&format!("{NOTE}note{NOTE:#}: {}{place}", clean(message)));
    }

    /// Takes the live lines away.
    pub(crate) fn end(&self) {
        self.with_state(|state| {
            if let Some(total) = state.total.take() {
                total.finish_and_clear();
            }
        });
        drop(self.lines.clear());
    }

    fn outcome(&self, outcome: &VideoOutcome) {
        // What needed nothing is in the table at the end.
        let line = (!matches!(outcome.end, End::UpToDate | End::Interrupted)).then(|| run_table::line(outcome));
        let failed = !outcome.end.is_good() && !matches!(outcome.end, End::Later { .. } | End::Interrupted);
        self.done(&outcome.source, line.as_deref(), failed);
    }
}

impl State {
    fn tell_total(&self, now: Duration) {
        if let Some(total) = &self.total {
            total.set_message(format!("{}  {}", self.estimate.text(now), self.estimate.bar(BAR)));
        }
    }
}

impl RunObserver for Progress {
    fn event(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::Discovered { videos, .. } => self.expect(*videos),
            RunEvent::Swept { files } => {
                self.warning(None, &format!("{files} temp files of a run that was killed were removed"));
            }
            RunEvent::Started { video, stage } => self.started(video, stage.name()),
            RunEvent::Media { video, progress } => self.worked(video, *progress),
            RunEvent::Upload { video, sent, total } => {
                self.moved(video, |running, now| running.uploaded(now, *sent, *total));
            }
            RunEvent::Waiting { video, reason, delay } => {
                self.waits(video, &format!("{reason}, again in {} s", delay.as_secs().max(1)));
            }
            RunEvent::Idle { pins, until } => {
                let what = if *pins == 1 { "a Pin waits".to_owned() } else { format!("{pins} Pins wait") };
                self.say(&format!("{what} for its time: the next is due at {until}"));
            }
            RunEvent::Watching { until: None, .. } => {
                self.say("all that is there is done: waiting for more (Ctrl-C ends it)");
            }
            RunEvent::Watching { pins, until: Some(until) } => {
                let what = if *pins == 1 { "a Pin waits".to_owned() } else { format!("{pins} Pins wait") };
                self.say(&format!("waiting for more (Ctrl-C ends it); {what}, the next is due at {until}"));
            }
            RunEvent::Warning { video, message } => self.warning(*video, message),
            RunEvent::Finished { outcome, .. } => self.outcome(outcome),
            RunEvent::Begun { .. } | RunEvent::Found { .. } | RunEvent::StageDone { .. } => {}
        }
    }
}
