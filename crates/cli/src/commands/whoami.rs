//! `pinpress whoami`.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use pinpress_publish::{Account, BudgetLeft, Login, Scopes};

use super::run::calls_left;
use crate::account::{self, TOKEN_VARIABLE};
use crate::exit::Exit;
use crate::options::ApiArgs;
use crate::output::{DIM, clean};
use crate::render::media_json::TOOL;
use crate::render::until::{in_words, minute};

/// Say whose account it is, and how long the login is good for
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pinpress whoami
  pinpress whoami --json

The access token comes from PINPRESS_ACCESS_TOKEN, else from `pinpress login`.
Exit codes: 0 the token is good, 2 there is none or it is not.")]
pub(crate) struct WhoamiArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    api: ApiArgs,
}

pub(crate) fn run(args: &WhoamiArgs) -> anyhow::Result<Exit> {
    let client = args.api.client()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    let account = runtime.block_on(client.user_account())?;
    // Read after the call, which may have refreshed it.
    let found = match account::fixed_token()? {
        Some(_) => None,
        None => Some(account::login(&args.api.base())?),
    };
    let login = found.as_ref().map(|found| &found.login);
    let place = found.as_ref().map_or_else(|| TOKEN_VARIABLE.to_owned(), |found| found.store.place());
    if args.json {
        let document = json(args, &account, login, &place, &client.budget());
        writeln!(anstream::stdout(), "{}", serde_json::to_string_pretty(&document)?)?;
    } else {
        human(args, &account, login, &place, &client.budget())?;
    }
    Ok(Exit::Success)
}

fn human(
    args: &WhoamiArgs,
    account: &Account,
    login: Option<&Login>,
    place: &str,
    budget: &[BudgetLeft],
) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    let mut line = |what: &str, text: &str| writeln!(out, "{DIM}{what:<8}{DIM:#} {}", clean(text));
    let name = account.username.as_deref().or(account.id.as_deref()).unwrap_or("(Pinterest gives no name)");
    line("account", name)?;
    if let Some(business) = &account.business_name {
        line("business", business)?;
    }
    if let Some(kind) = &account.account_type {
        line("type", &kind.to_lowercase())?;
    }
    line("API", &args.api.base().to_string())?;
    if let Some(left) = calls_left(budget) {
        line("calls", &left.to_string())?;
    }
    line("token", &format!("{}: {place}", login.map_or_else(|| "from the environment".to_owned(), good_for)))?;
    if let Some(scopes) = login.and_then(Login::scopes) {
        line("scopes", &scopes.iter().collect::<Vec<_>>().join(" "))?;
        let missing = Scopes::default();
        let missing = missing.missing_in(scopes);
        if !missing.is_empty() {
            line("lacks", &format!("{}: log in again if you publish", missing.join(" ")))?;
        }
    }
    Ok(())
}

/// How long a login is good for.
pub(crate) fn good_for(login: &Login) -> String {
    let now = Timestamp::now();
    let access = match login.expires_at() {
        Some(end) if end > now => format!("good for {} (until {})", in_words(now, end), minute(end)),
        Some(end) => format!("over since {}", minute(end)),
        None => "good, its end is not known".to_owned(),
    };
    match login.refresh_expires_at() {
        Some(end) if login.is_refreshable(now) => {
            format!("{access}, refreshed by itself if it is used within {}", in_words(now, end))
        }
        None if login.is_refreshable(now) => format!("{access}, refreshed by itself"),
        _ => format!("{access}, then log in again"),
    }
}

fn json(
    args: &WhoamiArgs,
    account: &Account,
    login: Option<&Login>,
    place: &str,
    budget: &[BudgetLeft],
) -> serde_json::Value {
    let time = |time: Option<Timestamp>| time.map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    serde_json::json!({
        "schema": "pinpress.whoami/1", "tool": TOOL, "api_base": args.api.base().to_string(),
        "account": account,
        "calls": budget.iter().map(|left| serde_json::json!({
            "limit": left.window.limit, "window_s": left.window.span.map(|span| span.as_secs()), "left": left.left,
        })).collect::<Vec<_>>(),
        "token": {
            "kept_in": place,
            "expires_at": time(login.and_then(Login::expires_at)),
            "refresh_expires_at": time(login.and_then(Login::refresh_expires_at)),
            "scopes": login.and_then(Login::scopes),
        },
    })
}
