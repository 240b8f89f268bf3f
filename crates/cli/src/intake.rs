//! Options that say which files are meant, and when one may be taken.

use std::time::Duration;

use clap::Args;
use pinpress_pipeline::{Filters, KeepFree};

/// Which files of the given folders are meant.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which files")]
pub(crate) struct FilterArgs {
    /// Only files that match, such as '*.mov' or '2024/**'; may be given again.
    #[arg(long, value_name = "GLOB", env = "PINPRESS_INCLUDE", hide_env = true, value_delimiter = ',')]
    include: Vec<String>,
    /// No file and no folder that matches; may be given again. A file .pinpressignore in a folder does the same.
    #[arg(long, value_name = "GLOB", env = "PINPRESS_EXCLUDE", hide_env = true, value_delimiter = ',')]
    exclude: Vec<String>,
}

impl FilterArgs {
    pub(crate) fn filters(&self) -> Filters {
        Filters { include: self.include.clone(), exclude: self.exclude.clone() }
    }
}

/// When a file may be taken, and how much stays free.
#[derive(Debug, Args)]
#[command(next_help_heading = "Unattended")]
pub(crate) struct PaceArgs {
    /// Leave a file for later that grows while it is watched for so long; what is older than that is not watched.
    #[arg(long, value_name = "TIME", default_value = "2s", env = "PINPRESS_SETTLE", hide_env = true)]
    #[arg(value_parser = span)]
    settle: Duration,
    /// Megabytes that stay free on the disk of the output folder, at most a tenth of it: work waits rather than fill it.
    /// 0 does not wait.
    #[arg(long, value_name = "MB", default_value_t = 512, env = "PINPRESS_KEEP_FREE", hide_env = true)]
    keep_free: u32,
}

impl PaceArgs {
    pub(crate) const fn settle(&self) -> Duration {
        self.settle
    }

    pub(crate) fn keep_free(&self) -> KeepFree {
        KeepFree { reserve: u64::from(self.keep_free) * 1_000_000, ..KeepFree::default() }
    }
}

/// `2s`, `500ms`, `0`.
fn span(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let time = text.parse::<jiff::SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    time.ok_or_else(|| "write a time such as 2s, 500ms or 1m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_times() {
        assert_eq!(span("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(span(" 500ms "), Ok(Duration::from_millis(500)));
        assert_eq!(span("0"), Ok(Duration::ZERO));
        for bad in ["", "2", "-2s", "soon"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
