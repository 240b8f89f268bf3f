//! `pinpress man`.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::exit::Exit;

/// Print the manual page
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pinpress man | man -l -
  pinpress man --output ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs, command: clap::Command) -> anyhow::Result<Exit> {
    if let Some(folder) = &args.output {
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(command, folder))
            .with_context(|| format!("cannot write the manual: {}", folder.display()))?;
        return Ok(Exit::Success);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    std::io::stdout().write_all(&page)?;
    Ok(Exit::Success)
}
