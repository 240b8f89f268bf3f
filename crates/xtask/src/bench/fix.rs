//! The fix beside what it replaces.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use super::measure::Run;
use super::text::{commands, words};

mod edits;
mod encode;
mod likeness;
mod memory;
pub(super) mod mixed;
mod remux;
pub(super) mod source;
pub(super) mod threads;

/// One of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Table {
    /// The same encode by ffmpeg
    Encode,
    /// A remux, cp and ffmpeg
    Remux,
    /// A folder of 30, scripts around ffmpeg, and `HandBrake`
    Mixed,
    /// What needs no encode, and the encode
    Edits,
    /// Memory of a long encode
    Memory,
    /// Threads at several numbers of jobs
    Threads,
}

/// Builds, measures, prints.
pub(crate) fn run(rounds: usize, only: Option<Table>, build: bool) -> Result<()> {
    let bench = Bench { pinpress: super::pinpress(build)?, rounds };
    for table in Table::value_variants().iter().filter(|table| only.is_none_or(|only| only == **table)) {
        match table {
            Table::Encode => encode::table(&bench)?,
            Table::Remux => remux::table(&bench)?,
            Table::Mixed => mixed::table(&bench)?,
            Table::Edits => edits::table(&bench)?,
            Table::Memory => memory::table(&bench)?,
            Table::Threads => threads::table(&bench)?,
        }
        println!();
    }
    Ok(())
}

/// What all tables need.
struct Bench {
    pinpress: PathBuf,
    rounds: usize,
}

impl Bench {
    /// `pinpress fix` into an empty folder.
    fn fix(&self, source: &Path, options: &[&str]) -> Run {
        let output = source::scratch("pinpress");
        let mut command = vec![self.pinpress.display().to_string(), "fix".to_owned(), source.display().to_string()];
        command.extend(words(options));
        command.extend(["-q".to_owned(), "-o".to_owned(), output.display().to_string()]);
        Run::into(command, output)
    }

    /// The action that `pinpress fix` plans for one video: `remux`, `edit`, `encode` …
    fn action(&self, source: &Path, options: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.pinpress);
        command.args(["fix", "--plan", "--format", "json"]).args(options).arg(source);
        let output = command.output().context("cannot start pinpress")?;
        let plan: serde_json::Value = serde_json::from_slice(&output.stdout).context("no plan")?;
        let action = plan.pointer("/videos/0/action").and_then(serde_json::Value::as_str);
        Ok(action.context("a plan without an action")?.to_owned())
    }
}

/// The whole `ffmpeg` line: quiet, never waiting for a key.
fn ffmpeg(before: &[&str], source: &Path, after: &[&str], output: &Path) -> Vec<String> {
    let mut command = words(&["ffmpeg", "-v", "error", "-nostdin", "-y"]);
    command.extend(words(before));
    command.extend(["-i".to_owned(), source.display().to_string()]);
    command.extend(words(after));
    command.push(output.display().to_string());
    command
}
