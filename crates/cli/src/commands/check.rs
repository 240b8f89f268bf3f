//! `pinpress check`: the gate.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use pinpress_pipeline::ordered::in_order;
use pinpress_pipeline::{Objects, Threads, discover_with};
use pinpress_probe::{ProbeError, Severity, Spec};
use pinpress_store::Stores;

use crate::exit::Exit;
use crate::fixing::Listener;
use crate::intake::FilterArgs;
use crate::options::{JobsOption, Shared, SpecOption};
use crate::output::{Results, complain, warn};
use crate::progress::Progress;
use crate::render::check_github::Github;
use crate::render::check_html::Html;
use crate::render::check_human::{Human, counted};
use crate::render::check_json::{self, Json, Ndjson};
use crate::render::check_junit::Junit;
use crate::render::check_report::{CheckEnd, CheckReport, CheckedVideo, Summary};
use crate::render::check_sarif::Sarif;
use crate::shard::ShardOption;
use crate::signals;
use crate::stills::Stills;
use crate::workers::LazyWorkers;

/// Judge videos by the rules; changes nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Formats:
  human   a line for each video, its findings under it
  json    one document; --schema prints its JSON Schema
  ndjson  a line of JSON for each video, as it is done
  junit   JUnit XML, for the test pages of GitLab, Jenkins and others
  sarif   SARIF 2.1.0, for code scanning
  github  annotations and a job summary in GitHub Actions
  html    one file for people, with a still of each video

Examples:
  pinpress check clip.mp4
  pinpress check --format json out > report.json
  pinpress check --deep master.mov
  find . -name '*.mov' -print0 | pinpress check --stdin0
  pinpress check --format html -o report.html raw
  pinpress check s3://media/raw/                          # their indexes alone travel: pinpress help storage

In pipelines (more in pinpress help formats):
  pinpress check --format github raw                      # a step of GitHub Actions
  pinpress check --format sarif -o pinpress.sarif raw     # then github/codeql-action/upload-sarif
  pinpress check --format junit -o pinpress.xml raw       # GitLab: artifacts: reports: junit: pinpress.xml

Exit codes: 0 all pass, 1 some video fails or cannot be read as one, 2 the check could not be done.")]
pub(crate) struct CheckArgs {
    /// Videos, and folders of them, also in object storage.
    #[arg(value_name = "PATH", required_unless_present_any = ["stdin0", "schema"])]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    spec: SpecOption,
    /// Decode every picture and sound on all cores, and say where it breaks.
    #[arg(long, env = "PINPRESS_DEEP", hide_env = true)]
    deep: bool,
    /// human, json, ndjson, junit, sarif, github or html: see below.
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
    /// Print the JSON Schema of --format json, and check nothing.
    #[arg(long)]
    schema: bool,
    #[command(flatten)]
    jobs: JobsOption,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    shard: ShardOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
    Ndjson,
    Junit,
    Sarif,
    Github,
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Advice,
}

