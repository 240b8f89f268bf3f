//! A whole process: how long it took, from its start to its end, how much of the cores, and the most memory that it
//! held.
//!
//! The system keeps one peak for all children of a process, and those of a bench include compilers. So each command
//! is run by a process of its own: this program again, with the hidden task `measure`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// What one run of a command took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    /// From before the start to after the end.
    pub(crate) wall: Duration,
    /// Time on a core, of the command and what it started. Other work on the machine changes it far less than `wall`.
    pub(crate) cpu: Duration,
    /// The largest resident set of the command or of a process that it started, in KiB.
    pub(crate) peak_kib: u64,
}

impl Measured {
    /// Runs `command` (program and arguments) with its output thrown away. `codes` are the exit codes that mean that
    /// it did its work.
    fn run(command: &[String], codes: &[i32]) -> Result<Self> {
        let this = std::env::current_exe().context("this program has no name")?;
        let output = Command::new(this).arg("measure").args(command).stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8(output.stdout)?;
        let fields: Vec<i64> =
            text.split_whitespace().map(str::parse).collect::<Result<_, _>>().context(text.clone())?;
        let [wall, cpu, kib, code] = fields[..] else { bail!("nothing was measured: {}", command.join(" ")) };
        if !codes.iter().any(|known| i64::from(*known) == code) {
            bail!("ended with exit code {code}: {}", command.join(" "));
        }
        let micros = |micros: i64| micros.try_into().map(Duration::from_micros);
        Ok(Self { wall: micros(wall)?, cpu: micros(cpu)?, peak_kib: kib.try_into()? })
    }
}

/// A command that is measured.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// Program and arguments.
    pub(crate) command: Vec<String>,
    /// Exit codes that mean that it did its work.
    pub(crate) codes: &'static [i32],
    /// Where it writes: a folder that is empty before each run. What was written last is still there afterwards.
    pub(crate) output: Option<PathBuf>,
}

impl Run {
    /// A command that succeeds and writes nothing.
    pub(crate) const fn of(command: Vec<String>) -> Self {
        Self { command, codes: &[0], output: None }
    }

    /// A command that succeeds and writes into the folder `output`.
    pub(crate) const fn into(command: Vec<String>, output: PathBuf) -> Self {
        Self { command, codes: &[0], output: Some(output) }
    }

    fn once(&self) -> Result<Measured> {
        if let Some(output) = &self.output {
            if output.exists() {
                fs::remove_dir_all(output)?;
            }
            fs::create_dir_all(output).context("cannot make a folder for the results")?;
        }
        Measured::run(&self.command, self.codes)
    }
}

/// Each command once a round, in turn, so that what else the machine does falls on all of them; the medians by time.
pub(crate) fn in_turn(rounds: usize, runs: &[Run]) -> Result<Vec<Measured>> {
    let mut taken = vec![Vec::new(); runs.len()];
    for _ in 0..rounds {
        for (run, taken) in runs.iter().zip(&mut taken) {
            taken.push(run.once()?);
        }
    }
    taken.into_iter().map(|taken| median(taken).context("no round")).collect()
}

/// The other side of [`Measured::run`]: runs `command` and prints microseconds by the clock, microseconds on a core,
/// KiB and exit code.
pub(crate) fn report(command: &[String]) -> Result<()> {
    let [program, args @ ..] = command else { bail!("no command to measure") };
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status().with_context(|| format!("cannot start {program}"))?;
    let wall = begun.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // Linux counts in KiB, macOS in bytes.
    let peak = if cfg!(target_os = "macos") { usage.max_rss() / 1024 } else { usage.max_rss() };
    println!("{} {cpu} {peak} {}", wall.as_micros(), status.code().unwrap_or(-1));
    Ok(())
}

/// The middle one of several, by time.
fn median(mut runs: Vec<Measured>) -> Option<Measured> {
    runs.sort_by_key(|run| run.wall);
    let middle = runs.len() / 2;
    runs.get(middle).copied()
}
