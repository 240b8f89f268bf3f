//! `pinpress enqueue`: videos for whoever works off the queue.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use pinpress_pipeline::{KeepFree, Mode, RunOptions};

use crate::destination::OutputFolder;
use crate::exit::Exit;
use crate::intake::FilterArgs;
use crate::options::{ApiArgs, FixArgs, LedgerOption, Shared, SpecOption, TextArgs};
use crate::output::{complain, shown, warn};
use crate::render::check_human::counted;
use crate::schedule::EveryOption;

/// Enter videos in the queue of a shared ledger
#[derive(Debug, Args)]
#[command(after_help = "\
Boards and texts are settled now, so that every mistake is told before any work; the work is done by
pinpress work. Sources and the output folder are to be at the same paths on all machines, or in
storage (pinpress help storage).

Examples:
  export PINPRESS_LEDGER=postgres://team@db.example.org/pins PGPASSWORD=…
  pinpress enqueue /videos/raw -o /videos/out --manifest pins.csv
  pinpress enqueue s3://media/raw/ -o s3://media/out/ --board Recipes
  pinpress enqueue /videos/raw -o /videos/out --no-publish

What is entered a second time waits by the new terms, what is done is looked at once more, and what
somebody is at work on stays as it is.
Exit codes: 0 all are entered, 2 none is.")]
pub(crate) struct EnqueueArgs {
    /// Folders of raw videos, and videos, also in storage.
    #[arg(value_name = "DIR", required = true)]
    paths: Vec<PathBuf>,
    /// Where outputs, covers and receipts go: the same folder on all machines, or one in storage.
    #[arg(short, long, value_name = "DIR", env = "PINPRESS_OUTPUT", hide_env = true)]
    output: PathBuf,
    /// Stop after the covers: nothing is sent, and neither a board nor an account is needed.
    #[arg(long, env = "PINPRESS_NO_PUBLISH", hide_env = true)]
    no_publish: bool,
    #[command(flatten)]
    ledger: LedgerOption,
    #[command(flatten)]
    texts: TextArgs,
    #[command(flatten)]
    spec: SpecOption,
    #[command(flatten)]
    fix: FixArgs,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    every: EveryOption,
    #[command(flatten)]
    api: ApiArgs,
}

pub(crate) fn run(args: &EnqueueArgs, shared: &Shared) -> anyhow::Result<Exit> {
    let OutputFolder { folder, depot } = OutputFolder::of(&args.output)?;
    let ledger = args.ledger.queue()?;
    let pins = if args.no_publish {
        None
    } else {
        Some(args.every.timed(args.texts.pins(args.api.client()?, args.api.base().to_string())?))
    };
    let options = RunOptions {
        paths: args.paths.clone(),
        output: folder,
        depot,
        filters: args.filter.filters(),
        shard: None,
        settle: std::time::Duration::ZERO,
        keep_free: KeepFree::default(),
        ledger: args.ledger.address()?,
        spec: args.spec.load()?,
        mode: Mode::Fix(args.fix.options(1)),
        jobs: 1,
        pins,
        texts: args.texts.texts()?,
        more_to_come: false,
    };
    let entered = pinpress_pipeline::enqueue(&options, &ledger)?;
    for place in &entered.unreadable {
        complain(&place.to_string());
    }
    if shared.quiet {
        return Ok(Exit::Success);
    }
    for (video, advice) in &entered.advice {
        warn(&format!("{advice}: {}", shown(video)));
    }
    let mut out = anstream::stdout();
    let count = |videos: u64| counted(usize::try_from(videos).unwrap_or(usize::MAX), "video");
    writeln!(out, "{} entered", count(entered.placed.waiting))?;
    if entered.placed.at_work > 0 {
        writeln!(out, "{} stay as they are: somebody is at work on them", count(entered.placed.at_work))?;
    }
    Ok(Exit::Success)
}
