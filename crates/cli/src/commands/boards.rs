//! `pinpress boards`.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;
use pinpress_publish::{Board, BoardSection, Client, PublishError};

use crate::exit::Exit;
use crate::options::ApiArgs;
use crate::output::{DIM, clean};
use crate::render::check_human::counted;

/// List the boards of the account
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pinpress boards
  pinpress boards --sections --json

--board and the manifest take the id or the name; of two boards with one name, the id.
The access token comes from PINPRESS_ACCESS_TOKEN, else from `pinpress login`.
Exit codes: 0 they are listed, 2 they could not be.")]
pub(crate) struct BoardsArgs {
    /// List their sections too: one more call for each board.
    #[arg(long)]
    sections: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    api: ApiArgs,
}

/// A board, and its sections if they were asked for.
type Listed = (Board, Option<Vec<BoardSection>>);

pub(crate) fn run(args: &BoardsArgs) -> anyhow::Result<Exit> {
    let client = args.api.client()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    let boards = runtime.block_on(list(&client, args.sections))?;
    let mut out = anstream::stdout();
    if args.json {
        let boards: Vec<_> = boards.iter().map(json).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&serde_json::json!({"boards": boards}))?)?;
        return Ok(Exit::Success);
    }
    if boards.is_empty() {
        writeln!(out, "no boards: make one on Pinterest")?;
    }
    for (board, sections) in boards {
        let privacy = board.privacy.map(|privacy| privacy.to_lowercase());
        let pins = board.pin_count.and_then(|count| usize::try_from(count).ok()).map(|count| counted(count, "Pin"));
        let more = [privacy, pins].into_iter().flatten().collect::<Vec<_>>().join(", ");
        writeln!(out, "{}  {}  {DIM}{}{DIM:#}", board.id, clean(&board.name), clean(&more))?;
        for section in sections.unwrap_or_default() {
            writeln!(out, "  {}  {}", section.id, clean(&section.name))?;
        }
    }
    Ok(Exit::Success)
}

async fn list(client: &Client, with_sections: bool) -> Result<Vec<Listed>, PublishError> {
    let mut listed = Vec::new();
    for board in client.boards().await? {
        let sections = if with_sections { Some(client.board_sections(&board.id).await?) } else { None };
        listed.push((board, sections));
    }
    Ok(listed)
}

fn json((board, sections): &Listed) -> serde_json::Value {
    let mut object = serde_json::json!({
        "id": board.id.as_str(), "name": board.name, "privacy": board.privacy, "pin_count": board.pin_count,
    });
    if let Some(sections) = sections {
        object["sections"] = sections
            .iter()
            .map(|section| serde_json::json!({"id": section.id.as_str(), "name": section.name}))
            .collect();
    }
    object
}
