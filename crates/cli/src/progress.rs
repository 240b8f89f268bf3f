//! What goes on, on stderr: live lines in a terminal, plain lines in a pipe, nothing with `-q`.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use pinpress_media::Stage;
use pinpress_pipeline::{End, RunEvent, RunObserver, VideoOutcome};

use crate::output::{NOTE, clean, shown};
use crate::render::run_table;
use crate::upload::Upload;

/// Listens to a run, or to anything that speaks of videos in the same way.
pub(crate) struct Progress {
    quiet: bool,
    lines: MultiProgress,
    live: bool,
    bars: Mutex<Bars>,
}

#[derive(Default)]
struct Bars {
    total: Option<ProgressBar>,
    videos: HashMap<PathBuf, ProgressBar>,
    uploads: HashMap<PathBuf, Upload>,
}

impl Progress {
    /// For a terminal when stderr is one.
    pub(crate) fn new(quiet: bool) -> Self {
        let live = !quiet && std::io::stderr().is_terminal();
        Self { quiet, lines: MultiProgress::new(), live, bars: Mutex::default() }
    }

    /// Writes a line to stderr without tearing the live lines.
    fn say(&self, line: &str) {
        self.lines.suspend(|| drop(std::io::Write::write_fmt(&mut anstream::stderr(), format_args!("{line}\n"))));
    }

    /// Lets something else write to the terminal.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.lines.suspend(write)
    }

    fn with_bars<T>(&self, change: impl FnOnce(&mut Bars) -> T) -> T {
        change(&mut self.bars.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of videos is known.
    pub(crate) fn expect(&self, videos: usize) {
        if !self.live {
            return;
        }
        let bar = ProgressBar::new(u64::try_from(videos).unwrap_or(u64::MAX));
        let style = ProgressStyle::with_template("{pos}/{len} videos {wide_bar} {elapsed}, {eta:.dim} left");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_secs(1));
        self.with_bars(|bars| bars.total = Some(self.lines.add(bar)));
    }

    /// A step of a video began.
    pub(crate) fn started(&self, video: &Path, step: &str) {
        if self.quiet {
            return;
        }
        if !self.live {
            if step != "check" {
                self.say(&format!("{step:<8} {}", shown(video)));
            }
            return;
        }
        let bar = self.with_bars(|bars| {
            bars.videos
                .entry(video.to_owned())
                .or_insert_with(|| {
                    let bar = ProgressBar::new_spinner();
                    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:<8} {wide_msg}") {
                        bar.set_style(style);
                    }
                    match &bars.total {
                        Some(total) => self.lines.insert_before(total, bar),
                        None => self.lines.add(bar),
                    }
                })
                .clone()
        });
        bar.set_prefix(step.to_owned());
        bar.set_message(shown(video));
        bar.enable_steady_tick(Duration::from_millis(120));
    }

    /// A step came further.
    pub(crate) fn advanced(&self, video: &Path, what: &str, done: u64, total: Option<u64>) {
        if !self.live {
            return;
        }
        if let Some(bar) = self.with_bars(|bars| bars.videos.get(video).cloned()) {
            let share = total.filter(|total| *total > 0).map(|total| done.saturating_mul(100) / total);
            let share = share.map_or_else(String::new, |percent| format!("{:>3} %  ", percent.min(100)));
            let left = share_left(&bar, done, total);
            // The name last: it is what a narrow terminal may cut.
            bar.set_message(format!("{share}{what}{left}  {}", shown(video)));
        }
    }

    /// A worker came further, in media time.
    pub(crate) fn worked(&self, video: &Path, progress: pinpress_media::Progress) {
        let word = stage_word(progress.stage);
        let bar = self.with_bars(|bars| bars.videos.get(video).cloned());
        let speed = bar.and_then(|bar| speed(progress.done_ms, bar.elapsed()));
        let what = speed.map_or_else(|| word.to_owned(), |speed| format!("{word}  {speed}"));
        self.advanced(video, &what, progress.done_ms, progress.total_ms);
    }

    /// Bytes of a video were sent.
    fn uploaded(&self, video: &Path, sent: u64, total: u64) {
        if self.quiet {
            return;
        }
        let (line, due) = self.with_bars(|bars| {
            let upload = bars.uploads.entry(video.to_owned()).or_default();
            let now = upload.begun.elapsed();
            (upload.line(now, sent, total), upload.is_due(now))
        });
        if !self.live {
            if due {
                self.say(&format!("{:<8} {}: {line}", "upload", shown(video)));
            }
            return;
        }
        if let Some(bar) = self.with_bars(|bars| bars.videos.get(video).cloned()) {
            bar.set_message(format!("{line}  {}", shown(video)));
        }
    }

    /// Nothing more is done with a video.
    pub(crate) fn finished(&self, video: &Path, line: Option<&str>) {
        self.with_bars(|bars| {
            bars.uploads.remove(video);
            if let Some(bar) = bars.videos.remove(video) {
                bar.finish_and_clear();
            }
            if let Some(total) = &bars.total {
                total.inc(1);
            }
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
        self.with_bars(|bars| {
            if let Some(total) = bars.total.take() {
                total.finish_and_clear();
            }
        });
        drop(self.lines.clear());
    }

    fn outcome(&self, outcome: &VideoOutcome) {
        // What needed nothing is in the table at the end.
        let line = (!matches!(outcome.end, End::UpToDate | End::Interrupted)).then(|| run_table::line(outcome));
        self.finished(&outcome.source, line.as_deref());
    }
}

/// `14.2×`: media time by the time it took.
fn speed(done_ms: u64, spent: Duration) -> Option<String> {
    let tenths = u128::from(done_ms).saturating_mul(10).checked_div(spent.as_millis())?;
    (tenths > 0).then(|| format!("{}.{}×", tenths / 10, tenths % 10))
}

fn share_left(bar: &ProgressBar, done: u64, total: Option<u64>) -> String {
    let Some(total) = total.filter(|total| done > 0 && *total > done) else { return String::new() };
    let spent = bar.elapsed().as_millis();
    let left = spent * u128::from(total - done) / u128::from(done) / 1_000;
    if left == 0 { String::new() } else { format!("  {left} s left") }
}

/// The word for what a worker does.
const fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Probing => "reading",
        Stage::Decoding => "decoding",
        Stage::Copying => "copying",
        Stage::Encoding => "encoding",
        Stage::Verifying => "verifying",
        Stage::Covering => "looking",
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
            RunEvent::Media { video, progress } => {
                self.worked(video, *progress);
            }
            RunEvent::Upload { video, sent, total } => self.uploaded(video, *sent, *total),
            RunEvent::Waiting { video, reason, delay } => {
                let text = format!("{reason}, again in {} s", delay.as_secs().max(1));
                self.advanced(video, &text, 0, None);
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
            RunEvent::Finished { outcome } => self.outcome(outcome),
        }
    }
}
