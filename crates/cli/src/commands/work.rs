//! `pinpress work`: one of the machines that work off a queue.

use std::cell::OnceCell;
use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;
use jiff::SignedDuration;
use pinpress_pipeline::ledger::{Lease, Order};
use pinpress_pipeline::{CoverUrl, Mode, PinOptions, PinTexts, RunOptions, SystemClock, Until, Worked};

use pinpress_publish::Client;

use crate::destination::OutputFolder;
use crate::exit::Exit;
use crate::intake::PaceArgs;
use crate::options::{ApiArgs, JobsOption, LedgerOption, Shared};
use crate::output::complain;
use crate::render::check_human::counted;
use crate::run_output::{EventsOption, WorkOutput};
use crate::signals;
use crate::workers::LazyWorkers;

/// Work off the queue of a shared ledger, as one of many machines
#[derive(Debug, Args)]
#[command(after_help = "\
Each video is taken by one machine at a time; what a machine that dies was at work on is taken by
another within --lease. Ctrl-C, or SIGTERM, gives back what has not begun.
The access token comes from PINPRESS_ACCESS_TOKEN, else from `pinpress login`.

Examples:
  export PINPRESS_LEDGER=postgres://team@db.example.org/pins PGPASSWORD=…
  pinpress work
  pinpress work --until-empty --jobs 4

How it stands, with all machines: pinpress status --ledger URL
Exit codes: 0 all that it took is done, 1 some of it is not, 2 the work could not be done, 130
interrupted.")]
pub(crate) struct WorkArgs {
    #[command(flatten)]
    ledger: LedgerOption,
    /// End when nothing is left to do but Pins whose time is to come; else it waits for more.
    #[arg(long, env = "PINPRESS_UNTIL_EMPTY", hide_env = true)]
    until_empty: bool,
    /// How long this machine may be out of reach before another takes its videos, at least 30s.
    #[arg(long, value_name = "TIME", default_value = "2m", env = "PINPRESS_LEASE", hide_env = true, value_parser = lease)]
    lease: SignedDuration,
    /// Uploads at the same time.
    #[arg(long, value_name = "N", default_value_t = 2, env = "PINPRESS_UPLOADS", hide_env = true)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=16))]
    uploads: u8,
    #[command(flatten)]
    jobs: JobsOption,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    tell: EventsOption,
    #[command(flatten)]
    api: ApiArgs,
}

pub(crate) fn run(args: &WorkArgs, shared: &Shared) -> anyhow::Result<Exit> {
    let ledger = args.ledger.queue()?;
    let jobs = args.jobs.for_encoding();
    let output = WorkOutput::new(&args.tell, shared)?;
    let workers = LazyWorkers::new(3 * jobs).limited(&args.jobs.machine).counted(output.deaths());
    let interrupt = signals::interrupt();
    let until = if args.until_empty { Until::Empty } else { Until::Stopped };
    // Each order has a client of its own, on its own runtime; their calls are those of one account.
    let budget = OnceCell::new();
    let client = || -> anyhow::Result<Client> {
        let client = args.api.client()?;
        Ok(match budget.get() {
            Some(budget) => client.within(budget),
            None => {
                output.calls_of(&client);
                drop(budget.set(client.budget_view()));
                client
            }
        })
    };
    let mut prepare = |order: &Order| args.options(order, jobs, &client);
    let lease = Lease::of(args.lease);
    let worked = pinpress_pipeline::work((&ledger, &lease), &mut prepare, (&workers, &output, &interrupt), until)?;
    output.end()?;
    if !shared.quiet && args.tell.for_people() {
        let mut out = anstream::stdout();
        let Worked { good, bad, .. } = worked;
        writeln!(out, "{} taken: {good} good, {bad} not", counted(good + bad, "video"))?;
    }
    let mut exit = if worked.bad == 0 { Exit::Success } else { Exit::SomeFailed };
    if let Some(reason) = workers.missing().map(ToString::to_string).or(worked.refused) {
        complain(&reason);
        exit = exit.worse(Exit::NotDone);
    }
    Ok(if interrupt.requested() { Exit::Interrupted } else { exit })
}

impl WorkArgs {
    /// The order's terms, on this machine.
    fn options(
        &self,
        order: &Order,
        jobs: usize,
        client: &dyn Fn() -> anyhow::Result<Client>,
    ) -> anyhow::Result<RunOptions> {
        let terms = &order.terms;
        let pins = terms.pins.as_ref().map(|pins| {
            let base = self.api.base().to_string();
            anyhow::ensure!(
                pins.destination == base,
                "the order is to be published at {}, and this machine publishes at {base}: set PINPRESS_API, or enter it \
                 again",
                pins.destination
            );
            Ok(PinOptions {
                client: client()?,
                destination: pins.destination.clone(),
                cover_as: pins.cover_as,
                cover_url: pins.cover_url.clone().map(CoverUrl::new),
                uploads: self.uploads.into(),
                every: pins.every_s.map(SignedDuration::from_secs),
                clock: std::sync::Arc::new(SystemClock),
            })
        });
        let OutputFolder { folder, depot } = OutputFolder::of(&order.output)?;
        Ok(RunOptions {
            paths: Vec::new(),
            filters: pinpress_pipeline::Filters::default(),
            shard: None,
            settle: self.pace.settle(),
            keep_free: self.pace.keep_free(),
            output: folder,
            depot,
            ledger: self.ledger.address()?,
            spec: terms.spec.clone(),
            mode: Mode::Fix(terms.fix.clone()),
            jobs,
            pins: pins.transpose().context("cannot publish")?,
            texts: PinTexts::default(),
            more_to_come: true,
        })
    }
}

/// `2m`, at least [`Lease::SHORTEST_SHARED`].
fn lease(text: &str) -> Result<SignedDuration, String> {
    match text.trim().parse::<SignedDuration>() {
        Ok(lease) if lease >= Lease::SHORTEST_SHARED => Ok(lease),
        _ => Err("write a time of at least 30s, such as 45s or 2m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_are_no_shorter_than_a_cut_link_takes_to_notice() {
        assert_eq!(lease("2m"), Ok(Lease::SHARED));
        assert_eq!(lease("30s"), Ok(SignedDuration::from_secs(30)));
        for bad in ["29s", "0", "-2m", "soon", ""] {
            assert!(lease(bad).is_err(), "{bad}");
        }
    }
}
