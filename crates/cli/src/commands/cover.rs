//! `pinpress cover`: ranked frames of a video.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use pinpress_media::{CoverOptions, Covers, Failure, PictureFiles, PictureFormat};
use pinpress_pipeline::naming::{cover_stem, output_names};
use pinpress_pipeline::ordered::in_order;
use pinpress_pipeline::{Media as _, Objects, check_file, discover_with};
use pinpress_probe::{DeepReader, Finding, RuleId, Seconds, Spec};
use pinpress_store::{ObjectAddress, Stores};

use crate::delivery::Delivery;
use crate::destination::{Destination, copies_within};
use crate::exit::Exit;
use crate::fixing::Listener;
use crate::intake::FilterArgs;
use crate::options::{JobsOption, Shared};
use crate::output::{Results, complain};
use crate::progress::Progress;
use crate::render::cover as render;
use crate::shard::ShardOption;
use crate::signals;
use crate::whole::Whole;
use crate::workers::LazyWorkers;

/// Pick the frames that do best as a cover
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pinpress cover clip.mp4 -o covers
  pinpress cover clip.mp4 -o covers --contact-sheet sheet.jpg
  pinpress cover clip.mp4 -o covers --at 2500
  pinpress cover s3://media/out/ -o s3://media/covers/ -n 3

Pictures are called NAME.cover.1.jpg and so on, best first; one alone NAME.cover.jpg.")]
pub(crate) struct CoverArgs {
    /// Videos, and folders of them, also in object storage.
    #[arg(value_name = "VIDEO", required = true)]
    paths: Vec<PathBuf>,
    /// Where the pictures go: a folder, or one in object storage.
    #[arg(short, long, value_name = "DIR", env = "PINPRESS_OUTPUT", hide_env = true)]
    output: PathBuf,
    /// How many frames.
    #[arg(short = 'n', long = "count", value_name = "N", default_value_t = 6)]
    #[arg(env = "PINPRESS_COVER_COUNT", hide_env = true)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=100))]
    count: u8,
    /// Take the frame that is shown at this time, in milliseconds, instead of choosing.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32))]
    at: Option<u32>,
    /// jpeg or png.
    #[arg(long, value_name = "FORMAT", default_value = "jpeg", hide_possible_values = true)]
    #[arg(env = "PINPRESS_COVER_FORMAT", hide_env = true)]
    format: PictureArg,
    /// One picture with all candidates, their times and scores.
    #[arg(long, value_name = "FILE")]
    contact_sheet: Option<PathBuf>,
    /// Print every candidate with its scores, and what was rejected, as JSON.
    #[arg(long)]
    json: bool,
    /// Replace pictures that exist.
    #[arg(long, env = "PINPRESS_OVERWRITE", hide_env = true)]
    overwrite: bool,
    #[command(flatten)]
    jobs: JobsOption,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    shard: ShardOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PictureArg {
    Jpeg,
    Png,
}

/// What became of one video.
pub(crate) struct CoverResult {
    /// The video.
    pub(crate) video: PathBuf,
    /// Its frames.
    pub(crate) covers: Result<Covers, Failure>,
    /// What is broken or missing of a file that has frames all the same.
    pub(crate) broken: Vec<Finding>,
}

pub(crate) fn run(args: &CoverArgs, shared: &Shared) -> anyhow::Result<Exit> {
    let stores = Stores::new();
    let destination = Destination::of(&args.output)?;
    anyhow::ensure!(
        args.contact_sheet.as_deref().is_none_or(|sheet| ObjectAddress::of_argument(sheet).is_none()),
        "--contact-sheet writes to a file of this machine"
    );
    let discovery = discover_with(&args.paths, None, &args.filter.filters(), &stores)?;
    let videos = &discovery.videos;
    anyhow::ensure!(!videos.is_empty(), "no video in {}", super::check::listed(&args.paths));
    anyhow::ensure!(
        args.contact_sheet.is_none() || videos.len() == 1,
        "--contact-sheet takes one video, and there are {}",
        videos.len()
    );
    let names: Vec<PathBuf> = videos.iter().map(|found| found.relative.clone()).collect();
    let jobs = args.jobs.for_reading();
    let interrupt = signals::interrupt();
    let objects = Objects::new(stores, jobs, interrupt.clone());
    let (folder, objects, delivery) = match destination {
        Destination::Folder(folder) => {
            let within = copies_within(&folder);
            (folder, objects.within(within), None)
        }
        Destination::Storage(to) => {
            let delivery = Delivery::new(to, &objects)?;
            (delivery.staging.clone(), objects, Some(delivery))
        }
    };
    let targets: Vec<PathBuf> = output_names(&names).into_iter().map(|name| folder.join(name)).collect();
    // Names are those of the whole.
    let places = args.shard.places(videos, shared.quiet)?;
    for folder in places.iter().filter_map(|place| targets[*place].parent()) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the output folder: {}", folder.display()))?;
    }
    let jobs = jobs.min(places.len());
    let spec = Spec::load("pinterest")?;
    let workers = LazyWorkers::new(jobs).limited(&args.jobs.machine);
    let progress = Progress::new(shared.quiet);
    progress.expect(places.len());
    let pick = |place: usize| {
        let index = places[place];
        let found = &videos[index];
        let video = &found.path;
        let listener = Listener { progress: &progress, interrupt: &interrupt, video };
        if found.object.is_some() {
            progress.started(video, "fetch");
        }
        let whole = Whole::new(&objects, found, &listener);
        let file = whole.path();
        progress.started(video, "cover");
        let (covers, broken) = match file {
            Ok(file) => {
                let covers = workers.cover(file, &args.options(&targets[index]), &listener);
                let covers = covers.and_then(|covers| match &delivery {
                    Some(delivery) => delivered(covers, delivery, args.overwrite, &objects, &listener),
                    None => Ok(covers),
                });
                let broken = if covers.is_ok() { broken(file, &spec, &workers) } else { Vec::new() };
                (covers, broken)
            }
            Err(failure) => (Err(failure), Vec::new()),
        };
        progress.finished(video, None);
        CoverResult { video: video.clone(), covers, broken }
    };
    let mut results = Results::text(None)?;
    let mut covered = Vec::new();
    let mut written: anyhow::Result<()> = Ok(());
    in_order(places.len(), jobs, &interrupt, pick, |_, result| {
        if !args.json && written.is_ok() {
            written = progress.aside(|| {
                render::human(&mut results, &result, shared.verbose > 0)?;
                Ok(results.hand_on()?)
            });
        }
        covered.push(result);
    });
    progress.end();
    written?;
    if args.json {
        writeln!(results, "{}", render::json(&covered)?)?;
    }
    results.end()?;
    let mut exit = if covered.iter().all(|result| result.covers.is_ok()) { Exit::Success } else { Exit::SomeFailed };
    if let Some(reason) = workers.missing() {
        complain(reason);
        exit = exit.worse(Exit::NotDone);
    }
    Ok(if interrupt.requested() { Exit::Interrupted } else { exit })
}

