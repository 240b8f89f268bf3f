//! `pinpress status`: what the ledger knows.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use pinpress_pipeline::ledger::{Job, JobId, JobState, PinRecord, PinStatus, QueueState};
use pinpress_pipeline::pins::REHEARSAL;
use pinpress_pipeline::{LedgerPlace, RunSummary, Shard, own_folder};

use crate::destination::OutputFolder;
use crate::exit::Exit;
use crate::options::LedgerOption;
use crate::output::{BAD, DIM, GOOD, clean, shown};
use crate::render::check_human::counted;
use crate::render::doubt::{quoted, seconds};
use crate::render::ledger_end;
use crate::render::media_json::TOOL;
use crate::render::queue;
use crate::render::run_html::RunHtml;

/// What happened to each video of an output folder
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pinpress status out
  pinpress status out --format json
  pinpress status out --format html -o status.html

With --shard each part of the work has a ledger of its own: all are told, --ledger FILE tells one.
Exit codes: 0 nothing failed, 1 some video failed, was set aside or its Pin is unknown, 2 no ledger.")]
pub(crate) struct StatusArgs {
    /// The output folder.
    #[arg(value_name = "DIR", default_value = ".", env = "PINPRESS_OUTPUT", hide_env = true)]
    folder: PathBuf,
    #[command(flatten)]
    ledger: LedgerOption,
    /// human, json, or html: the page that a run leaves, of all videos that the ledger has.
    #[arg(long, value_name = "FORMAT", default_value = "human", env = "PINPRESS_FORMAT", hide_env = true)]
    #[arg(hide_possible_values = true)]
    format: Format,
    /// Where the page goes; by default stdout.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
    Html,
}

pub(crate) fn run(args: &StatusArgs) -> anyhow::Result<Exit> {
    anyhow::ensure!(args.file.is_none() || args.format == Format::Html, "-o is for --format html");
    let places = args.ledger.places(&args.folder)?;
    if places.is_empty() {
        let asked = args.ledger.place(&args.folder)?.known_as();
        anyhow::bail!("no ledger: nothing was run with this output folder: {asked}");
    }
    let books = places.iter().map(|place| Book::read(place, args)).collect::<anyhow::Result<Vec<_>>>()?;
    let known = || books.iter().flat_map(|book| book.videos.iter().map(move |video| (book, video)));
    let mut out = anstream::stdout();
    match args.format {
        Format::Json => {
            let videos: Vec<_> = known().map(|(book, video)| json(book, video)).collect();
            let totals = totals_json(known().map(|(_, video)| video));
            let queue = books.iter().find_map(|book| book.queue.as_ref()).map(queue::document);
            let document = serde_json::json!({
                "schema": "pinpress.status/1", "tool": TOOL, "totals": totals, "videos": videos, "queue": queue,
            });
            writeln!(out, "{}", serde_json::to_string_pretty(&document)?)?;
        }
        Format::Html => {
            let page = RunHtml::new(&args.folder, &own_folder(&OutputFolder::of(&args.folder)?.folder, None))?;
            let videos = known().map(|(_, Video { job, pins })| ledger_end::outcome(job, pins, &args.folder)).collect();
            page.write(args.file.as_deref(), &RunSummary { videos, ..RunSummary::default() })?;
        }
        Format::Human => {
            for (book, Video { job, pins }) in known() {
                human(&mut out, job, pins, &book.named)?;
            }
            writeln!(out, "{}", totals(known().map(|(_, video)| video)))?;
            for book in &books {
                for line in book.queue.iter().flat_map(|state| queue::human(state, Timestamp::now())) {
                    writeln!(out, "{line}")?;
                }
                for line in next_steps(book) {
                    writeln!(out, "{line}")?;
                }
            }
        }
    }
    let bad_pin = |pin: &PinRecord| matches!(pin.status, PinStatus::Failed | PinStatus::SetAside | PinStatus::Unknown);
    let failed = known().any(|(_, video)| has_failed(&video.job) || video.pins.iter().any(bad_pin));
    Ok(if failed { Exit::SomeFailed } else { Exit::Success })
}

