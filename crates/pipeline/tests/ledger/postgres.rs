//! What is particular to the ledger in a `PostgreSQL` database. `PostgreSQL`'s own client is the judge of what is there.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use pinpress_fixtures::Postgres;
use pinpress_fixtures::postgres::database_of;
use pinpress_pipeline::ledger::{
    Begun, JobState, Lease, Ledger, LedgerAddress, LedgerError, LedgerPlace, PostgresLedger, Server, Step, StepOutcome,
};

use super::rules::{Place, enrolled, fixed};

/// A database of its own on the test program's server.
pub(crate) struct Database {
    server: &'static Postgres,
    url: String,
}

impl Database {
    /// `None` where there is no server.
    pub(crate) fn new() -> Option<Self> {
        let server = Postgres::shared()?;
        Some(Self { server, url: server.database() })
    }

    fn address(&self) -> Server {
        Server::parse(&self.url, None).unwrap()
    }

    pub(crate) fn ledger(&self) -> PostgresLedger {
        PostgresLedger::open(self.address()).unwrap()
    }

    /// A plain connection.
    pub(crate) fn client(&self) -> postgres::Client {
        postgres::Client::connect(&self.url, postgres::NoTls).unwrap()
    }

    pub(crate) fn ask(&self, sql: &str) -> String {
        self.server.psql(database_of(&self.url), &format!("SET search_path TO pinpress; {sql}")).unwrap()
    }
}

impl Place for Database {
    fn open(&self) -> Box<dyn Ledger> {
        Box::new(self.ledger())
    }

    /// The database goes by its own clock, so the leases are moved instead.
    fn pass(&self, time: SignedDuration) {
        for table in ["jobs", "pins", "queue"] {
            let seconds = time.as_secs();
            self.ask(&format!("UPDATE {table} SET lease_until = lease_until - {seconds} * interval '1 second'"));
        }
    }
}

#[test]
fn of_many_programs_that_start_at_once_one_makes_the_tables() {
    let Some(database) = Database::new() else { return };
    let all_there = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                all_there.wait();
                database.ledger();
            });
        }
    });
    assert_eq!(database.ask("SELECT count(*), max(version) FROM ledger"), "1|2");
}

