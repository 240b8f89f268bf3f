//! Waiting for new videos without asking for them: `LISTEN` on a connection of its own.

use std::time::{Duration, Instant};

use postgres::Client;
use postgres::fallible_iterator::FallibleIterator as _;

use super::queue::CHANNEL;
use super::server::{Failed, Server};
use crate::interrupt::Interrupt;
use crate::ledger::Reach;

/// How often who waits looks whether to stop.
const LOOK: Duration = Duration::from_millis(200);

/// Who has made one before looking at the queue misses no video that is entered after that.
pub struct Bell {
    server: Server,
    /// `None` while the database is away.
    client: Option<Client>,
    reach: Reach,
}

impl std::fmt::Debug for Bell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bell").field("server", &self.server).field("listens", &self.client.is_some()).finish()
    }
}

impl Bell {
    pub(super) fn new(server: Server, reach: Reach) -> Self {
        let client = listening(&server).ok();
        Self { server, client, reach }
    }

    /// Waits until a video was entered or released, or so long at most; less when it is asked to stop. While the
    /// database is away it waits for the whole time.
    pub fn wait(&mut self, limit: Duration, interrupt: &Interrupt) {
        let until = Instant::now() + limit;
        while !interrupt.requested() {
            let left = until.saturating_duration_since(Instant::now()).min(LOOK);
            if left.is_zero() {
                return;
            }
            // A statement may have waited for a second: what was told since then is told now.
            match self.client.as_mut().map(|client| client.notifications().timeout_iter(left).next()) {
                Some(Ok(Some(_))) => return,
                Some(Ok(None)) => {}
                Some(Err(error)) => {
                    tracing::debug!(%error, "nothing is heard of new videos for a while");
                    self.client = None;
                    self.reach.tell(false);
                }
                None => {
                    std::thread::sleep(left);
                    self.client = listening(&self.server).ok();
                    if self.client.is_some() {
                        self.reach.tell(true);
                        // Something may have come meanwhile.
                        return;
                    }
                }
            }
        }
    }
}

fn listening(server: &Server) -> Result<Client, Failed> {
    let mut client = server.connect()?;
    client.batch_execute(&format!("LISTEN {CHANNEL}"))?;
    Ok(client)
}
