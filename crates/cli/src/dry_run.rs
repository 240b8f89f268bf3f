//! `--dry-run` of the commands that publish.

use std::io::Write as _;

use clap::Args;
use pinpress_pipeline::RunOptions;

use crate::exit::Exit;
use crate::output::complain;
use crate::render::dry_run;
use crate::workers::LazyWorkers;

/// Telling instead of doing.
#[derive(Debug, Args)]
#[command(next_help_heading = "Looking first")]
pub(crate) struct DryRunArgs {
    /// Check texts, find boards, and print the requests that would be sent; sends none that writes.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// With --dry-run: print JSON.
    #[arg(long, requires = "dry_run")]
    json: bool,
}

impl DryRunArgs {
    /// Prints what a run with `options` would publish: for people, unless they are not meant.
    pub(crate) fn tell(&self, options: &RunOptions, for_people: bool) -> anyhow::Result<Exit> {
        let workers = LazyWorkers::new(1);
        let told = pinpress_pipeline::dry_run(options, &workers)?;
        let mut out = anstream::stdout();
        if self.json || !for_people {
            writeln!(out, "{}", serde_json::to_string_pretty(&dry_run::json(&told))?)?;
        } else {
            dry_run::human(&mut out, &told)?;
        }
        let exit = if told.all_good() { Exit::Success } else { Exit::SomeFailed };
        Ok(match workers.missing() {
            Some(reason) => {
                complain(reason);
                exit.worse(Exit::NotDone)
            }
            None => exit,
        })
    }
}
