//! Logs: to the terminal with `-v`, and those of a run to files under its output folder, whatever `-v` says.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use clap::ValueEnum;
use pinpress_telemetry::Traces;
use tracing::Subscriber;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use crate::output;

/// What a file has: every step of ours, what libav said of a video that failed, and what goes wrong elsewhere.
const FILTER: &str = "warn,pinpress=debug,libav=debug";

/// A file a day, so that a run that watches for weeks has no endless one; that many are kept.
const FILES: usize = 14;

/// What is said before the run has its folder, such as the calls that look up the boards, is kept up to this size.
const EARLY_BYTES: usize = 256 << 10;

/// A layer that writes an object a line: `timestamp`, `level`, `target`, `fields`, and the spans that the event is in
/// from the outermost (that of the video) to the innermost. Each kind of writer makes it another type.
macro_rules! as_json {
    ($layer:expr) => {
        $layer.with_ansi(false).json().with_current_span(false).with_span_list(true).boxed()
    };
}

static FILE: OnceLock<LogFile> = OnceLock::new();

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// An object a line.
    Json,
}

/// Says on stderr what `filter` lets through, and makes `traces`.
pub(crate) fn begin(filter: Option<&str>, format: LogFormat, traces: Option<&Traces>) {
    let terminal = filter.map(|filter| {
        let terminal = tracing_subscriber::fmt::layer().with_writer(io::stderr);
        let terminal = match format {
            LogFormat::Text => terminal.with_ansi(output::stderr_has_color()).compact().boxed(),
            LogFormat::Json => as_json!(terminal),
        };
        terminal.with_filter(EnvFilter::new(filter))
    });
    let traces = traces.map(Traces::layer);
    tracing_subscriber::registry().with(terminal).with(file_layer(format)).with(traces).init();
}

/// Logs the run into files in its own folder `own`, once that is there. Answers where they are.
pub(crate) fn to_files(own: &Path, format: LogFormat) -> PathBuf {
    let folder = own.join("log");
    let begun = FILE.set(LogFile { own: own.to_owned(), state: Mutex::new(State::Early(Vec::new())) });
    if begun.is_ok() {
        // With -v, and with traces, there is one already, which has the layer.
        drop(tracing_subscriber::registry().with(file_layer(format)).try_init());
    }
    folder
}

/// Why the log could not be written, if it could not.
pub(crate) fn trouble() -> Option<String> {
    let file = FILE.get()?;
    match &*file.state.lock().unwrap_or_else(PoisonError::into_inner) {
        State::Failed(reason) => Some(format!("the run has no log: {reason}: {}", file.own.join("log").display())),
        State::Early(_) | State::Open(_) => None,
    }
}

fn file_layer<S>(format: LogFormat) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let file = tracing_subscriber::fmt::layer().with_writer(ToFile);
    let file = match format {
        LogFormat::Text => file.with_ansi(false).boxed(),
        LogFormat::Json => as_json!(file),
    };
    file.with_filter(EnvFilter::new(FILTER))
}

/// Where the file's lines go; nowhere without a run.
#[derive(Debug, Clone, Copy)]
struct ToFile;

impl MakeWriter<'_> for ToFile {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

impl Write for ToFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(file) = FILE.get() {
            file.write(line);
        }
        // A log that cannot be written ends nothing.
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct LogFile {
    /// The run's own folder. The run makes it, not the log: one that is refused leaves nothing behind.
    own: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// The run has no folder yet.
    Early(Vec<u8>),
    Open(RollingFileAppender),
    Failed(String),
}

impl LogFile {
    fn write(&self, line: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let written = match &mut *state {
            State::Failed(_) => return,
            State::Early(early) if !self.own.is_dir() => {
                let room = EARLY_BYTES.saturating_sub(early.len());
                early.extend_from_slice(if line.len() <= room { line } else { &[] });
                return;
            }
            State::Early(early) => open(&self.own.join("log")).and_then(|mut file| {
                file.write_all(early)?;
                file.write_all(line)?;
                Ok(Some(file))
            }),
            State::Open(file) => file.write_all(line).map(|()| None),
        };
        match written {
            Ok(None) => {}
            Ok(Some(file)) => *state = State::Open(file),
            Err(error) => *state = State::Failed(error.to_string()),
        }
    }
}

fn open(folder: &Path) -> io::Result<RollingFileAppender> {
    // It would complain on stderr about a folder that it makes itself.
    std::fs::create_dir_all(folder)?;
    RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("run")
        .filename_suffix("log")
        .max_log_files(FILES)
        .build(folder)
        .map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(own: &Path) -> LogFile {
        LogFile { own: own.to_owned(), state: Mutex::new(State::Early(Vec::new())) }
    }

    fn files(own: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(own.join("log")).map(|entries| entries.flatten().collect()).unwrap_or_default();
        let entries: Vec<std::fs::DirEntry> = entries;
        entries.iter().map(std::fs::DirEntry::path).collect()
    }

    #[test]
    fn nothing_is_made_before_the_run_has_its_folder_and_nothing_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("out/.pinpress");
        let log = log_of(&own);
        log.write(b"early\n");
        assert!(!dir.path().join("out").exists());
        std::fs::create_dir_all(&own).unwrap();
        log.write(b"late\n");
        log.write(b"last\n");
        let files = files(&own);
        assert_eq!(files.len(), 1);
        assert_eq!(std::fs::read_to_string(&files[0]).unwrap(), "early\nlate\nlast\n");
    }

    #[test]
    fn what_is_said_early_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let log = log_of(&dir.path().join("none"));
        for _ in 0..10 {
            log.write(&[b'x'; EARLY_BYTES / 4]);
        }
        assert!(matches!(&*log.state.lock().unwrap(), State::Early(early) if early.len() == EARLY_BYTES));
    }

    #[test]
    fn old_files_go() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("log")).unwrap();
        for day in 1..=28 {
            std::fs::write(dir.path().join(format!("log/run.2020-01-{day:02}.log")), "x").unwrap();
        }
        log_of(dir.path()).write(b"today\n");
        assert!(files(dir.path()).len() <= FILES, "{:?}", files(dir.path()));
    }

    #[test]
    fn a_log_that_cannot_be_written_is_told_and_ends_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("log"), "a file where the folder belongs").unwrap();
        let log = log_of(dir.path());
        log.write(b"lost\n");
        log.write(b"lost\n");
        assert!(matches!(&*log.state.lock().unwrap(), State::Failed(_)));
    }
}