/// What one ledger has.
struct Book {
    /// How a command names it.
    named: String,
    shard: Option<Shard>,
    videos: Vec<Video>,
    /// Where it has one.
    queue: Option<QueueState>,
}

struct Video {
    job: Job,
    pins: Vec<PinRecord>,
}

impl Book {
    fn read(place: &LedgerPlace, args: &StatusArgs) -> anyhow::Result<Self> {
        let Some(ledger) = place.open_known()? else {
            anyhow::bail!("no ledger: nothing was run with this output folder: {}", place.known_as());
        };
        let mut pins: BTreeMap<JobId, Vec<PinRecord>> = BTreeMap::new();
        for pin in ledger.pins()? {
            pins.entry(pin.job).or_default().push(pin);
        }
        let with_pins = |job: Job| Video { pins: pins.remove(&job.id).unwrap_or_default(), job };
        let videos = ledger.jobs()?.into_iter().map(with_pins).collect();
        Ok(Self { named: args.ledger.named(place)?, shard: place.shard(), videos, queue: ledger.queue_state()? })
    }
}

/// A job that will be tried again has a reason too.
const fn has_failed(job: &Job) -> bool {
    job.reason.is_some() || matches!(job.state, JobState::Unreadable | JobState::Failed | JobState::SetAside)
}

fn human(out: &mut dyn std::io::Write, job: &Job, pins: &[PinRecord], place: &str) -> std::io::Result<()> {
    let style = if has_failed(job) { BAD } else { GOOD };
    writeln!(out, "{style}{:<10}{style:#} {}", job.state.name(), shown(&job.source))?;
    if let Some(reason) = &job.reason {
        writeln!(out, "           {}", clean(reason))?;
    }
    for pin in pins {
        let status = pin.status.name();
        let url = pinned(pin).map_or_else(String::new, |(_, url)| format!("  {url}"));
        let until = due(pin).map_or_else(String::new, |due| format!("  until {}", seconds(due)));
        let reason = pin.reason.as_ref().map_or_else(String::new, |reason| format!("  {reason}"));
        let told = url + &until + &reason;
        writeln!(out, "           {status}{DIM}  {}{DIM:#}{}", clean(&pin.key.destination), clean(&told))?;
        if pin.status == PinStatus::Unknown && pin.key.destination != REHEARSAL {
            let video = quoted(&job.source);
            writeln!(out, "           settle it: pinpress reconcile {video} {place}")?;
        }
    }
    Ok(())
}

/// Until when it waits, past or to come.
fn due(pin: &PinRecord) -> Option<Timestamp> {
    let open = !matches!(pin.status, PinStatus::Published | PinStatus::SetAside | PinStatus::Unknown);
    pin.due().filter(|_| open)
}

/// What can be done about what is not done.
fn next_steps(Book { named: place, videos, .. }: &Book) -> Vec<String> {
    // A rehearsal's Pins are nobody's loss, and their server is gone.
    let pins = videos.iter().flat_map(|video| &video.pins);
    let real: Vec<_> = pins.filter(|pin| pin.key.destination != REHEARSAL).collect();
    let waiting: Vec<_> = real.iter().filter(|pin| pin.status == PinStatus::Waiting).collect();
    let mut steps = Vec::new();
    if !waiting.is_empty() {
        let now = Timestamp::now();
        let first = waiting.iter().map(|pin| due(pin).unwrap_or(now)).min().filter(|first| *first > now);
        let when = first.map_or_else(|| "now".to_owned(), |first| format!("from {}", seconds(first)));
        let count = counted(waiting.len(), "Pin");
        steps.push(format!("to publish what waits ({count}, {when}): pinpress publish --due {place}"));
    }
    let given_up = real.iter().any(|pin| matches!(pin.status, PinStatus::Failed | PinStatus::SetAside));
    if given_up || videos.iter().any(|video| has_failed(&video.job)) {
        steps.push(format!("to try again what failed: pinpress retry {place}"));
    }
    steps
}

