//! The whole job beside what people do today: the mixed folder of 30 through check, fix and cover.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use super::fix::mixed::{EXPERT, HANDBRAKE, PRESET, fit, folder};
use super::fix::source::scratch;
use super::measure::{Run, in_turn};
use super::sink::{self, Sink};
use super::text::{commands, mebibytes, ratio, tenths, words};

mod busy;
mod jobs;
mod many;
mod uploads;

const WHOLE: &str = include_str!("run/whole.sh");

/// One of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Table {
    /// A folder of 30, scripts around ffmpeg, and `HandBrake`
    Peers,
    /// How busy the cores are from the first encode to the last
    Busy,
    /// Uploads over a link that takes as long as the encodes
    Uploads,
    /// Videos at once, and threads of each: what `--jobs auto` goes by
    Jobs,
    /// Thousands of small files, and the same again
    Many,
}

/// Builds, measures, prints.
pub(crate) fn run(rounds: usize, only: Option<Table>, build: bool) -> Result<()> {
    let bench = Bench { pinpress: super::pinpress(build)?, rounds };
    for table in Table::value_variants().iter().filter(|table| only.is_none_or(|only| only == **table)) {
        match table {
            Table::Peers => peers(&bench)?,
            Table::Busy => busy::table(&bench)?,
            Table::Uploads => uploads::table(&bench)?,
            Table::Jobs => jobs::table(&bench)?,
            Table::Many => many::table(&bench)?,
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
    /// `pinpress run` of the folder to `sink`, into a folder of that name.
    fn run(&self, folder: &Path, sink: &Sink, name: &str) -> Run {
        let output = scratch(name);
        let (input, into) = (folder.display().to_string(), output.display().to_string());
        let mut command = self.publishing(sink);
        command.extend(words(&["run", &input, "-o", &into, "--board", sink::BOARD, "--preset", PRESET, "-q"]));
        Run::into(command, output)
    }

    /// `pinpress` with the sink for a Pinterest.
    fn publishing(&self, sink: &Sink) -> Vec<String> {
        let api = format!("PINPRESS_API={}", sink.api_base());
        words(&["env", "PINPRESS_ACCESS_TOKEN=pina_bench", &api, &self.pinpress.display().to_string()])
    }
}

fn peers(bench: &Bench) -> Result<()> {
    let folder = folder()?;
    let script = |name: &str, text: &str| -> Result<String> {
        let path = folder.with_file_name(name);
        std::fs::write(&path, text).context("cannot write a script")?;
        Ok(path.display().to_string())
    };
    let (whole, expert, handbrake) =
        (script("whole.sh", WHOLE)?, script("expert.sh", EXPERT)?, script("handbrake.sh", HANDBRAKE)?);
    let input = folder.display().to_string();
    let contender = |name: &str, script: &str, rest: &[&str]| {
        let output = scratch(name);
        let mut command = words(&["sh", script, &input, &output.display().to_string(), PRESET]);
        command.extend(words(rest));
        Run::into(command, output)
    };
    let sink = sink::start(None)?;
    let runs = [
        ("`pinpress run`", bench.run(&folder, &sink, "run")),
        ("ffprobe, ffmpeg and a thumbnail, file after file", contender("whole-1", &whole, &["1", &expert])),
        ("the same under `xargs -P2`", contender("whole-2", &whole, &["2", &expert])),
        ("`HandBrakeCLI` in a loop, no thumbnail", contender("handbrake", &handbrake, &[])),
    ];
    let (names, runs): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
    let medians = in_turn(bench.rounds, &runs)?;
    println!("| 30 videos | wall | pinpress is | on a core | peak memory of one process | results that fit |");
    println!("|---|---|---|---|---|---|");
    for ((name, run), taken) in names.iter().zip(&runs).zip(&medians) {
        let times = ratio(taken.wall, medians[0].wall);
        let times = if *name == names[0] { String::new() } else { format!("{times:.2}× faster") };
        let fit = run.output.as_deref().map_or(Ok(0), |output| fit(&bench.pinpress, output))?;
        println!(
            "| {name} | {} | {times} | {} | {} | {fit} of 30 |",
            tenths(taken.wall),
            tenths(taken.cpu),
            mebibytes(taken.peak_kib)
        );
    }
    println!("\nTargets: 2.5×, 2.2× and 3.3×. pinpress also publishes, to a host on loopback that takes all at once.");
    commands(&runs);
    Ok(())
}