#[test]
fn a_newer_ledger_and_somebody_elses_schema_are_refused_and_not_changed() {
    let Some(database) = Database::new() else { return };
    database.ledger();
    database.ask("UPDATE ledger SET version = 99");
    let error = PostgresLedger::open(database.address()).unwrap_err();
    assert!(matches!(error, LedgerError::Newer { found: 99, known: 2, .. }), "{error}");
    assert_eq!(database.ask("SELECT version FROM ledger"), "99");

    let Some(database) = Database::new() else { return };
    database.ask("CREATE SCHEMA pinpress; CREATE TABLE pinpress.theirs (x integer)");
    assert!(matches!(PostgresLedger::open(database.address()), Err(LedgerError::Foreign { .. })));
    assert_eq!(database.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'pinpress'"), "theirs");
}

#[test]
fn a_ledger_of_the_first_version_gets_a_queue_and_keeps_what_it_has() {
    let Some(database) = Database::new() else { return };
    let job = enrolled(&database.ledger(), "a");
    database.ask("DROP TABLE queue, orders; UPDATE ledger SET version = 1");
    let ledger = database.ledger();
    assert_eq!(database.ask("SELECT version FROM ledger"), "2");
    assert_eq!(ledger.jobs().unwrap()[0].id, job);
    assert_eq!(ledger.queue().unwrap().open(), 0);
}

#[test]
fn a_role_that_may_not_make_tables_can_use_those_that_are_there() {
    let Some(database) = Database::new() else { return };
    let job = enrolled(&database.ledger(), "a");
    let name = database_of(&database.url);
    database.ask(&format!(
        "CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA pinpress TO {name}; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pinpress TO {name}"
    ));
    let url = database.url.replace("postgres@", &format!("{name}@"));
    let ledger = PostgresLedger::open(Server::parse(&url, None).unwrap()).unwrap();
    assert!(matches!(ledger.begin(job, Step::Fix, &Lease::new()).unwrap(), Begun::Attempt(_)));
}

#[test]
fn the_file_of_passwords_is_looked_into_as_psql_does() {
    let Some(server) = Postgres::start() else { return };
    let url = server.database().replace("postgres@", "guarded@");
    let name = database_of(&url);
    // A role that has to say its password, which psql finds where this looks too.
    let rules = server.psql(name, "SHOW hba_file").unwrap();
    let before = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, format!("host all guarded all scram-sha-256\n{before}")).unwrap();
    let made = format!("CREATE ROLE guarded LOGIN PASSWORD 's3:cret'; GRANT CREATE ON DATABASE {name} TO guarded");
    server.psql(name, &format!("{made}; SELECT pg_reload_conf()")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passwords");
    for (line, fits) in [("127.0.0.1:*:*:somebody:s3\\:cret", false), ("127.0.0.1:*:*:guarded:s3\\:cret", true)] {
        std::fs::write(&file, format!("# host:port:database:user:password\n{line}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let mut psql = std::process::Command::new("psql");
        psql.args(["--no-password", "-c", "SELECT 1", &url]).env("PGPASSFILE", &file).env_remove("PGPASSWORD");
        assert_eq!(psql.output().unwrap().status.success(), fits);
        let opened = PostgresLedger::open(Server::parse(&url, None).unwrap().or_password_of(&file));
        assert_eq!(opened.is_ok(), fits, "{:?}", opened.err());
    }
    // What was said before counts.
    let wrong = Server::parse(&url, Some("another")).unwrap().or_password_of(&file);
    says(&PostgresLedger::open(wrong).unwrap_err().to_string(), &["password authentication failed"]);
}

#[test]
fn what_a_server_refuses_is_told_with_its_address_and_without_the_password() {
    let Some(server) = Postgres::shared() else { return };
    let url = format!("postgres://postgres:s3cret@127.0.0.1:{}/nowhere?sslmode=disable", server.port());
    let address = LedgerAddress::parse(OsStr::new(&url), None).unwrap();
    let LedgerAddress::Server(address) = address else { panic!("{address}") };
    let error = PostgresLedger::open(address).unwrap_err().to_string();
    says(&error, &["database \"nowhere\" does not exist", "postgres://postgres@127.0.0.1:"]);

    let gone = Server::parse("postgres://postgres:s3cret@127.0.0.1:1/x?sslmode=disable", None).unwrap();
    let error = PostgresLedger::open(gone).unwrap_err();
    assert!(matches!(error, LedgerError::Unreachable { .. }), "{error}");
    says(&error.to_string(), &["Connection refused", "see that it runs", "postgres://postgres@127.0.0.1:1/x"]);

    // The test's server has no TLS: it is not spoken to in the clear where TLS is asked for.
    let url = server.database().replace("disable", "require");
    let error = PostgresLedger::open(Server::parse(&url, None).unwrap()).unwrap_err().to_string();
    says(&error, &["TLS"]);
}

fn says(told: &str, parts: &[&str]) {
    assert!(parts.iter().all(|part| told.contains(part)), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
}

#[test]
fn of_many_who_begin_at_once_one_gets_it_each_time() {
    let Some(database) = Database::new() else { return };
    let ledgers: Vec<PostgresLedger> = (0..4).map(|_| database.ledger()).collect();
    let job = enrolled(&ledgers[0], "a");
    for round in 1..=20 {
        let all_there = Barrier::new(ledgers.len());
        let got: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = ledgers
                .iter()
                .map(|ledger| {
                    scope.spawn(|| {
                        all_there.wait();
                        ledger.begin(job, Step::Fix, &Lease::new()).unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let attempts: Vec<_> = got
            .iter()
            .filter_map(|begun| if let Begun::Attempt(attempt) = begun { Some(*attempt) } else { None })
            .collect();
        assert_eq!(attempts.len(), 1, "{got:?}");
        assert_eq!(attempts[0].fence, round);
        ledgers[0].finish(attempts[0], &StepOutcome::Released).unwrap();
    }
    assert_eq!(database.ask("SELECT count(*) FROM history WHERE event = 'fixing'"), "20");
}

#[test]
fn only_the_leases_of_who_is_known_to_be_dead_are_ended() {
    let Some(database) = Database::new() else { return };
    let ledger = database.ledger();
    let (mine, theirs) = (Lease::new(), Lease::new());
    let (one, two) = (enrolled(&ledger, "a"), enrolled(&ledger, "b"));
    for (job, lease) in [(one, &mine), (two, &theirs)] {
        assert!(matches!(ledger.begin(job, Step::Fix, lease).unwrap(), Begun::Attempt(_)));
    }
    ledger.expire(Some(&mine.claimant)).unwrap();
    let next = Lease::new();
    assert!(matches!(ledger.begin(one, Step::Fix, &next).unwrap(), Begun::Attempt(_)));
    assert!(matches!(ledger.begin(two, Step::Fix, &next).unwrap(), Begun::Held { .. }));
}

#[test]
fn a_run_whose_folder_cannot_be_locked_leaves_the_leases_of_the_one_before() {
    let Some(database) = Database::new() else { return };
    for (can_lock, alive) in [(false, true), (true, false)] {
        let out = tempfile::tempdir().unwrap();
        if !can_lock {
            // As on a filesystem without locks: the system refuses.
            std::fs::create_dir_all(out.path().join(".pinpress/lock")).unwrap();
        }
        let place = LedgerPlace::new(out.path(), Some(&LedgerAddress::Server(database.address())));
        let ledger = place.open().unwrap();
        let job = enrolled(&*ledger, &can_lock.to_string());
        let first = place.succeed(&*ledger, &place.lock_output().unwrap()).unwrap();
        assert!(matches!(ledger.begin(job, Step::Fix, &first).unwrap(), Begun::Attempt(_)));
        let second = place.succeed(&*ledger, &place.lock_output().unwrap()).unwrap();
        let begun = ledger.begin(job, Step::Fix, &second).unwrap();
        assert_eq!(matches!(begun, Begun::Held { .. }), alive, "{begun:?}");
    }
}

/// The connections break at any moment of any change, the moment after its commit included: none is lost, none is made
/// twice.
#[test]
fn a_server_that_dies_again_and_again_costs_nothing() {
    let Some(mut server) = Postgres::start() else { return };
    let url = server.database();
    let ledger = PostgresLedger::open(Server::parse(&url, None).unwrap()).unwrap();
    let over = AtomicBool::new(false);
    let jobs = std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let mut jobs = 0;
            while !over.load(Ordering::Relaxed) {
                let job = enrolled(&ledger, &jobs.to_string());
                let Begun::Attempt(attempt) = ledger.begin(job, Step::Fix, &Lease::shared()).unwrap() else {
                    panic!("{jobs}: somebody else has it");
                };
                assert_eq!((attempt.number, attempt.fence), (1, 1), "{jobs}");
                ledger.finish(attempt, &fixed("out")).unwrap();
                jobs += 1;
            }
            jobs
        });
        for kill in 0..8 {
            std::thread::sleep(Duration::from_millis(300 + kill * 37));
            server.kill().unwrap();
            server.up().unwrap();
        }
        over.store(true, Ordering::Relaxed);
        worker.join().unwrap()
    });
    assert!(jobs > 8, "{jobs} jobs between eight deaths");
    assert!(ledger.jobs().unwrap().iter().all(|job| job.state == JobState::Fixed && job.attempts == 0));
    let counted = |sql: &str| server.psql(database_of(&url), sql).unwrap();
    assert_eq!(counted("SELECT count(*) FROM pinpress.jobs"), jobs.to_string());
    assert_eq!(counted("SELECT count(*) FROM pinpress.history WHERE event = 'fixing'"), jobs.to_string());
    assert_eq!(counted("SELECT count(*) FROM pinpress.history WHERE event = 'fixed'"), jobs.to_string());
}