pub(crate) fn run(args: &CheckArgs, shared: &Shared) -> anyhow::Result<Exit> {
    if args.schema {
        anstream::stdout().write_all(check_json::JSON_SCHEMA.as_bytes())?;
        return Ok(Exit::Success);
    }
    let spec = args.spec.load()?;
    let mut paths = args.paths.clone();
    if args.stdin0 {
        paths.extend(paths_from_stdin()?);
    }
    let stores = Stores::new();
    let discovery = discover_with(&paths, None, &args.filter.filters(), &stores)?;
    anyhow::ensure!(!discovery.videos.is_empty(), "no video in {}", listed(&paths));
    let discovery = args.shard.part_of(discovery, shared.quiet)?;
    let videos = &discovery.videos;
    let mut jobs = args.jobs.for_reading();
    let mut workers = LazyWorkers::new(jobs).limited(&args.jobs.machine);
    let copies = jobs;
    if videos.iter().any(|found| found.object.is_some()) {
        jobs = args.jobs.for_ranges();
    }
    if args.deep {
        let share = Threads::share_decoding(jobs.min(videos.len()), Threads::cores());
        jobs = share.jobs;
        workers = LazyWorkers::new(jobs).limited(&args.jobs.machine).with_threads(share.per_job);
    }
    let interrupt = signals::interrupt();
    let objects = Objects::new(stores, copies, interrupt.clone());
    let mut results = args.results()?;
    let mut report = args.report(&spec, shared)?;
    let mut tally = Tally::default();
    let mut written = report.begin(&mut results);
    let stills = (args.format == Format::Html).then(|| Stills::new(&workers, &interrupt)).transpose()?;
    let progress = args.deep.then(|| Progress::new(shared.quiet));
    let examine = |index: usize| {
        let found = &videos[index];
        let path = found.path.as_path();
        let result = match &progress {
            None => objects.check(found, &spec, &workers),
            Some(progress) => {
                progress.started(path, "decode");
                let listener = Listener { progress, interrupt: &interrupt, video: path };
                let result = objects.check_deep(found, &spec, &workers, &listener);
                progress.finished(path, None);
                result?
            }
        };
        // One of an object would be a download.
        let still = stills.as_ref().filter(|_| found.object.is_none()).zip(result.as_ref().ok());
        let still = still.and_then(|(stills, checked)| stills.of(index, path, &checked.info));
        Some(CheckedVideo { result, still })
    };
    if let Some(progress) = &progress {
        progress.expect(videos.len());
    }
    in_order(videos.len(), jobs, &interrupt, examine, |index, video| {
        let path = &videos[index].path;
        // One that was interrupted is not told.
        let Some(video) = video else { return };
        tally.count(&video);
        if written.is_ok() {
            let mut write = || -> anyhow::Result<()> {
                report.video(&mut results, path, &video)?;
                Ok(results.hand_on()?)
            };
            written = match &progress {
                Some(progress) => progress.aside(write),
                None => write(),
            };
        }
        if written.is_err() {
            // Nobody reads on: there is no point in going on.
            interrupt.request();
        }
    });
    if let Some(progress) = &progress {
        progress.end();
    }
    written?;
    if interrupt.requested() {
        let done = format!("interrupted after {} of {}", tally.summary.total(), counted(videos.len(), "video"));
        warn(
            &args
                .output
                .as_ref()
                .map_or_else(|| done.clone(), |file| format!("{done}; not written: {}", file.display())),
        );
        return Ok(Exit::Interrupted);
    }
    let end = CheckEnd { summary: tally.summary, skipped: discovery.skipped, unreadable: &discovery.unreadable };
    report.end(&mut results, end)?;
    results.end()?;
    for place in &discovery.unreadable {
        warn(&place.to_string());
    }
    for link in discovery.loops.iter().filter(|_| shared.verbose > 0) {
        warn(&format!("not followed, it leads back to a folder above it: {}", link.display()));
    }
    let mut exit = if tally.fails(args.fail_on) { Exit::SomeFailed } else { Exit::Success };
    // A gate that could not look everywhere has not done its work.
    if !discovery.unreadable.is_empty() {
        exit = exit.worse(Exit::NotDone);
    }
    match workers.missing() {
        Some(reason) if tally.unread => {
            complain(reason);
            exit = exit.worse(Exit::NotDone);
        }
        // Every video was judged: only the stills are missing.
        Some(reason) => warn(reason),
        None => {}
    }
    Ok(exit)
}

impl CheckArgs {
    fn results(&self) -> anyhow::Result<Results> {
        let file = self.output.as_deref();
        if self.format == Format::Human { Results::text(file) } else { Results::exact(file) }
    }

    fn report<'a>(&self, spec: &'a Spec, shared: &Shared) -> anyhow::Result<Box<dyn CheckReport + 'a>> {
        let advice_fails = self.fail_on == FailOn::Advice;
        Ok(match self.format {
            Format::Human => Box::new(Human { quiet: shared.quiet, verbose: shared.verbose > 0 }),
            Format::Json => Box::new(Json::new(spec)),
            Format::Ndjson => Box::new(Ndjson),
            Format::Junit => Box::new(Junit::new(spec, advice_fails)?),
            Format::Sarif => Box::new(Sarif::new(spec, advice_fails, here()?)),
            Format::Github => Box::new(Github::new(advice_fails, job_summary()?)),
            Format::Html => Box::new(Html::new(spec)?),
        })
    }
}

fn here() -> anyhow::Result<PathBuf> {
    std::env::current_dir().context("cannot tell the current folder: change to one that exists")
}

/// The file in which GitHub's runner collects what a step says on the page of the job.
fn job_summary() -> anyhow::Result<Option<File>> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    let file = File::options().append(true).create(true).open(&path);
    file.map(Some).with_context(|| format!("cannot write the job's summary: {}", path.display()))
}

/// What the exit code depends on.
#[derive(Default)]
struct Tally {
    summary: Summary,
    advised: bool,
    /// Some video could not be read because no reader was there.
    unread: bool,
}

impl Tally {
    fn count(&mut self, video: &CheckedVideo) {
        self.summary.count(video.verdict());
        self.unread |= matches!(video.result, Err(ProbeError::Reader { .. }));
        let findings = video.result.iter().flat_map(|checked| &checked.report.findings);
        self.advised |= findings.into_iter().any(|finding| finding.severity == Severity::Advice);
    }

    fn fails(&self, fail_on: FailOn) -> bool {
        self.summary.pass < self.summary.total() || (self.advised && fail_on == FailOn::Advice)
    }
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
