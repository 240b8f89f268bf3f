//! `pinpress check`: the gate.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use pinpress_pipeline::{check_all, discover};
use pinpress_probe::Severity;

use crate::exit::Exit;
use crate::options::{JobsOption, Shared, SpecOption};
use crate::output::{Results, warn};
use crate::render::check_json::{Summary, Verdict, VideoJson};
use crate::render::{check_human, check_json};
use crate::signals;
use crate::workers::LazyWorkers;

/// Judge videos by the rules; changes nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pinpress check clip.mp4
  pinpress check --format json out > report.json
  find . -name '*.mov' -print0 | pinpress check --stdin0

Exit codes: 0 all pass, 1 some video fails or cannot be read as one, 2 the check could not be done.")]
pub(crate) struct CheckArgs {
    /// Videos, and folders of them.
    #[arg(value_name = "PATH", required_unless_present = "stdin0")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    spec: SpecOption,
    /// human, json, or ndjson (a line for each video as it is done).
    #[arg(long, value_name = "FORMAT", default_value = "human", env = "PINPRESS_FORMAT", hide_env = true)]
    #[arg(hide_possible_values = true)]
    format: Format,
    /// Write the report there instead of to stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What fails the check: error or advice.
    #[arg(long, value_name = "LEVEL", default_value = "error", env = "PINPRESS_FAIL_ON", hide_env = true)]
    #[arg(hide_possible_values = true)]
    fail_on: FailOn,
    /// Take paths from stdin too, each ended by a NUL byte.
    #[arg(long)]
    stdin0: bool,
    #[command(flatten)]
    jobs: JobsOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
    Ndjson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Advice,
}

pub(crate) fn run(args: &CheckArgs, shared: &Shared) -> anyhow::Result<Exit> {
    let spec = args.spec.load()?;
    let mut paths = args.paths.clone();
    if args.stdin0 {
        paths.extend(paths_from_stdin()?);
    }
    let discovery = discover(&paths, None)?;
    anyhow::ensure!(!discovery.videos.is_empty(), "no video in {}", listed(&paths));
    let jobs = args.jobs.for_reading();
    let workers = LazyWorkers::new(jobs);
    let interrupt = signals::interrupt();
    let mut results = Results::new(args.output.as_deref());
    let mut summary = Summary::default();
    let mut advised = false;
    let mut documents = Vec::new();
    let mut written = Ok(());
    check_all(&discovery.videos, &spec, &workers, jobs, &interrupt, |found, result| {
        summary.count(Verdict::of(&result));
        advised |= result
            .as_ref()
            .is_ok_and(|checked| checked.report.findings.iter().any(|finding| finding.severity == Severity::Advice));
        let step = match args.format {
            Format::Human => {
                check_human::video(&mut results, &found.path, &result, shared.quiet).map_err(anyhow::Error::from)
            }
            Format::Json => serde_json::to_value(VideoJson::new(&found.path, &result))
                .map(|video| documents.push(video))
                .map_err(anyhow::Error::from),
            Format::Ndjson => check_json::line(VideoJson::new(&found.path, &result))
                .map_err(anyhow::Error::from)
                .and_then(|line| Ok(writeln!(results, "{line}")?)),
        };
        if let Err(error) = step {
            // Nobody reads on: there is no point in going on.
            interrupt.request();
            if written.is_ok() {
                written = Err(error);
            }
        }
    });
    written?;
    match args.format {
        Format::Json => writeln!(results, "{}", check_json::document(&spec, summary, &documents)?)?,
        Format::Human if !shared.quiet => {
            check_human::summary(&mut results, summary, discovery.skipped, shared.verbose > 0)?;
        }
        _ => {}
    }
    results.end()?;
    for place in &discovery.unreadable {
        warn(&place.to_string());
    }
    for link in discovery.loops.iter().filter(|_| shared.verbose > 0) {
        warn(&format!("not followed, it leads back to a folder above it: {}", link.display()));
    }
    let mut exit = if summary.pass < summary.total() || (advised && args.fail_on == FailOn::Advice) {
        Exit::SomeFailed
    } else {
        Exit::Success
    };
    // A gate that could not look everywhere has not done its work.
    if !discovery.unreadable.is_empty() {
        exit = exit.worse(Exit::NotDone);
    }
    if let Some(reason) = workers.missing() {
        crate::output::complain(reason);
        exit = exit.worse(Exit::NotDone);
    }
    if interrupt.requested() {
        exit = Exit::Interrupted;
    }
    Ok(exit)
}

fn paths_from_stdin() -> anyhow::Result<Vec<PathBuf>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read paths from stdin")?;
    Ok(bytes.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(path_of).collect())
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::OsStr::from_bytes(bytes).into()
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// Paths in a message.
pub(crate) fn listed(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "the list".to_owned();
    }
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
