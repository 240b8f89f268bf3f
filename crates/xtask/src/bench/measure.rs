//! A whole process: how long it took, from its start to its end, and the most memory that it held.
//!
//! The system keeps one peak for all children of a process, and those of a bench include compilers. So each command
//! is run by a process of its own: this program again, with the hidden task `measure`.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};

/// What one run of a command took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    /// From before the start to after the end.
    pub(crate) wall: Duration,
    /// The largest resident set of the command or of a process that it started, in KiB.
    pub(crate) peak_kib: u64,
}

impl Measured {
    /// Runs `command` (program and arguments) with its output thrown away. `codes` are the exit codes that mean that
    /// it did its work.
    pub(crate) fn run(command: &[String], codes: &[i32]) -> Result<Self> {
        let this = std::env::current_exe().context("this program has no name")?;
        let output = Command::new(this).arg("measure").args(command).stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8(output.stdout)?;
        let fields: Vec<i64> =
            text.split_whitespace().map(str::parse).collect::<Result<_, _>>().context(text.clone())?;
        let [micros, kib, code] = fields[..] else { bail!("nothing was measured: {}", command.join(" ")) };
        if !codes.iter().any(|known| i64::from(*known) == code) {
            bail!("ended with exit code {code}: {}", command.join(" "));
        }
        Ok(Self { wall: Duration::from_micros(micros.try_into()?), peak_kib: kib.try_into()? })
    }
}

/// The other side of [`Measured::run`]: runs `command` and prints microseconds, KiB and exit code.
pub(crate) fn report(command: &[String]) -> Result<()> {
    let [program, args @ ..] = command else { bail!("no command to measure") };
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status().with_context(|| format!("cannot start {program}"))?;
    let wall = begun.elapsed();
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss();
    // Linux counts in KiB, macOS in bytes.
    let peak = if cfg!(target_os = "macos") { peak / 1024 } else { peak };
    println!("{} {peak} {}", wall.as_micros(), status.code().unwrap_or(-1));
    Ok(())
}

/// The middle one of several, by time.
pub(crate) fn median(mut runs: Vec<Measured>) -> Option<Measured> {
    runs.sort_by_key(|run| run.wall);
    let middle = runs.len() / 2;
    runs.get(middle).copied()
}
