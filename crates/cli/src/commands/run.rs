//! `pinpress run`: the whole job.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use pinpress_pipeline::{Mode, PinOptions, RunError, RunOptions, RunSummary};
use pinpress_publish::BudgetLeft;

use crate::destination::OutputFolder;
use crate::dry_run::DryRunArgs;
use crate::exit::Exit;
use crate::intake::{FilterArgs, PaceArgs};
use crate::machine::MachineArgs;
use crate::options::{ApiArgs, FixArgs, JobsOption, LedgerOption, Shared, SpecOption, TextArgs};
use crate::output::{DIM, complain};
use crate::run_output::{RunOutput, RunOutputArgs};
use crate::schedule::{ScheduleArgs, Work};
use crate::shard::{ShardOption, tell_empty};
use crate::signals;
use crate::workers::LazyWorkers;

/// The whole job: check, fix, cover, publish
#[derive(Debug, Args)]
#[command(after_help = "\
The access token comes from PINPRESS_ACCESS_TOKEN, else from `pinpress login`.
Without an account: pinpress rehearse DIR -o OUT

Examples:
  pinpress run raw -o out --board Recipes
  pinpress run raw -o out --manifest pins.csv
  pinpress run raw -o out --board Recipes --every 30m --watch
  pinpress run raw -o out --no-publish
  pinpress run s3://media/raw/ -o s3://media/out/ --board Recipes     # pinpress help storage

It may be stopped at any moment: the next run does what is left, and never creates a Pin twice.
A Pin with a publish_at in the manifest goes out with the first run, or publish --due, after it.
More on states, lost answers and schedules: pinpress help publishing
The report, the log, and what programs read: pinpress help runs
Exit codes: 0 all is published or waits for its time, 1 some video is not, 2 the work could not be
done, 130 interrupted.")]
pub(crate) struct RunArgs {
    /// Folders of raw videos, and videos, also in storage.
    #[arg(value_name = "DIR", required = true)]
    paths: Vec<PathBuf>,
    /// Where outputs, covers, receipts and the ledger go; in storage, all but the ledger.
    #[arg(short, long, value_name = "DIR", env = "PINPRESS_OUTPUT", hide_env = true)]
    output: PathBuf,
    /// Stop after the covers: nothing is sent, and neither a board nor an account is needed.
    #[arg(long, conflicts_with = "dry_run", env = "PINPRESS_NO_PUBLISH", hide_env = true)]
    no_publish: bool,
    #[command(flatten)]
    ledger: LedgerOption,
    #[command(flatten)]
    texts: TextArgs,
    #[command(flatten)]
    spec: SpecOption,
    #[command(flatten)]
    jobs: JobsOption,
    #[command(flatten)]
    fix: FixArgs,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    shard: ShardOption,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    schedule: ScheduleArgs,
    #[command(flatten)]
    look: DryRunArgs,
    #[command(flatten)]
    tell: RunOutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

pub(crate) fn run(args: &RunArgs, shared: &Shared) -> anyhow::Result<Exit> {
    let shard = args.shard.get()?;
    anyhow::ensure!(
        shard.is_none() || args.no_publish || !args.schedule.is_spaced(),
        "--every and --shard do not go together, as shards know nothing of each other's Pins: \
         fix with --shard --no-publish, then pinpress publish --every"
    );
    // Before any work, so that nobody waits for an encode to learn it.
    let pins = if args.no_publish { None } else { Some(args.pins()?) };
    let OutputFolder { folder, depot } = OutputFolder::of(&args.output)?;
    let options = RunOptions {
        paths: args.paths.clone(),
        output: folder,
        depot,
        filters: args.filter.filters(),
        shard,
        settle: args.pace.settle(),
        keep_free: args.pace.keep_free(),
        ledger: args.ledger.address()?,
        spec: args.spec.load()?,
        mode: Mode::Fix(args.fix.options(1)),
        jobs: args.jobs.for_encoding(),
        pins,
        texts: args.texts.texts()?,
        more_to_come: args.schedule.watch,
    };
    if args.look.dry_run {
        return args.look.tell(&options, args.tell.for_people());
    }
    let interrupt = signals::interrupt();
    let output = args.tell.begin(&options, shared)?;
    let (summary, exit) = args.schedule.carry_out(&options, &output, &args.jobs.machine, &interrupt, Work::Run)?;
    if !summary.interrupted {
        tell_empty(shard, summary.videos.len(), shared.quiet);
    }
    let exit = output.end(&summary, exit)?;
    tell_calls_left(&options, shared, &args.tell)?;
    Ok(exit)
}

impl RunArgs {
    fn pins(&self) -> anyhow::Result<PinOptions> {
        let client = self.api.client_within(self.schedule.daily_calls)?;
        Ok(self.schedule.timed(self.texts.pins(client, self.api.base().to_string())?))
    }
}

/// Does `work`, of which `output` hears.
pub(crate) fn carry_out(
    options: &RunOptions,
    output: &RunOutput,
    machine: &MachineArgs,
    work: impl FnOnce(&LazyWorkers) -> Result<RunSummary, RunError>,
) -> anyhow::Result<(RunSummary, Exit)> {
    // One for each video that is encoded, one for each that is read ahead, one for each that has its cover picked.
    let workers = LazyWorkers::new(3 * options.jobs).limited(machine).counted(output.deaths());
    let result = work(&workers);
    output.hush();
    let summary = result?;
    let mut exit = if summary.all_good() { Exit::Success } else { Exit::SomeFailed };
    if let Some(reason) = workers.missing() {
        complain(reason);
        exit = exit.worse(Exit::NotDone);
    }
    if summary.interrupted {
        exit = Exit::Interrupted;
    }
    Ok((summary, exit))
}

/// A limit over so long a time is worth planning with; shorter ones are waited out.
const LONG: Duration = Duration::from_secs(3_600);

/// What is left of the longest limit, if it is one to plan with.
pub(crate) fn calls_left(budget: &[BudgetLeft]) -> Option<&BudgetLeft> {
    budget.iter().rfind(|left| left.window.span >= Some(LONG))
}

/// What is left of the longest limit that Pinterest tells of: a thousand calls a day for an app with trial access.
pub(crate) fn tell_calls_left(options: &RunOptions, shared: &Shared, tell: &RunOutputArgs) -> anyhow::Result<()> {
    let budget = options.pins.as_ref().map(|pins| pins.client.budget()).unwrap_or_default();
    if let Some(left) = calls_left(&budget).filter(|_| !shared.quiet && tell.for_people()) {
        writeln!(anstream::stdout(), "{DIM}Pinterest: {left}{DIM:#}")?;
    }
    Ok(())
}
