//! How busy the cores are while there is something to encode.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};

use super::{Bench, folder, sink};
use crate::bench::text::tenths;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(50);

/// Clock ticks a second in `/proc` (`USER_HZ`, 100 on every Linux of today).
const TICKS: u64 = 100;

/// Time on cores of all processes of a run, up to a moment.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: SystemTime,
    ticks: u64,
}

/// Measures and prints.
pub(super) fn table(bench: &Bench) -> Result<()> {
    let cores = thread::available_parallelism()?.get();
    let folder = folder()?;
    let sink = sink::start(None)?;
    let run = bench.run(&folder, &sink, "busy");
    let output = run.output.as_deref().context("no output")?;
    if output.exists() {
        fs::remove_dir_all(output)?;
    }
    fs::create_dir_all(output)?;
    let looks = watched(&run.command)?;
    // The birth of a temp file is the start of its encode; its last change is the end of what the encode wrote.
    let (mut first, mut last) = (None::<SystemTime>, None::<SystemTime>);
    for entry in fs::read_dir(output)?.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("wrong-") && name.to_string_lossy().ends_with(".mp4") {
            let file = entry.metadata()?;
            let born = file.created().context("this filesystem does not tell when a file was made")?;
            first = Some(first.map_or(born, |first| first.min(born)));
            last = last.max(Some(file.modified()?));
        }
    }
    let (first, last) = first.zip(last).context("nothing was encoded")?;
    let upto = |time| looks.iter().rfind(|look| look.at <= time).or(looks.first());
    let (begin, end) = upto(first).zip(upto(last)).context("nobody looked")?;
    let wall = end.at.duration_since(begin.at)?;
    let on_core = Duration::from_millis((end.ticks - begin.ticks) * 1000 / TICKS);
    let percent = on_core.as_secs_f64() * 100.0 / (wall.as_secs_f64() * cores as f64);
    println!("| from the first encode to the last | on {cores} cores | busy |\n|---|---|---|");
    println!("| {} | {} | {percent:.1} % |", tenths(wall), tenths(on_core));
    println!("\nTime of pinpress alone: what else runs on the machine takes from it. Target: over 90 %.");
    Ok(())
}

fn watched(command: &[String]) -> Result<Vec<Look>> {
    let [program, args @ ..] = command else { anyhow::bail!("no command") };
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let mut looks: Vec<Look> = Vec::new();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // What ended between two lists is missing until its parent has it: the sum never goes back.
        let ticks = ticks_of(child.id()).max(looks.last().map_or(0, |look| look.ticks));
        looks.push(Look { at: SystemTime::now(), ticks });
        thread::sleep(EVERY);
    };
    ensure!(status.success(), "it ended with {status}: {}", command.join(" "));
    Ok(looks)
}

/// Time on cores of a process, of those below it, and of those that have ended, in ticks.
fn ticks_of(process: u32) -> u64 {
    let mut all: HashMap<u32, (u32, u64)> = HashMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for number in entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()) {
        if let Some(found) = parent_and_ticks(number) {
            all.insert(number, found);
        }
    }
    let below = |mut number: u32| loop {
        match all.get(&number) {
            _ if number == process => return true,
            Some((parent, _)) if *parent > 1 => number = *parent,
            _ => return false,
        }
    };
    all.iter().filter(|(number, _)| below(**number)).map(|(_, (_, ticks))| ticks).sum()
}

/// Parent, and user and system time with that of children that were waited for (proc(5), fields 4 and 14 to 17). Its
/// name, in brackets, may hold anything.
fn parent_and_ticks(process: u32) -> Option<(u32, u64)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let times = fields.get(11..15)?.iter().map(|field| field.parse::<u64>());
    Some((fields.get(1)?.parse().ok()?, times.sum::<Result<u64, _>>().ok()?))
}
