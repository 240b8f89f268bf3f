//! `pinpress init`: files to start from.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use pinpress_pipeline::durable;
use pinpress_pipeline::manifest::Starter;
use pinpress_pipeline::run::OWN_FOLDER;
use pinpress_pipeline::{Filters, Found, discover};

use crate::config::{FILE_NAME, starter};
use crate::exit::Exit;
use crate::output::{GOOD, shown, warn};
use crate::render::check_human::counted;
use crate::render::doubt::quoted;

/// What the manifest is called.
const MANIFEST_NAME: &str = "pins.csv";

/// Write a configuration and a manifest to start from
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pinpress init raw
  pinpress init raw --force

pinpress.toml has every option, commented out, with its default. pins.csv has a row for each video,
its title taken from its name, to be filled in with boards and texts.
More in pinpress help config and pinpress help manifest.
Exit codes: 0 written, 2 not: one of them is there already.")]
pub(crate) struct InitArgs {
    /// The folder of raw videos.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Replace files that exist.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &InitArgs, command: &clap::Command) -> anyhow::Result<Exit> {
    let folder = args.folder.as_path();
    anyhow::ensure!(folder.is_dir(), "no folder to begin in: make it first: {}", folder.display());
    // Said as the user would say it.
    let base = if folder == Path::new(".") { Path::new("") } else { folder };
    let (config, manifest) = (base.join(FILE_NAME), base.join(MANIFEST_NAME));
    let there: Vec<_> = [&config, &manifest].into_iter().filter(|path| path.symlink_metadata().is_ok()).collect();
    if !args.force && !there.is_empty() {
        let there: Vec<_> = there.iter().map(|path| path.display().to_string()).collect();
        anyhow::bail!("there already, and nothing was written: --force replaces it: {}", there.join(", "));
    }
    let videos = raw_videos(folder)?;
    let Starter { csv, left_out } = Starter::of(&videos).context("cannot make the manifest")?;
    for video in &left_out {
        warn(&format!("not in the manifest, rename it: its name cannot stand in one: {}", video.display()));
    }
    let write = |path: &Path, text: &[u8]| {
        durable::write(path, text).with_context(|| format!("cannot write: {}", path.display()))
    };
    write(&config, starter(command).as_bytes())?;
    let mut out = anstream::stdout();
    writeln!(out, "{GOOD}written{GOOD:#}: {}  every option, commented out", shown(&config))?;
    let rows = videos.len() - left_out.len();
    if rows == 0 {
        warn(&format!("no manifest was written, there is no video for it: {}", folder.display()));
        return Ok(Exit::Success);
    }
    write(&manifest, &csv)?;
    writeln!(out, "{GOOD}written{GOOD:#}: {}  {}", shown(&manifest), counted(rows, "video"))?;
    writeln!(out, "next: fill in the boards and texts, then try it out, which needs no account:")?;
    // The options are those of the folder that one works in.
    if base == folder {
        writeln!(out, "  cd {}", quoted(folder))?;
    }
    writeln!(out, "  pinpress rehearse . -o out --manifest {MANIFEST_NAME}")?;
    Ok(Exit::Success)
}

/// The videos of the folder, and none that an earlier run put below it.
fn raw_videos(folder: &Path) -> anyhow::Result<Vec<Found>> {
    let mut videos = discover(&[folder.to_owned()], None, &Filters::default())?.videos;
    let is_output = |video: &Found| {
        let above = video.relative.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
        above.into_iter().any(|above| folder.join(above).join(OWN_FOLDER).is_dir())
    };
    videos.retain(|video| !is_output(video));
    Ok(videos)
}
