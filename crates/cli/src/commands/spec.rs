//! `pinpress spec`: a rule set as text.

use std::io::Write as _;

use clap::Args;
use pinpress_probe::Spec;
use pinpress_probe::spec::BUILT_IN;

use crate::exit::Exit;

/// Print a rule set
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pinpress spec
  pinpress spec pinterest > mine.toml && pinpress check --spec mine.toml clip.mp4")]
pub(crate) struct SpecArgs {
    /// pinterest or pinterest-official.
    #[arg(value_name = "NAME", default_value = "pinterest")]
    name: String,
}

pub(crate) fn run(args: &SpecArgs) -> anyhow::Result<Exit> {
    let Some(text) = Spec::built_in_text(&args.name) else {
        let known = BUILT_IN.map(|(name, _)| name).join(" or ");
        anyhow::bail!("no rule set {:?} is built in: ask for {known}", args.name);
    };
    anstream::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Success)
}
