//! `pinpress fix`: the smallest change that makes a video fit.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use pinpress_pipeline::naming::output_names;
use pinpress_pipeline::ordered::in_order;
use pinpress_pipeline::{Discovery, Found, Objects, Threads, discover_with};
use pinpress_store::Stores;

use crate::delivery::Delivery;
use crate::destination::{Destination, copies_within};
use crate::exit::Exit;
use crate::fixing::FixJob;
use crate::intake::FilterArgs;
use crate::options::{FixArgs, JobsOption, Shared, SpecOption};
use crate::output::{Results, complain, warn};
use crate::progress::Progress;
use crate::render::fix as render;
use crate::shard::ShardOption;
use crate::signals;
use crate::workers::LazyWorkers;

/// Make videos fit by the smallest change; sources are never touched
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pinpress fix raw -o out
  pinpress fix --plan raw
  pinpress fix clip.mov -o out --aspect crop --fps retime
  pinpress fix lecture.mkv -o out --long split
  pinpress fix s3://media/raw/ -o s3://media/out/         # pinpress help storage

`pinpress help fixes` explains each choice. An output that is there already, is newer than its
source and passes is kept.
Exit codes: 0 all fit now, 1 some could not be fixed, 2 the work could not be done.")]
pub(crate) struct FixCommand {
    /// Videos, and folders of them, also in object storage; folder trees are mirrored.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Where the results go: a folder, or one in object storage.
    #[arg(short, long, value_name = "DIR", env = "PINPRESS_OUTPUT", hide_env = true)]
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
    /// Threads of each video, for the bench.
    #[arg(long, value_name = "N", hide = true)]
    threads: Option<NonZeroUsize>,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    shard: ShardOption,
    #[command(flatten)]
    fix: FixArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

pub(crate) fn run(args: &FixCommand, shared: &Shared) -> anyhow::Result<Exit> {
    anyhow::ensure!(args.plan || args.output.is_some(), "no output folder: give -o DIR, or --plan to write nothing");
    let spec = args.spec.load()?;
    let destination = args.output.as_deref().map(Destination::of).transpose()?;
    let stores = Stores::new();
    let output = destination.as_ref().map(Destination::to_path);
    let discovery = discover_with(&args.paths, output.as_deref(), &args.filter.filters(), &stores)?;
    anyhow::ensure!(!discovery.videos.is_empty(), "no video in {}", super::check::listed(&args.paths));
    // Names and sources are those of the whole.
    let places = args.shard.places(&discovery.videos, shared.quiet)?;
    let jobs = args.jobs.for_encoding().min(places.len());
    let threads = Threads::share(jobs, Threads::cores());
    let workers = LazyWorkers::new(threads.jobs).limited(&args.jobs.machine);
    let interrupt = signals::interrupt();
    let progress = Progress::new(shared.quiet);
    progress.expect(places.len());
    let objects = Objects::new(stores, threads.jobs, interrupt.clone());
    let (objects, delivery) = match destination {
        Some(Destination::Folder(folder)) => (objects.within(copies_within(&folder)), None),
        Some(Destination::Storage(to)) if !args.plan => {
            let delivery = Delivery::new(to, &objects)?;
            (objects, Some(delivery))
        }
        _ => (objects, None),
    };
    let made_in = delivery.as_ref().map_or(output.as_ref(), |delivery| Some(&delivery.staging));
    let job = FixJob {
        spec: &spec,
        options: args.fix.options(args.threads.map_or(threads.per_job, NonZeroUsize::get)),
        outputs: made_in.map(|folder| outputs(folder, &discovery)),
        sources: discovery.videos.iter().filter_map(source).collect(),
        objects: &objects,
        delivery,
        plan_only: args.plan,
        workers: &workers,
        progress: &progress,
        interrupt: &interrupt,
    };
    let mut results = Results::text(None)?;
    let mut fixed = Vec::new();
    let mut written: anyhow::Result<()> = Ok(());
    in_order(
        places.len(),
        threads.jobs,
        &interrupt,
        |place| {
            let index = places[place];
            let found = &discovery.videos[index];
            let results = job.fix(found, index);
            progress.finished(&found.path, None);
            results
        },
        |_, of_video| {
            if args.format == Format::Human && written.is_ok() {
                written = progress.aside(|| {
                    for result in &of_video {
                        render::human(&mut results, result, shared.quiet)?;
                    }
                    Ok(results.hand_on()?)
                });
            }
            fixed.extend(of_video);
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

/// The source itself, whatever links lead to it.
fn source(found: &Found) -> Option<PathBuf> {
    if found.object.is_some() { Some(found.path.clone()) } else { found.path.canonicalize().ok() }
}

fn outputs(folder: &Path, discovery: &Discovery) -> Vec<PathBuf> {
    let sources: Vec<PathBuf> = discovery.videos.iter().map(|found| found.relative.clone()).collect();
    output_names(&sources).into_iter().map(|name| folder.join(name)).collect()
}