fn pinned(pin: &PinRecord) -> Option<(String, String)> {
    let state: pinpress_publish::PublishState = serde_json::from_str(pin.state.as_deref()?).ok()?;
    match state {
        pinpress_publish::PublishState::Pinned { pin_id, url, .. } => Some((pin_id.as_str().to_owned(), url)),
        _ => None,
    }
}

/// What comes next for a video: `run`, `publish`, `time` (of a Pin), `reconcile` or `retry`; `None` when all is done.
fn waits_for(job: &Job, pins: &[PinRecord]) -> Option<&'static str> {
    let open = |status| pins.iter().any(|pin| pin.key.destination != REHEARSAL && pin.status == status);
    if open(PinStatus::Unknown) {
        return Some("reconcile");
    }
    let given_up = matches!(job.state, JobState::Unreadable | JobState::Failed | JobState::SetAside);
    if given_up || open(PinStatus::SetAside) {
        return Some("retry");
    }
    match job.state {
        JobState::Checked | JobState::Fixing | JobState::Covering => return Some("run"),
        // A video that is published as it came may have somebody else's cover.
        JobState::Fixed if pins.is_empty() => return Some("run"),
        _ => {}
    }
    let now = Timestamp::now();
    let waiting: Vec<_> = pins.iter().filter(|pin| pin.status == PinStatus::Waiting).collect();
    match waiting.as_slice() {
        [] if open(PinStatus::Failed) || open(PinStatus::Publishing) => Some("publish"),
        [] => None,
        waiting if waiting.iter().all(|pin| due(pin).is_some_and(|due| due > now)) => Some("time"),
        _ => Some("publish"),
    }
}

fn totals_json<'a>(videos: impl Iterator<Item = &'a Video>) -> serde_json::Value {
    let (mut states, mut statuses): (BTreeMap<&str, usize>, BTreeMap<&str, usize>) = Default::default();
    let (mut all, mut failed) = (0, 0);
    for Video { job, pins } in videos {
        *states.entry(job.state.name()).or_default() += 1;
        for pin in pins {
            *statuses.entry(pin.status.name()).or_default() += 1;
        }
        all += 1;
        failed += usize::from(has_failed(job));
    }
    serde_json::json!({"videos": all, "failed": failed, "states": states, "pins": statuses})
}

fn json(book: &Book, Video { job, pins }: &Video) -> serde_json::Value {
    let waits_for = waits_for(job, pins);
    let pins: Vec<_> = pins
        .iter()
        .map(|pin| {
            let (id, url) = pinned(pin).unzip();
            serde_json::json!({
                "destination": pin.key.destination, "board_id": pin.key.board, "status": pin.status.name(),
                "attempts": pin.attempts, "reason": pin.reason, "pin_id": id, "url": url,
                "changed_at": pin.changed.to_string(), "due_at": due(pin).map(|due| due.to_string()),
                "title": pin.content.as_ref().and_then(|content| content.title.clone()),
            })
        })
        .collect();
    serde_json::json!({
        "source": job.source.to_string_lossy(), "output": job.output.to_string_lossy(), "state": job.state.name(),
        "attempts": job.attempts, "reason": job.reason, "waits_for": waits_for, "source_fingerprint": job.key.fingerprint.as_str(),
        "spec": {"name": job.key.spec_name, "version": job.key.spec_version}, "pins": pins,
        "shard": book.shard.map(|shard| shard.to_string()),
    })
}

fn totals<'a>(videos: impl Iterator<Item = &'a Video>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut all, mut published) = (0, 0);
    for Video { job, pins } in videos {
        *counts.entry(job.state.name()).or_default() += 1;
        all += 1;
        published += pins.iter().filter(|pin| pin.status == PinStatus::Published).count();
    }
    let states: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    format!("{}: {}; {} published", counted(all, "video"), states.join(", "), counted(published, "Pin"))
}
