//! `pinpress login`.

use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use pinpress_publish::{
    AccessToken, AppCredentials, AuthorizationCode, Client, Login, Loopback, RedirectUri, Scopes, State, TokenEndpoint,
    TokenSource, TokenStore, authorize_url,
};

use crate::account::{self, APP_ID_VARIABLE, APP_SECRET_VARIABLE, TOKEN_VARIABLE};
use crate::browser;
use crate::exit::Exit;
use crate::options::ApiArgs;
use crate::output::{self, GOOD, clean};
use crate::render::until::{in_words, minute};

/// For a person to look at the page, think, and allow.
const PATIENCE: Duration = Duration::from_secs(300);

/// Log in to Pinterest with your browser
#[derive(Debug, Args)]
#[command(after_help = "\
Once, before the first login: make an app at https://developers.pinterest.com/apps/, register
http://localhost:8085/ as its redirect URI letter by letter, and put its id and secret into
PINPRESS_APP_ID and PINPRESS_APP_SECRET. They are kept with the login.

Examples:
  pinpress login
  pinpress login --no-browser      on a server: open the address elsewhere, paste what comes back
  pinpress login --scopes boards:read,boards:read_secret,pins:read,pins:write,pins:write_secret

The login is kept in the system's keyring where there is one, else in a file that only you can read
(PINPRESS_TOKEN_FILE names another). It is refreshed by itself as long as pinpress is used.
Exit codes: 0 logged in, 2 not.")]
pub(crate) struct LoginArgs {
    /// Print the address instead of opening a browser, and read what is pasted.
    #[arg(long, env = "PINPRESS_NO_BROWSER", hide_env = true)]
    no_browser: bool,
    /// What to ask for, separated by commas; by default what publishing to public boards needs.
    #[arg(long, value_name = "LIST", env = "PINPRESS_SCOPES", hide_env = true)]
    scopes: Option<Scopes>,
    /// Port of the redirect URI http://localhost:N/ that is registered with the app.
    #[arg(long, value_name = "N", default_value_t = RedirectUri::default().port())]
    #[arg(env = "PINPRESS_LOGIN_PORT", hide_env = true)]
    port: u16,
    #[command(flatten)]
    api: ApiArgs,
}

pub(crate) fn run(args: &LoginArgs) -> anyhow::Result<Exit> {
    let places = account::places(&args.api.base())?;
    // Whoever logged in before need not look for the app again.
    let app = match account::app()? {
        Some(app) => app,
        None => places.find().map(|found| found.login.app().clone()).ok().with_context(|| {
            format!(
                "no app: put its id and secret into {APP_ID_VARIABLE} and {APP_SECRET_VARIABLE}; \
                 https://developers.pinterest.com/apps/ shows them"
            )
        })?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
    let (login, store) = runtime.block_on(async {
        places.try_out().await?;
        let login = ask(args, &app).await?;
        let store = places.keep(&login).await?;
        anyhow::Ok((login, store))
    })?;
    tell(args, &login, &*store)?;
    // The tokens are there and kept; whose they are is a courtesy.
    if let Err(error) = runtime.block_on(greet(args, store)) {
        output::warn(&format!("logged in, but {error:#}"));
    }
    if account::fixed_token().is_ok_and(|token: Option<AccessToken>| token.is_some()) {
        output::warn(&format!("{TOKEN_VARIABLE} is set and is used instead of the login"));
    }
    Ok(Exit::Success)
}

/// From the question to the tokens.
async fn ask(args: &LoginArgs, app: &AppCredentials) -> anyhow::Result<Login> {
    let endpoint = TokenEndpoint::new(&args.api.options())?;
    let state = State::random();
    let scopes = args.scopes.clone().unwrap_or_default();
    anyhow::ensure!(!scopes.is_empty(), "--scopes names none: leave it out, or name some, separated by commas");
    let address = |redirect_uri: &RedirectUri| authorize_url(&args.api.base(), app, redirect_uri, &scopes, &state);
    let (code, redirect_uri) = if args.no_browser {
        let redirect_uri = RedirectUri::on_port(args.port);
        say(&format!("Open this address in a browser and give access:\n\n  {}\n", address(&redirect_uri)));
        say(&format!(
            "The browser is then sent to an address that begins with {redirect_uri}, and may say that it cannot be \
             reached.\nCopy that whole address from its address bar and paste it here:"
        ));
        (pasted(&state)?, redirect_uri)
    } else {
        let loopback = Loopback::listen(&RedirectUri::on_port(args.port)).await?;
        let redirect_uri = loopback.redirect_uri().clone();
        let address = address(&redirect_uri);
        if browser::open(&address) {
            say(&format!("Your browser asks you now. If it does not, open this address:\n\n  {address}\n"));
        } else {
            say(&format!("No browser could be opened. Open this address in one on this machine:\n\n  {address}\n"));
        }
        (loopback.code(&state, PATIENCE).await?, redirect_uri)
    };
    Ok(endpoint.exchange(app, &code, &redirect_uri).await?)
}

fn pasted(state: &State) -> anyhow::Result<AuthorizationCode> {
    let mut line = String::new();
    // A blank line is a slip of the hand.
    while line.trim().is_empty() {
        line.clear();
        let read = std::io::stdin().lock().read_line(&mut line).context("cannot read what was pasted")?;
        anyhow::ensure!(read > 0, "nothing was pasted: run it again and paste the address that the browser shows");
    }
    Ok(AuthorizationCode::from_pasted(&line, state)?)
}

fn say(text: &str) {
    drop(writeln!(anstream::stderr(), "{text}"));
}

fn tell(args: &LoginArgs, login: &Login, store: &dyn TokenStore) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    writeln!(out, "{GOOD}logged in{GOOD:#}: kept in {}", clean(&store.place()))?;
    if let Some(end) = login.refresh_expires_at().or(login.expires_at()) {
        let words = in_words(Timestamp::now(), end);
        writeln!(out, "good for {words} (until {}), and longer each time it is used", minute(end))?;
    }
    let asked = args.scopes.clone().unwrap_or_default();
    if let Some(missing) = login.scopes().map(|granted| asked.missing_in(granted)).filter(|missing| !missing.is_empty())
    {
        output::warn(&format!("Pinterest did not give {}: what needs it will be refused", missing.join(", ")));
    }
    Ok(())
}

async fn greet(args: &LoginArgs, store: std::sync::Arc<dyn TokenStore>) -> anyhow::Result<()> {
    let client = Client::new(TokenSource::kept(store)?, args.api.options())?;
    let account = client.user_account().await?;
    if let Some(name) = account.username {
        writeln!(anstream::stdout(), "account: {}", clean(&name))?;
    }
    Ok(())
}
