//! `pinpress fix`: the smallest change that makes a video fit.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use pinpress_media::{Action, Failure, FailureKind, Fix, FixOptions, Fixed, Observer, Plan};
use pinpress_pipeline::naming::output_names;
use pinpress_pipeline::ordered::in_order;
use pinpress_pipeline::{Checked, Discovery, Found, Interrupt, Media as _, Threads, check_file, discover};
use pinpress_probe::{ProbeError, Spec};

use crate::exit::Exit;
use crate::options::{FixArgs, JobsOption, Shared, SpecOption};
use crate::output::{Results, complain, warn};
use crate::progress::Progress;
use crate::render::fix as render;
use crate::signals;
use crate::workers::LazyWorkers;

/// Make videos fit by the smallest change; sources are never touched
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pinpress fix raw -o out
  pinpress fix --plan raw
  pinpress fix clip.mov -o out --aspect crop

An output that is there already, is newer than its source and passes is kept.
Exit codes: 0 all fit now, 1 some could not be fixed, 2 the work could not be done.")]
pub(crate) struct FixCommand {
    /// Videos, and folders of them; folder trees are mirrored.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Where the results go.
    #[arg(short, long, value_name = "DIR", env = "PINPRESS_OUTPUT", hide_env = true, required_unless_present = "plan")]
    output: Option<PathBuf>,
    /// Say what would be done, and write nothing.
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    spec: SpecOption,
    /// human or json.
    #[arg(long, value_name = "FORMAT", default_value = "human", env = "PINPRESS_FORMAT", hide_env = true)]
    #[arg(hide_possible_values = true)]
    format: Format,
    #[command(flatten)]
    jobs: JobsOption,
    #[command(flatten)]
    fix: FixArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// What became of one video.
pub(crate) struct FixResult {
    /// The source.
    pub(crate) source: PathBuf,
    /// Where the result is, or would be.
    pub(crate) output: Option<PathBuf>,
    /// The source, checked.
    pub(crate) before: Option<Checked>,
    /// How it went.
    pub(crate) outcome: FixOutcome,
}

/// How it went.
pub(crate) enum FixOutcome {
    /// A verified output.
    Fixed(Box<Fixed>),
    /// The output is there already and passes.
    Kept(Box<Checked>),
    /// What would be done.
    Planned(Vec<Plan>),
    /// The source cannot be read as a video.
    Unreadable(ProbeError),
    /// It was not fixed.
    Failed(Failure),
}

impl FixOutcome {
    /// Whether the video fits now, or would.
    pub(crate) fn is_good(&self) -> bool {
        match self {
            Self::Fixed(_) | Self::Kept(_) => true,
            Self::Planned(plans) => plans.iter().all(|plan| plan.action != Action::Unfixable),
            Self::Unreadable(_) | Self::Failed(_) => false,
        }
    }
}

pub(crate) fn run(args: &FixCommand, shared: &Shared) -> anyhow::Result<Exit> {
    let spec = args.spec.load()?;
    let discovery = discover(&args.paths, args.output.as_deref())?;
    anyhow::ensure!(!discovery.videos.is_empty(), "no video in {}", super::check::listed(&args.paths));
    let jobs = args.jobs.for_encoding().min(discovery.videos.len());
    let threads = Threads::share(jobs, Threads::cores());
    let workers = LazyWorkers::new(threads.jobs);
    let interrupt = signals::interrupt();
    let progress = Progress::new(shared.quiet);
    progress.expect(discovery.videos.len());
    let job = FixJob {
        spec: &spec,
        options: args.fix.options(threads.per_job),
        outputs: args.output.as_ref().map(|folder| outputs(folder, &discovery)),
        sources: discovery.videos.iter().filter_map(|found| found.path.canonicalize().ok()).collect(),
        plan_only: args.plan,
        workers: &workers,
        progress: &progress,
        interrupt: &interrupt,
    };
    let mut results = Results::text(None)?;
    let mut fixed = Vec::new();
    let mut written: anyhow::Result<()> = Ok(());
    in_order(
        discovery.videos.len(),
        threads.jobs,
        &interrupt,
        |index| {
            let result = job.fix(&discovery.videos[index], index);
            progress.finished(&result.source, None);
            result
        },
        |_, result| {
            if args.format == Format::Human && written.is_ok() {
                written = progress.aside(|| {
                    render::human(&mut results, &result, shared.quiet)?;
                    Ok(results.hand_on()?)
                });
            }
            fixed.push(result);
        },
    );
    progress.end();
    written?;
    match args.format {
        Format::Json => writeln!(results, "{}", render::json(&spec, &fixed)?)?,
        Format::Human if !shared.quiet => render::summary(&mut results, &fixed, args.plan)?,
        Format::Human => {}
    }
    results.end()?;
    for place in &discovery.unreadable {
        warn(&place.to_string());
    }
    let mut exit = if fixed.iter().all(|result| result.outcome.is_good()) && discovery.unreadable.is_empty() {
        Exit::Success
    } else {
        Exit::SomeFailed
    };
    if let Some(reason) = workers.missing() {
        complain(reason);
        exit = exit.worse(Exit::NotDone);
    }
    Ok(if interrupt.requested() { Exit::Interrupted } else { exit })
}

fn outputs(folder: &Path, discovery: &Discovery) -> Vec<PathBuf> {
    let sources: Vec<PathBuf> = discovery.videos.iter().map(|found| found.relative.clone()).collect();
    output_names(&sources, &HashMap::new()).into_iter().map(|name| folder.join(name)).collect()
}

struct FixJob<'a> {
    spec: &'a Spec,
    options: FixOptions,
    outputs: Option<Vec<PathBuf>>,
    sources: HashSet<PathBuf>,
    plan_only: bool,
    workers: &'a LazyWorkers,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
}

