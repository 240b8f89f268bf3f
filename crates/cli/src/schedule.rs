//! Options that say when Pins go out.

use clap::Args;
use jiff::SignedDuration;
use pinpress_pipeline::{FolderChanges, Interrupt, Mode, PinOptions, RunOptions, RunSummary};

use crate::commands::run::carry_out;
use crate::exit::Exit;
use crate::machine::MachineArgs;
use crate::output::warn;
use crate::run_output::RunOutput;

/// `--every`.
#[derive(Debug, Args)]
#[command(next_help_heading = "When")]
pub(crate) struct EveryOption {
    /// Space Pins out: at least so long from one to the next, such as 30m; 0 takes it back.
    #[arg(long, value_name = "TIME", env = "PINPRESS_EVERY", hide_env = true, value_parser = every)]
    every: Option<SignedDuration>,
}

impl EveryOption {
    /// The Pins with this distance.
    pub(crate) fn timed(&self, pins: PinOptions) -> PinOptions {
        PinOptions { every: self.every, ..pins }
    }
}

/// When Pins go out.
#[derive(Debug, Args)]
#[command(next_help_heading = "When")]
pub(crate) struct ScheduleArgs {
    #[command(flatten)]
    every: EveryOption,
    /// Go on: publish until all Pins are out, sleeping until the next is due; run keeps an eye on its folders too, until
    /// Ctrl-C.
    #[arg(long, env = "PINPRESS_WATCH", hide_env = true)]
    pub(crate) watch: bool,
    /// Make at most so many calls of the API in a day, where Pinterest's answers name no such limit.
    #[arg(long, value_name = "N", env = "PINPRESS_DAILY_CALLS", hide_env = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) daily_calls: Option<u64>,
}

impl ScheduleArgs {
    /// Whether Pins keep a distance from each other.
    pub(crate) fn is_spaced(&self) -> bool {
        self.every.every.is_some_and(|every| !every.is_zero())
    }

    /// The Pins with these times.
    pub(crate) fn timed(&self, pins: PinOptions) -> PinOptions {
        self.every.timed(pins)
    }

    /// Does `work`, and with `--watch` waits for what is due later.
    pub(crate) fn carry_out(
        &self,
        options: &RunOptions,
        output: &RunOutput,
        machine: &MachineArgs,
        interrupt: &Interrupt,
        work: Work,
    ) -> anyhow::Result<(RunSummary, Exit)> {
        carry_out(options, output, machine, |workers| {
            if self.watch && matches!((work, &options.mode), (Work::Run, Mode::Fix(_))) {
                let manifest = options.texts.manifest.as_ref().map(|manifest| manifest.path.as_path());
                let changes = FolderChanges::below(&options.paths, manifest, &options.output_as_named());
                if let Some(reason) = changes.blind() {
                    warn(&format!("folders are looked through every few seconds: {reason}"));
                }
                return pinpress_pipeline::keep_watch(options, workers, output, interrupt, &changes);
            }
            let summary = match work {
                Work::Run => pinpress_pipeline::run(options, workers, output, interrupt)?,
                Work::Due => pinpress_pipeline::publish_due(options, workers, output, interrupt)?,
            };
            if self.watch {
                pinpress_pipeline::watch(options, workers, output, interrupt, summary)
            } else {
                Ok(summary)
            }
        })
    }
}

/// What comes before the waiting.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    /// The whole of a run.
    Run,
    /// What waits in the ledger.
    Due,
}

/// `30m`, `1h30m`, and `0`; in whole seconds.
fn every(text: &str) -> Result<SignedDuration, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(SignedDuration::ZERO);
    }
    match text.parse::<SignedDuration>() {
        Ok(every) if every >= SignedDuration::ZERO && every.subsec_nanos() == 0 => Ok(every),
        _ => Err("write a time in whole seconds, such as 90s, 30m or 1h30m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_whole_seconds() {
        for (text, seconds) in
            [("30m", 1_800), ("1h30m", 5_400), ("1h 30m", 5_400), ("90s", 90), ("0", 0), ("PT2H", 7_200)]
        {
            assert_eq!(every(text), Ok(SignedDuration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "30", "-5m", "half an hour", "1.5s", "20ms", "99999999999999999999h"] {
            assert!(every(bad).is_err(), "{bad}");
        }
    }
}
