//! `pinpress boards`.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;

use crate::exit::Exit;
use crate::options::ApiArgs;
use crate::output::{DIM, clean};

/// List the boards of the account
#[derive(Debug, Args)]
#[command(after_help = "The access token comes from PINPRESS_ACCESS_TOKEN.")]
pub(crate) struct BoardsArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    api: ApiArgs,
}

pub(crate) fn run(args: &BoardsArgs) -> anyhow::Result<Exit> {
    let client = args.api.client()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    let boards = runtime.block_on(client.boards())?;
    let mut out = anstream::stdout();
    if args.json {
        let boards: Vec<_> = boards
            .iter()
            .map(|board| {
                serde_json::json!({
                    "id": board.id.as_str(), "name": board.name, "privacy": board.privacy, "pin_count": board.pin_count,
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&serde_json::json!({"boards": boards}))?)?;
        return Ok(Exit::Success);
    }
    if boards.is_empty() {
        writeln!(out, "no boards: make one on Pinterest")?;
    }
    for board in boards {
        let privacy = board.privacy.map_or_else(String::new, |privacy| privacy.to_lowercase());
        writeln!(out, "{}  {}  {DIM}{}{DIM:#}", board.id, clean(&board.name), clean(&privacy))?;
    }
    Ok(Exit::Success)
}
