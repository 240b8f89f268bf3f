//! `pinpress rehearse`: the whole job against a Pinterest on loopback.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use pinpress_pipeline::pins::REHEARSAL;
use pinpress_pipeline::run::OWN_FOLDER;
use pinpress_pipeline::{Interrupt, Mode, RunOptions, Sidecars};
use pinpress_publish::{AccessToken, ApiBase, Client, ClientOptions, PollPolicy};
use pinpress_rehearsal::{BoardOptions, Rehearsal, RehearsalOptions};

use super::run::carry_out;
use crate::destination::OutputFolder;
use crate::exit::Exit;
use crate::intake::{FilterArgs, PaceArgs};
use crate::options::{FixArgs, JobsOption, LedgerOption, Shared, SpecOption, TextArgs};
use crate::output::{self, file_url, shown};
use crate::run_output::RunOutputArgs;
use crate::signals;
use crate::workers::LazyWorkers;

/// The board when neither `--board` nor the manifest names one.
const BOARD: &str = "Rehearsal";

/// The whole job against a Pinterest on this machine; needs no account
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pinpress rehearse raw -o out
  pinpress rehearse raw -o out --manifest pins.csv --serve

What was rehearsed can be published afterwards: pinpress run raw -o out does only the publishing.
In a terminal it goes on serving the board page until Ctrl-C.
Exit codes: 0 all is published, 1 some video is not, 2 the work could not be done, 130 interrupted.")]
pub(crate) struct RehearseArgs {
    /// Folders of raw videos, and videos.
    #[arg(value_name = "DIR", required = true)]
    paths: Vec<PathBuf>,
    /// Where outputs, covers, receipts and the ledger go.
    #[arg(short, long, value_name = "DIR", env = "PINPRESS_OUTPUT", hide_env = true)]
    output: PathBuf,
    #[command(flatten)]
    ledger: LedgerOption,
    /// Port on loopback; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = 0, env = "PINPRESS_PORT", hide_env = true)]
    port: u16,
    /// Go on serving the board page until Ctrl-C.
    #[arg(long)]
    serve: bool,
    #[command(flatten)]
    texts: TextArgs,
    #[command(flatten)]
    spec: SpecOption,
    #[command(flatten)]
    jobs: JobsOption,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    fix: FixArgs,
    #[command(flatten)]
    tell: RunOutputArgs,
}

pub(crate) fn run(args: &RehearseArgs, shared: &Shared) -> anyhow::Result<Exit> {
    let mut texts = args.texts.texts()?;
    let spec = args.spec.load()?;
    let output = OutputFolder::here(&args.output, "what is rehearsed stays on this machine")?;
    // What the stand-in cannot do is found before anything is made.
    let videos = pinpress_pipeline::discover(&args.paths, Some(&args.output), &args.filter.filters())?.videos;
    anyhow::ensure!(!videos.is_empty(), "no video in {}", super::check::listed(&args.paths));
    let boards = boards(&texts, &Sidecars::beside(&videos, &[], &texts.stored));
    if texts.board.is_none() {
        texts.board = Some(BOARD.to_owned());
    }
    let folder = args.output.join(OWN_FOLDER).join("rehearsal");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the output folder: {}", args.output.display()))?;
    // The stand-in judges by the rules that the run is for.
    let inspect = pinpress_rehearsal::probe_with(spec.clone(), LazyWorkers::new(1));
    let stand_in = RehearsalOptions { port: args.port, boards, inspect, ..RehearsalOptions::new(folder) };
    let rehearsal = Rehearsal::start(stand_in)?;
    let options = RunOptions {
        paths: args.paths.clone(),
        output,
        depot: None,
        filters: args.filter.filters(),
        shard: None,
        settle: args.pace.settle(),
        keep_free: args.pace.keep_free(),
        ledger: args.ledger.address()?,
        spec,
        mode: Mode::Fix(args.fix.options(1)),
        jobs: args.jobs.for_encoding(),
        pins: Some(args.texts.pins(client(&rehearsal)?, REHEARSAL.to_owned())?),
        texts,
        more_to_come: false,
    };
    let interrupt = signals::interrupt();
    let told = args.tell.begin(&options, shared)?;
    let (summary, exit) = carry_out(&options, &told, &args.jobs.machine, |workers| {
        pinpress_pipeline::run(&options, workers, &told, &interrupt)
    })?;
    let exit = told.end(&summary, exit)?;
    let page = rehearsal.save_board_page()?;
    let people = args.tell.for_people();
    let serve = (args.serve || people && std::io::stdout().is_terminal()) && !interrupt.requested();
    if people && (serve || !shared.quiet) {
        places(&args.output, &page, serve.then(|| rehearsal.board_page_url()).as_deref())?;
    }
    if serve {
        wait(&interrupt);
    }
    Ok(exit)
}

/// The boards of the account: every one that is named, as an account that is set up for the job has them.
fn boards(texts: &pinpress_pipeline::PinTexts, beside: &Sidecars) -> Vec<BoardOptions> {
    let rows = texts.manifest.iter().flat_map(|manifest| &manifest.rows).chain(beside.rows.values());
    let mut boards: Vec<BoardOptions> = vec![BoardOptions::named(BOARD)];
    for (name, section) in texts
        .board
        .iter()
        .map(|board| (board, None))
        .chain(rows.filter_map(|row| Some((row.board.as_ref().or(texts.board.as_ref())?, row.section.clone()))))
    {
        let place = boards.iter().position(|board| board.name.eq_ignore_ascii_case(name)).unwrap_or(boards.len());
        if place == boards.len() {
            boards.push(BoardOptions::named(name.clone()));
        }
        if let Some(section) = section.filter(|section| !boards[place].sections.contains(section)) {
            boards[place].sections.push(section);
        }
    }
    boards
}

fn client(rehearsal: &Rehearsal) -> anyhow::Result<Client> {
    let api_base: ApiBase = rehearsal.api_base().parse()?;
    // Nothing is far away, and nobody wants to wait for it.
    let poll = PollPolicy {
        first_delay: Duration::from_millis(100),
        max_delay: Duration::from_secs(1),
        ..PollPolicy::default()
    };
    let options = ClientOptions { api_base, poll, ..ClientOptions::default() };
    Ok(Client::new(AccessToken::new(rehearsal.token())?, options)?)
}

fn places(output: &Path, page: &Path, address: Option<&str>) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    writeln!(out, "outputs, covers and receipts: {}", shown(output))?;
    match address {
        Some(address) => writeln!(out, "board page: {address} (Ctrl-C ends it)")?,
        None => writeln!(out, "board page: {}", file_url(page))?,
    }
    Ok(())
}

fn wait(interrupt: &Interrupt) {
    tracing::info!("serving the board page");
    while !interrupt.requested() {
        std::thread::sleep(Duration::from_millis(100));
    }
    output::warn("the board page is closed");
}
