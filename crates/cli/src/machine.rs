//! Options that say how much of the machine the work may take.

use std::num::NonZeroU16;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use pinpress_media::WorkersConfig;
use pinpress_pipeline::Threads;

/// `--jobs`, and what each of the jobs may take.
#[derive(Debug, Args)]
pub(crate) struct JobsOption {
    /// Videos at the same time: a number, or auto for what the machine is good for.
    #[arg(short, long, value_name = "N", default_value = "auto", env = "PINPRESS_JOBS", hide_env = true)]
    jobs: Jobs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

/// What one job may take.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The machine")]
pub(crate) struct MachineArgs {
    /// How much encodes give way to other programs, 0 to 19; what the cores have left they take.
    #[arg(long, value_name = "N", default_value_t = WorkersConfig::DEFAULT_NICE, env = "PINPRESS_NICE", hide_env = true)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=19))]
    nice: u8,
    /// Memory of one video, in MiB of address space; what asks for more is stopped.
    #[arg(long, value_name = "MIB", default_value_t = MEMORY_LIMIT, env = "PINPRESS_MEMORY_LIMIT", hide_env = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(256..=1 << 24))]
    memory_limit: u64,
    /// Seconds without progress after which a video is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = STALL, env = "PINPRESS_STALL_TIMEOUT", hide_env = true)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    stall_timeout: u64,
}

/// In MiB.
const MEMORY_LIMIT: u64 = WorkersConfig::DEFAULT_MEMORY_LIMIT >> 20;

/// Requests for indexes that are under way together: one takes 20 to 200 ms wherever it is asked.
const AT_ONCE_IN_STORAGE: usize = 16;

/// In seconds.
const STALL: u64 = WorkersConfig::DEFAULT_STALL.as_secs();

impl Default for MachineArgs {
    fn default() -> Self {
        Self { nice: WorkersConfig::DEFAULT_NICE, memory_limit: MEMORY_LIMIT, stall_timeout: STALL }
    }
}

impl MachineArgs {
    /// The workers, limited so.
    pub(crate) fn limit(&self, workers: WorkersConfig) -> WorkersConfig {
        WorkersConfig {
            nice: self.nice,
            memory_limit_bytes: self.memory_limit << 20,
            stall: Duration::from_secs(self.stall_timeout),
            ..workers
        }
    }
}

/// How many videos at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Jobs {
    /// What the machine is good for.
    Auto,
    /// So many.
    Number(NonZeroU16),
}

impl Jobs {
    const MOST: u16 = 1024;
}

impl FromStr for Jobs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        match text.parse::<NonZeroU16>() {
            Ok(number) if number.get() <= Self::MOST => Ok(Self::Number(number)),
            _ => Err(format!("write auto, or a number from 1 to {}", Self::MOST)),
        }
    }
}

impl JobsOption {
    /// For reading, where a thread of ours for each core is best.
    pub(crate) fn for_reading(&self) -> usize {
        self.or_auto(Threads::cores())
    }

    /// For the indexes of objects in storage, where most of the time is waiting.
    pub(crate) fn for_ranges(&self) -> usize {
        self.or_auto(AT_ONCE_IN_STORAGE.max(Threads::cores()))
    }

    /// For encoding.
    pub(crate) fn for_encoding(&self) -> usize {
        self.or_auto(Threads::auto(Threads::cores()).jobs)
    }

    fn or_auto(&self, auto: usize) -> usize {
        match self.jobs {
            Jobs::Auto => auto,
            Jobs::Number(number) => number.get().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_auto_or_a_number() {
        assert_eq!("auto".parse(), Ok(Jobs::Auto));
        assert_eq!("1024".parse(), Ok(Jobs::Number(NonZeroU16::new(1024).unwrap())));
        for bad in ["0", "-1", "1025", "many", ""] {
            let error = bad.parse::<Jobs>().unwrap_err();
            assert_eq!(error, "write auto, or a number from 1 to 1024", "{bad}");
        }
    }
}
