//! A rehearsal with an app, a login that was given by it, and clients that have it from one file.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use pinpress_publish::{
    AppCredentials, AuthorizationCode, Client, ClientOptions, Login, PollPolicy, RedirectUri, RetryPolicy, Scopes,
    State, TokenEndpoint, TokenFile, TokenSource, TokenStore, authorize_url,
};
use pinpress_rehearsal::{Call, Checked, FaultRule, Grant, Rehearsal, RehearsalOptions};
use serde_json::Value;
use tempfile::TempDir;
use tracing_subscriber::fmt::MakeWriter;

/// The app's secret; nothing may ever show it.
pub(crate) const SECRET: &str = "PLANTsecret";

pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) rehearsal: Rehearsal,
}

impl Stage {
    pub(crate) fn new(faults: Vec<FaultRule>) -> Self {
        start_log();
        let folder = tempfile::tempdir().unwrap();
        let mut options = RehearsalOptions::new(folder.path().join("rehearsal"));
        options.oauth.app_secret = SECRET.to_owned();
        options.faults = faults;
        options.inspect = Arc::new(|_| Ok(Checked { facts: Vec::new() }));
        let rehearsal = Rehearsal::start(options).unwrap();
        Self { folder, rehearsal }
    }

    /// With a login in the file.
    pub(crate) async fn logged_in(faults: Vec<FaultRule>) -> Self {
        let stage = Self::new(faults);
        let login = stage.log_in().await;
        stage.file().save(&login).unwrap();
        stage
    }

    pub(crate) fn app(&self) -> AppCredentials {
        AppCredentials::new("rehearsal", SECRET).unwrap()
    }

    pub(crate) fn options(&self) -> ClientOptions {
        let quick = Duration::from_millis(1);
        ClientOptions {
            api_base: self.rehearsal.api_base().parse().unwrap(),
            retry: RetryPolicy { attempts: 3, first_delay: quick, max_delay: quick, ..RetryPolicy::default() },
            poll: PollPolicy { first_delay: quick, max_delay: quick, ..PollPolicy::default() },
            ..ClientOptions::default()
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("config/tokens.json")
    }

    pub(crate) fn file(&self) -> TokenFile {
        TokenFile::new(self.path(), &self.options().api_base)
    }

    /// A client of its own, with a store of its own on the same file.
    pub(crate) fn client(&self) -> Client {
        self.client_of(Arc::new(self.file()))
    }

    pub(crate) fn client_of(&self, store: Arc<dyn TokenStore>) -> Client {
        Client::new(TokenSource::kept(store).unwrap(), self.options()).unwrap()
    }

    /// Tokens, with the consent given at once.
    pub(crate) async fn log_in(&self) -> Login {
        let redirect_uri = RedirectUri::default();
        let state = State::random();
        let address = authorize_url(&self.options().api_base, &self.app(), &redirect_uri, &Scopes::default(), &state);
        let answer = visit(&format!("{address}&auto")).await;
        assert_eq!(answer.status(), 302);
        let back = answer.headers()["location"].to_str().unwrap();
        let code = AuthorizationCode::from_pasted(back, &state).unwrap();
        let endpoint = TokenEndpoint::new(&self.options()).unwrap();
        endpoint.exchange(&self.app(), &code, &redirect_uri).await.unwrap()
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.rehearsal.grants().iter().filter(|grant| **grant == Grant::Refresh).count()
    }

    /// How often a call came.
    pub(crate) fn count(&self, call: Call) -> usize {
        self.rehearsal.requests().iter().filter(|request| request.call == Some(call)).count()
    }

    /// The login in the file, as it is written there.
    pub(crate) fn written(&self) -> Value {
        let file: Value = serde_json::from_slice(&std::fs::read(self.path()).unwrap()).unwrap();
        file["logins"][self.rehearsal.api_base()].clone()
    }

    /// Writes another end of the access token into the file, `seconds` from now, of a token that was given long ago.
    pub(crate) fn let_end_in(&self, seconds: i64) {
        let mut file: Value = serde_json::from_slice(&std::fs::read(self.path()).unwrap()).unwrap();
        let login = &mut file["logins"][self.rehearsal.api_base()];
        let now = Timestamp::now();
        login["issued_at"] = Value::from((now - jiff::SignedDuration::from_hours(700)).to_string());
        login["expires_at"] = Value::from((now + jiff::SignedDuration::from_secs(seconds)).to_string());
        std::fs::write(self.path(), file.to_string()).unwrap();
    }
}

/// A browser that follows nothing.
pub(crate) async fn visit(address: &str) -> reqwest::Response {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    browser.get(address).send().await.unwrap()
}

/// What everybody logged so far, libraries included, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

static LOG: OnceLock<Log> = OnceLock::new();

/// One log for the whole process: a subscriber of one thread alone would miss what other tests switched off.
fn start_log() {
    LOG.get_or_init(|| {
        let log = Log::default();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    });
}

/// The text of the log.
pub(crate) fn logged() -> String {
    LOG.get().map(|log| String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned()).unwrap_or_default()
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
