//! `pinpress publish`: finished videos become Pins.

use std::path::{Path, PathBuf};

use clap::Args;
use pinpress_pipeline::run::OWN_FOLDER;
use pinpress_pipeline::{Mode, PinTexts, RunOptions};

use super::run::tell_calls_left;
use crate::destination::OutputFolder;
use crate::dry_run::DryRunArgs;
use crate::exit::Exit;
use crate::intake::{FilterArgs, PaceArgs};
use crate::options::{ApiArgs, JobsOption, LedgerOption, Shared, SpecOption, TextArgs};
use crate::output;
use crate::run_output::RunOutputArgs;
use crate::schedule::{ScheduleArgs, Work};
use crate::signals;

/// Upload finished videos and create their Pins
#[derive(Debug, Args)]
#[command(after_help = "\
Videos are published as they are, and one that does not fit is not.
The access token comes from PINPRESS_ACCESS_TOKEN, else from `pinpress login`.

Examples:
  pinpress publish clip.mp4 --board Recipes
  pinpress publish out --manifest pins.csv
  pinpress publish out --manifest pins.csv --dry-run
  pinpress publish out --board Recipes --every 30m
  pinpress publish --due -o out --watch

A picture NAME.cover.jpg beside NAME.mp4 is its cover; without one, one is picked.
The ledger is that of the folder, so that a second time creates no second Pin. It also keeps what
each Pin says and when it is due: --due needs neither paths nor the manifest.
More on states, lost answers and schedules: pinpress help publishing
The report, the log, and what programs read: pinpress help runs
Exit codes: 0 all is published or waits for its time, 1 some video is not, 2 the work could not be
done, 130 interrupted.")]
pub(crate) struct PublishArgs {
    /// Finished videos, and folders of them.
    #[arg(value_name = "PATH", required_unless_present = "due", conflicts_with = "due")]
    paths: Vec<PathBuf>,
    /// Publish what waits in the ledger and whose time has come, to the boards and with the texts kept there.
    #[arg(long, conflicts_with = "dry_run")]
    due: bool,
    #[command(flatten)]
    texts: TextArgs,
    /// The folder whose ledger is kept; by default that of the videos, with --due this one.
    #[arg(short, long, value_name = "DIR", env = "PINPRESS_OUTPUT", hide_env = true)]
    output: Option<PathBuf>,
    #[command(flatten)]
    ledger: LedgerOption,
    #[command(flatten)]
    spec: SpecOption,
    #[command(flatten)]
    jobs: JobsOption,
    #[command(flatten)]
    filter: FilterArgs,
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

pub(crate) fn run(args: &PublishArgs, shared: &Shared) -> anyhow::Result<Exit> {
    let client = args.api.client_within(args.schedule.daily_calls)?;
    let OutputFolder { folder, depot } = match &args.output {
        Some(output) if args.due => OutputFolder::of(output)?,
        Some(output) => {
            let folder = OutputFolder::here(output, "what lies in folders is published with a ledger beside it")?;
            OutputFolder { folder, depot: None }
        }
        None => OutputFolder { folder: if args.due { PathBuf::from(".") } else { home(&args.paths)? }, depot: None },
    };
    let options = RunOptions {
        paths: args.paths.clone(),
        output: folder,
        depot,
        filters: args.filter.filters(),
        shard: None,
        settle: args.pace.settle(),
        keep_free: args.pace.keep_free(),
        ledger: args.ledger.address()?,
        spec: args.spec.load()?,
        mode: Mode::AsIs,
        jobs: args.jobs.for_encoding(),
        pins: Some(args.schedule.timed(args.texts.pins(client, args.api.base().to_string())?)),
        // The variables of a pipeline may name a board that --due has no use for.
        texts: if args.due { PinTexts::default() } else { args.texts.texts()? },
        more_to_come: false,
    };
    if args.look.dry_run {
        return args.look.tell(&options, args.tell.for_people());
    }
    let interrupt = signals::interrupt();
    let work = if args.due { Work::Due } else { Work::Run };
    let told = args.tell.begin(&options, shared)?;
    let (summary, exit) = args.schedule.carry_out(&options, &told, &args.jobs.machine, &interrupt, work)?;
    if args.due && summary.videos.is_empty() && !summary.interrupted && args.tell.for_people() {
        output::warn(&format!("nothing waits in this ledger: {}", options.output_as_named().display()));
        return Ok(exit);
    }
    let exit = told.end(&summary, exit)?;
    tell_calls_left(&options, shared, &args.tell)?;
    Ok(exit)
}

/// The folder whose ledger knows these videos: the nearest at or above each that has one, else the folder itself.
fn home(paths: &[PathBuf]) -> anyhow::Result<PathBuf> {
    let mut homes: Vec<PathBuf> = paths
        .iter()
        .map(|path| {
            let place = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            let folder = if place.is_dir() { place.as_path() } else { place.parent().unwrap_or(&place) };
            let known = folder.ancestors().find(|above| above.join(OWN_FOLDER).join("ledger.db").is_file());
            known.map_or_else(|| folder.to_owned(), Path::to_owned)
        })
        .collect();
    homes.sort();
    homes.dedup();
    match homes.as_slice() {
        [home] => Ok(home.clone()),
        _ => anyhow::bail!("the videos lie in several folders: give -o DIR for the one whose ledger is kept"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_ledger_is_home() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("out/.pinpress")).unwrap();
        std::fs::create_dir_all(at("out/deep")).unwrap();
        std::fs::create_dir_all(at("other")).unwrap();
        std::fs::write(at("out/deep/a.mp4"), b"x").unwrap();
        assert_eq!(home(&[at("out")]).unwrap(), at("out"));
        assert_eq!(home(&[at("out/deep/a.mp4")]).unwrap(), at("out/deep"), "no ledger anywhere");
        std::fs::write(at("out/.pinpress/ledger.db"), b"x").unwrap();
        assert_eq!(home(&[at("out/deep/a.mp4"), at("out")]).unwrap(), at("out"));
        assert!(home(&[at("out"), at("other")]).is_err());
    }
}
