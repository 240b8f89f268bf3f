//! How many threads work at once while a folder is encoded.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Bench, source};
use crate::bench::text::typed;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(5);

/// What one look saw of the processes that decode, filter and encode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    /// Threads on a core or waiting for one.
    running: usize,
    /// All, those that wait for another one too.
    all: usize,
}

/// Measures and prints.
pub(super) fn table(bench: &Bench) -> Result<()> {
    let cores = thread::available_parallelism()?.get();
    println!(
        "| 8 videos, {cores} cores | most threads running at once | 99 of 100 looks see at most | on average | \
         threads in all |\n|---|---|---|---|---|"
    );
    let folder = videos()?;
    let mut lines = Vec::new();
    for jobs in ["1", "2", "8"] {
        let run = bench.fix(&folder, &["--preset", "veryfast", "--jobs", jobs]);
        let output = source::scratch("pinpress");
        if output.exists() {
            fs::remove_dir_all(&output)?;
        }
        let mut looks = watched(&run.command)?;
        ensure!(!looks.is_empty(), "nobody was seen at work");
        looks.sort_unstable();
        let most = looks.iter().map(|seen| seen.all).max().unwrap_or(0);
        let usual = looks[(looks.len() * 99 / 100).min(looks.len() - 1)].running;
        let tenths = looks.iter().map(|seen| seen.running).sum::<usize>() * 10 / looks.len();
        let peak = looks.last().map_or(0, |seen| seen.running);
        println!("| `--jobs {jobs}` | {peak} | {usual} | {}.{} | {most} |", tenths / 10, tenths % 10);
        lines.push(typed(&run.command));
    }
    println!(
        "\nA look, every 5 ms, counts in /proc the threads of the jobs (children of `pinpress-media`) in state R: on \
         a core or waiting for one.\n\n```sh\n{}\n```",
        lines.join("\n")
    );
    Ok(())
}

/// Eight videos of 6 s that have to be encoded.
pub(in crate::bench) fn videos() -> Result<std::path::PathBuf> {
    let landscape = source::landscape()?.display().to_string();
    let mut folder = None;
    for number in 0..8 {
        let start = number.to_string();
        let name = format!("eight/{number}.mp4");
        let video = source::made(&name, &["-ss", &start, "-i", &landscape, "-t", "6", "-c", "copy"])?;
        folder = video.parent().map(std::path::Path::to_owned);
    }
    folder.context("no videos")
}

fn watched(command: &[String]) -> Result<Vec<Seen>> {
    let [program, args @ ..] = command else { anyhow::bail!("no command") };
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let mut looks = Vec::new();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let seen = look(child.id());
        if seen.all > 0 {
            looks.push(seen);
        }
        thread::sleep(EVERY);
    };
    ensure!(status.success(), "it ended with {status}: {}", command.join(" "));
    Ok(looks)
}

/// The threads of the jobs: front → worker → job.
fn look(front: u32) -> Seen {
    let mut parents: HashMap<u32, u32> = HashMap::new();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for process in processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        if let Some((_, parent)) = state(&format!("/proc/{process}/stat")) {
            parents.insert(process, parent);
        }
    }
    let mut seen = Seen::default();
    for job in parents.keys() {
        let worker = parents.get(job).copied().filter(|worker| parents.get(worker) == Some(&front));
        if worker.is_none() {
            continue;
        }
        let tasks = fs::read_dir(format!("/proc/{job}/task")).into_iter().flatten().flatten();
        for task in tasks {
            if let Some((state, _)) = state(&task.path().join("stat").to_string_lossy()) {
                seen.all += 1;
                seen.running += usize::from(state == 'R');
            }
        }
    }
    seen
}

/// State and parent of a process or thread (proc(5)). Its name, in brackets, may hold anything.
fn state(stat: &str) -> Option<(char, u32)> {
    let text = fs::read_to_string(stat).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