/// Takes the pictures of a video to storage, and names them as they are there.
fn delivered(
    mut covers: Covers,
    delivery: &Delivery,
    replace: bool,
    objects: &Objects,
    listener: &Listener<'_>,
) -> Result<Covers, Failure> {
    listener.progress.started(listener.video, "upload");
    for candidate in &mut covers.candidates {
        if let Some(file) = &mut candidate.file {
            let at = delivery.deliver(&PathBuf::from(&*file), replace, objects, listener)?;
            *file = at.to_path().as_path().into();
        }
    }
    Ok(covers)
}

/// A file that is cut off has frames up to there, and none of what would have come.
fn broken(video: &Path, spec: &Spec, reader: &dyn DeepReader) -> Vec<Finding> {
    let Ok(checked) = check_file(video, spec, reader) else { return Vec::new() };
    checked.report.findings.into_iter().filter(|finding| finding.rule == RuleId::Integrity).collect()
}

impl CoverArgs {
    fn options(&self, target: &Path) -> CoverOptions {
        CoverOptions {
            count: if self.at.is_some() { 1 } else { usize::from(self.count) },
            at: self.at.map(|millis| Seconds::from_millis(millis.into())),
            pictures: Some(PictureFiles {
                folder: target.parent().unwrap_or_else(|| Path::new(".")).into(),
                stem: Path::new(&cover_stem(target)).into(),
                format: match self.format {
                    PictureArg::Jpeg => PictureFormat::Jpeg,
                    PictureArg::Png => PictureFormat::Png,
                },
                max_side: None,
            }),
            contact_sheet: self.contact_sheet.as_deref().map(Into::into),
            overwrite: self.overwrite,
        }
    }
}
