//! A bounded number of connections, and patience with a database that goes away for a while.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use postgres::types::ToSql;
use postgres::{Client, Row, Statement, Transaction};

use super::server::{Failed, Server};
use crate::ledger::{LedgerError, Reach};

/// Connections of one process. Statements take about a millisecond, and encodes take seconds: with more, a database of
/// a hundred connections would serve fewer machines.
const MOST: usize = 4;

/// Between two attempts: the first time, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How long a database may be away before what asked for it gives up; longer than a restart or a failover takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// The same for the first words with it: an address that is wrong is told soon.
pub(super) const FIRST_PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Pool {
    server: Server,
    connections: Mutex<Connections>,
    freed: Condvar,
    reach: Reach,
}

#[derive(Default)]
struct Connections {
    idle: Vec<Connection>,
    /// How many are lent.
    lent: usize,
}

struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl Pool {
    pub(super) fn new(server: Server) -> Self {
        Self { server, connections: Mutex::default(), freed: Condvar::new(), reach: Reach::default() }
    }

    pub(super) const fn server(&self) -> &Server {
        &self.server
    }

    pub(super) fn reach(&self) -> Reach {
        self.reach.clone()
    }

    /// Carries out `change` in a transaction, again when the database was away or another transaction was in its way,
    /// until `patience` is over. When the connection broke at the commit nobody knows whether it was carried out:
    /// `change` is told by [`Work::again`].
    pub(super) fn transact<T>(
        &self,
        patience: Duration,
        mut change: impl FnMut(&mut Work<'_>) -> Result<T, Failed>,
    ) -> Result<T, LedgerError> {
        outside_of_tasks(|| {
            let begun = Instant::now();
            let mut pause = PAUSES.0;
            let mut again = false;
            loop {
                let failed = match self.once(again, &mut change) {
                    Ok(value) => return Ok(value),
                    Err(failed) => failed,
                };
                if !failed.is_passing() || begun.elapsed() + pause > patience {
                    return Err(failed.error(&self.server));
                }
                if !again {
                    tracing::warn!(?failed, server = %self.server, "the ledger's database is away: trying again");
                }
                again = true;
                std::thread::sleep(pause);
                pause = (pause * 2).min(PAUSES.1);
            }
        })
    }

    fn once<T>(&self, again: bool, change: &mut impl FnMut(&mut Work<'_>) -> Result<T, Failed>) -> Result<T, Failed> {
        let mut place = self.lend();
        let mut connection = match place.connection.take() {
            Some(idle) if !idle.client.is_closed() => idle,
            _ => {
                let client = self.server.connect().inspect_err(|_| self.reach.tell(false))?;
                Connection { client, statements: HashMap::new() }
            }
        };
        let done = connection.transact(again, change);
        self.reach.tell(!connection.client.is_closed());
        if !connection.client.is_closed() && !done.as_ref().is_err_and(Failed::is_passing) {
            place.connection = Some(connection);
        }
        done
    }

    /// Waits until one may be used.
    fn lend(&self) -> Lent<'_> {
        let mut connections = self.connections();
        while connections.lent >= MOST {
            connections = self.freed.wait(connections).unwrap_or_else(PoisonError::into_inner);
        }
        connections.lent += 1;
        let connection = connections.idle.pop();
        drop(connections);
        Lent { pool: self, connection }
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the pool, and the connection that was idle there, given back however its use ends.
struct Lent<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut connections = self.pool.connections();
        connections.idle.extend(self.connection.take());
        connections.lent -= 1;
        drop(connections);
        self.pool.freed.notify_one();
    }
}

impl Connection {
    fn transact<T>(
        &mut self,
        again: bool,
        change: &mut impl FnMut(&mut Work<'_>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let transaction = self.client.transaction()?;
        let mut work = Work { transaction, statements: &mut self.statements, again };
        let value = change(&mut work)?;
        work.transaction.commit()?;
        Ok(value)
    }
}

/// What one transaction does. It is rolled back unless all of it went well.
pub(super) struct Work<'a> {
    transaction: Transaction<'a>,
    statements: &'a mut HashMap<String, Statement>,
    /// Whether the same was tried before, and may have been carried out then.
    pub(super) again: bool,
}

impl Work<'_> {
    /// The rows of a query.
    pub(super) fn rows(&mut self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failed> {
        let statement = self.prepared(sql)?;
        Ok(self.transaction.query(&statement, values)?)
    }

    /// The row of a query that finds one at most.
    pub(super) fn row(&mut self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, Failed> {
        let statement = self.prepared(sql)?;
        Ok(self.transaction.query_opt(&statement, values)?)
    }

    /// How many rows a change met.
    pub(super) fn change(&mut self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, Failed> {
        let statement = self.prepared(sql)?;
        Ok(self.transaction.execute(&statement, values)?)
    }

    /// Several statements without values.
    pub(super) fn batch(&mut self, sql: &str) -> Result<(), Failed> {
        Ok(self.transaction.batch_execute(sql)?)
    }

    /// Planned once for a connection.
    fn prepared(&mut self, sql: &str) -> Result<Statement, Failed> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.transaction.prepare(sql)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// The client drives its own connection and may not do so inside a task of tokio's; publishing asks from there.
fn outside_of_tasks<T>(work: impl FnOnce() -> T) -> T {
    if tokio::runtime::Handle::try_current().is_ok() { tokio::task::block_in_place(work) } else { work() }
}
