//! Where the database is, how to speak with it, and what of that may be shown.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::passfile::{self, Login};
use crate::ledger::LedgerError;

/// Where an address names none.
const DEFAULT_PORT: u16 = 5432;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// How long what was sent may stay without an answer of the other machine: a cut link says nothing by itself.
const SILENCE: Duration = Duration::from_secs(15);

/// How often a connection that says nothing is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// What every connection begins with. A commit is on the disk when it is answered, whatever the role's default is; and
/// a session whose program was cut off in the middle lets go of its rows.
const SETTINGS: &str = "SET search_path TO pinpress; SET synchronous_commit TO on; SET TimeZone TO 'UTC'; \
                        SET statement_timeout TO '60s'; SET lock_timeout TO '30s'; \
                        SET idle_in_transaction_session_timeout TO '30s'";

/// A `PostgreSQL` server and the database on it that holds a ledger.
#[derive(Clone)]
pub struct Server {
    config: Box<Config>,
    shown: String,
}

/// Only what may be shown.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.shown).finish()
    }
}

/// `postgres://USER@HOST:PORT/DATABASE`, without password and options.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown)
    }
}

impl Server {
    /// Whether `text` is the address of a server and not the name of a file.
    #[must_use]
    pub fn is_address(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// The server at `url`, as libpq writes it: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require`. A
    /// password that it does not have is `password`, from the environment.
    ///
    /// # Errors
    /// When it is no such address; the error does not repeat it, as a password may be in it.
    pub fn parse(url: &str, password: Option<&str>) -> Result<Self, LedgerError> {
        let mut config = Config::from_str(url).map_err(|error| LedgerError::Address { reason: told(&error) })?;
        if let Some(password) = password.filter(|_| config.get_password().is_none()) {
            config.password(password);
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(LedgerError::Address { reason: "it names no host".to_owned() });
        }
        config.application_name("pinpress").connect_timeout(CONNECT);
        config.tcp_user_timeout(SILENCE).keepalives_idle(KEEPALIVE);
        let shown = shown(&config);
        Ok(Self { config: Box::new(config), shown })
    }

    /// With the password that the file at `path` has for it (`PostgreSQL` 15, §34.16), where it has none yet.
    #[must_use]
    pub fn or_password_of(mut self, path: &Path) -> Self {
        let user = self.config.get_user().unwrap_or_default();
        let login = Login {
            host: &self.config.get_hosts().first().map(name_of).unwrap_or_default(),
            port: self.config.get_ports().first().copied().unwrap_or(DEFAULT_PORT),
            database: self.config.get_dbname().unwrap_or(user),
            user,
        };
        let found = if self.has_password() { None } else { passfile::look_up(path, login) };
        if let Some(password) = found {
            self.config.password(password);
        }
        self
    }

    /// Whether its address had a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// Opens a connection that is ready for the ledger's statements.
    pub(super) fn connect(&self) -> Result<Client, Failed> {
        let mut client = if self.config.get_ssl_mode() == SslMode::Disable {
            self.config.connect(NoTls)?
        } else {
            let tls = ClientConfig::with_platform_verifier().map_err(|error| Failed::Tls(error.to_string()))?;
            self.config.connect(MakeRustlsConnect::new(tls))?
        };
        client.batch_execute(SETTINGS)?;
        Ok(client)
    }
}

fn shown(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| {
        let name = name_of(host);
        match ports.get(at).or(ports.first()) {
            Some(port) => format!("{name}:{port}"),
            None => name,
        }
    });
    let hosts: Vec<String> = hosts.collect();
    let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgres://{user}{}/{database}", hosts.join(","))
}

fn name_of(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

/// Why something with the database did not work.
#[derive(Debug)]
pub(super) enum Failed {
    /// The database, or the way to it.
    Database(Arc<postgres::Error>),
    /// The system's certificates.
    Tls(String),
    /// A row says something that this program does not understand.
    Unreadable { what: &'static str, value: String },
    /// A row that has to be there is not.
    Missing(&'static str),
}

impl From<postgres::Error> for Failed {
    fn from(error: postgres::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl Failed {
    /// Whether it may work in a moment: the server is starting, stopping or out of reach, or two transactions were in
    /// each other's way.
    pub(super) fn is_passing(&self) -> bool {
        let Self::Database(error) = self else { return false };
        // PostgreSQL 15, appendix A: classes 08 (connection), 53 (resources), 57 (operator intervention), and what a
        // transaction that is rolled back may be tried again for.
        let by_code = error.code().is_some_and(|code| {
            let code = code.code();
            code.starts_with("08")
                || matches!(code, "53300" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "40001" | "40P01")
        });
        by_code || error.is_closed() || is_of_system(error)
    }

    /// For a person.
    pub(super) fn error(self, server: &Server) -> LedgerError {
        let server = server.to_string();
        match self {
            Self::Unreadable { what, value } => LedgerError::Unreadable { what, value, path: server.into() },
            Self::Missing(what) => LedgerError::Refused { reason: format!("a {what} is gone"), server },
            Self::Tls(reason) => LedgerError::Unreachable { reason, server },
            failed @ Self::Database(_) if failed.is_passing() => {
                LedgerError::Unreachable { reason: failed.reason(), server }
            }
            failed => LedgerError::Refused { reason: failed.reason(), server },
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Database(error) => told(error),
            Self::Tls(reason) => reason.clone(),
            Self::Unreadable { what, value } => format!("{what} {value:?}"),
            Self::Missing(what) => (*what).to_owned(),
        }
    }
}

/// Whether the system said it: no route, refused, broken off, too late.
fn is_of_system(error: &postgres::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            // What TLS finds wrong with a certificate comes as an error of the system, and stays wrong.
            return io.kind() != std::io::ErrorKind::InvalidData;
        }
        source = inner.source();
    }
    false
}

/// The database's own words; of other errors, what is behind them.
fn told(error: &postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        let detail = said.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
        return format!("{}{detail}", said.message());
    }
    let mut told = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        told = format!("{told}: {inner}");
        source = inner.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let url = "postgres://team:s3cret@db.example.org:6432/pins?sslmode=require&options=-c%20role%3Dx";
        let server = Server::parse(url, None).unwrap();
        assert_eq!(server.to_string(), "postgres://team@db.example.org:6432/pins");
        assert!(!format!("{server:?}").contains("s3cret"));
        let error = Server::parse("postgres://team:s3cret@host:port/x", None).unwrap_err().to_string();
        assert!(!error.contains("s3cret") && error.contains("postgres://"), "{error}");
    }

    #[test]
    fn a_password_of_the_environment_does_not_replace_one_of_the_address() {
        let of = |url: &str| Server::parse(url, Some("theirs")).unwrap().config.get_password().map(<[u8]>::to_vec);
        assert_eq!(of("postgres://a@host/x"), Some(b"theirs".to_vec()));
        assert_eq!(of("postgres://a:mine@host/x"), Some(b"mine".to_vec()));
    }

    #[test]
    fn a_file_is_no_address() {
        assert!(Server::is_address("postgresql://host/x") && !Server::is_address("ledger.db"));
        assert!(Server::parse("postgres:///x", None).is_err(), "no host");
    }
}
