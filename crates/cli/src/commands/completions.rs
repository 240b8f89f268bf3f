//! `pinpress completions`.

use std::io::Write as _;

use clap::Args;
use clap_complete::Shell;

use crate::exit::Exit;

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pinpress completions bash > ~/.local/share/bash-completion/completions/pinpress")]
pub(crate) struct CompletionsArgs {
    /// bash, elvish, fish, powershell or zsh.
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, mut command: clap::Command) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "pinpress", &mut text);
    std::io::stdout().write_all(&text)?;
    Ok(Exit::Success)
}
