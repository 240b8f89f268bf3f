//! `pinpress retry`: new attempts at what was given up.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use crate::exit::Exit;
use crate::options::LedgerOption;
use crate::output::{clean, shown};
use crate::render::check_human::counted;

/// Give videos that failed or were set aside new attempts
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pinpress retry -o out
  pinpress retry clip.mp4 -o out

The next run makes them. A Pin of unknown outcome is not touched: pinpress reconcile settles it.
Exit codes: 0 always, 2 where a named video has nothing to try again or there is no ledger.")]
pub(crate) struct RetryArgs {
    /// Videos, by their sources or outputs; by default all.
    #[arg(value_name = "VIDEO")]
    videos: Vec<PathBuf>,
    /// The output folder.
    #[arg(short, long, value_name = "DIR", default_value = ".", env = "PINPRESS_OUTPUT", hide_env = true)]
    output: PathBuf,
    #[command(flatten)]
    ledger: LedgerOption,
}

pub(crate) fn run(args: &RetryArgs) -> anyhow::Result<Exit> {
    let means = |asked: &PathBuf, job: &pinpress_pipeline::ledger::Job| {
        pinpress_pipeline::means(asked, &job.source, &pinpress_pipeline::naming::result_in(&args.output, &job.output))
    };
    let mut places = args.ledger.places(&args.output)?;
    if places.is_empty() {
        // Holding it will say that there is none.
        places.push(args.ledger.place(&args.output)?);
    }
    let mut again = Vec::new();
    for place in &places {
        let named = |job: &pinpress_pipeline::ledger::Job| args.videos.iter().any(|asked| means(asked, job));
        let wanted: Option<&dyn Fn(&pinpress_pipeline::ledger::Job) -> bool> =
            if args.videos.is_empty() { None } else { Some(&named) };
        again.extend(pinpress_pipeline::retry(place, wanted)?);
    }
    let mut out = anstream::stdout();
    for job in &again {
        let reason = job.reason.as_ref().map_or_else(String::new, |reason| format!("  {reason}"));
        writeln!(out, "{}{}", shown(&job.source), clean(&reason))?;
    }
    let missed = args.videos.iter().find(|asked| !again.iter().any(|job| means(asked, job)));
    if let Some(missed) = missed {
        anyhow::bail!("nothing of it failed or was set aside: see pinpress status: {}", missed.display());
    }
    match again.len() {
        0 => writeln!(out, "nothing failed or was set aside")?,
        count => writeln!(out, "{}: tried again by the next run", counted(count, "video"))?,
    }
    Ok(Exit::Success)
}
