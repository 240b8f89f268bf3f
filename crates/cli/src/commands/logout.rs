//! `pinpress logout`.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;

use crate::account::{self, TOKEN_VARIABLE};
use crate::exit::Exit;
use crate::options::ApiArgs;
use crate::output::{self, clean};
use crate::render::until::minute;

/// Forget the login of this machine
#[derive(Debug, Args)]
#[command(after_help = "\
Pinterest has no call that ends a token. Whoever has a copy can use it until its end, unless you
take the app's access away in the settings of your Pinterest account.
Exit codes: 0 there is no login any more, 2 it could not be removed.")]
pub(crate) struct LogoutArgs {
    #[command(flatten)]
    api: ApiArgs,
}

pub(crate) fn run(args: &LogoutArgs) -> anyhow::Result<Exit> {
    let places = account::places(&args.api.base())?;
    let login = places.find().ok().map(|found| found.login);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    let forgotten = runtime.block_on(places.forget())?;
    let mut out = anstream::stdout();
    if forgotten.is_empty() {
        writeln!(out, "there is no login for {}", args.api.base())?;
    }
    for place in &forgotten {
        writeln!(out, "forgotten: {}", clean(place))?;
    }
    if let Some(end) = login.and_then(|login| login.expires_at()).filter(|end| *end > Timestamp::now()) {
        output::warn(&format!(
            "Pinterest cannot be told to end the access token: a copy of it is good until {}, unless you take the app's \
             access away in the settings of your Pinterest account",
            minute(end)
        ));
    }
    if account::fixed_token().is_ok_and(|token| token.is_some()) {
        output::warn(&format!("{TOKEN_VARIABLE} is set and is still used: unset it"));
    }
    Ok(Exit::Success)
}