impl FixJob<'_> {
    fn fix(&self, found: &Found, index: usize) -> FixResult {
        let output = self.outputs.as_ref().map(|outputs| outputs[index].clone());
        let source = found.path.clone();
        let before = match check_file(&source, self.spec, self.workers) {
            Ok(checked) => checked,
            Err(error) => {
                return FixResult { source, output: None, before: None, outcome: FixOutcome::Unreadable(error) };
            }
        };
        let outcome = match &output {
            Some(output) if !self.plan_only => self.carry_out(&source, &before, output),
            _ => self
                .workers
                .plan(&source, &before.info, self.spec, &self.options, &self.listen(&source))
                .map(FixOutcome::Planned),
        };
        let outcome = outcome.unwrap_or_else(FixOutcome::Failed);
        FixResult { source, output, before: Some(before), outcome }
    }

    fn carry_out(&self, source: &Path, before: &Checked, output: &Path) -> Result<FixOutcome, Failure> {
        if output.canonicalize().is_ok_and(|output| self.sources.contains(&output)) {
            let message = "its output would replace a source: choose another output folder";
            return Err(Failure::new(FailureKind::OutputExists, message));
        }
        if !self.options.overwrite
            && let Some(kept) = self.kept(source, output)?
        {
            return Ok(FixOutcome::Kept(Box::new(kept)));
        }
        let missing = output.parent().filter(|folder| !folder.is_dir());
        if let Some(folder) = missing {
            std::fs::create_dir_all(folder).map_err(|error| {
                Failure::new(FailureKind::Io, format!("cannot make the folder {}: {error}", folder.display()))
            })?;
        }
        self.progress.started(source, "fix");
        let fix = Fix { source, info: &before.info, spec: self.spec, options: &self.options, output, part: None };
        let fixed = self.workers.fix(fix, &self.listen(source));
        fixed.map(|fixed| FixOutcome::Fixed(Box::new(fixed)))
    }

    /// The output that is there already, when it is newer than its source and passes.
    fn kept(&self, source: &Path, output: &Path) -> Result<Option<Checked>, Failure> {
        let Ok(there) = std::fs::metadata(output) else { return Ok(None) };
        let newer = match (std::fs::metadata(source).and_then(|file| file.modified()), there.modified()) {
            (Ok(source), Ok(output)) => output >= source,
            _ => false,
        };
        let checked = check_file(output, self.spec, self.workers).ok().filter(|checked| checked.report.passes());
        match checked.filter(|_| newer) {
            Some(checked) => Ok(Some(checked)),
            None => Err(Failure::new(
                FailureKind::OutputExists,
                format!(
                    "there is a file already, and it is not this one's result: --overwrite replaces it: {}",
                    output.display()
                ),
            )),
        }
    }

    const fn listen<'a>(&'a self, video: &'a Path) -> Listener<'a> {
        Listener { progress: self.progress, interrupt: self.interrupt, video }
    }
}

/// Passes on what a worker tells.
pub(crate) struct Listener<'a> {
    /// Where it is shown.
    pub(crate) progress: &'a Progress,
    /// Whether to go on.
    pub(crate) interrupt: &'a Interrupt,
    /// The video it is about.
    pub(crate) video: &'a Path,
}

impl Observer for Listener<'_> {
    fn progress(&self, progress: pinpress_media::Progress) {
        self.progress.worked(self.video, progress);
    }

    fn warning(&self, message: &str) {
        self.progress.warning(Some(self.video), message);
    }

    fn cancelled(&self) -> bool {
        self.interrupt.requested()
    }
}
