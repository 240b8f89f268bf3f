//! What the tests share: a video, a rehearsal, a client that waits for nothing, a keeper of states.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pinpress_publish::{
    AccessToken, Checkpoint, CheckpointError, Client, ClientOptions, CoverSource, Draft, LookupPolicy, PinDraft,
    PollPolicy, PublishState, RetryPolicy,
};
use pinpress_rehearsal::{BoardOptions, Call, Checked, FaultRule, Rehearsal, RehearsalOptions};
use tempfile::TempDir;

/// Nothing may ever show it.
pub(crate) const TOKEN: &str = "pina_PLANTEDTOKEN";
/// The board of every rehearsal here.
pub(crate) const BOARD: &str = "Summer recipes";

/// A folder with a video and a cover.
pub(crate) struct Ground {
    pub(crate) folder: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.mp4"), vec![7; 300_000]).unwrap();
        std::fs::write(folder.path().join("cover.jpg"), [0xFF, 0xD8, 0xFF, 0xE0]).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn rehearsal(&self, faults: Vec<FaultRule>) -> Rehearsal {
        let mut options = RehearsalOptions::new(self.path("rehearsal"));
        options.token = TOKEN.to_owned();
        options.boards = vec![BoardOptions::named(BOARD), BoardOptions::named("Other")];
        options.faults = faults;
        options.inspect = Arc::new(|_| Ok(Checked { facts: Vec::new() }));
        Rehearsal::start(options).unwrap()
    }

    pub(crate) fn draft(&self, board: &str, title: &str) -> Draft {
        let draft = PinDraft {
            title: Some(title.to_owned()),
            cover: CoverSource::Picture { file: self.path("cover.jpg"), time: None },
            ..PinDraft::new(self.path("a.mp4"), board)
        };
        draft.settle(board.parse().unwrap(), None, None).unwrap()
    }
}

/// A client that waits for nothing.
pub(crate) fn client(api_base: &str, change: impl FnOnce(&mut ClientOptions)) -> Client {
    let quick = Duration::from_millis(1);
    let mut options = ClientOptions {
        api_base: api_base.parse().unwrap(),
        retry: RetryPolicy { attempts: 4, first_delay: quick, max_delay: quick, ..RetryPolicy::default() },
        poll: PollPolicy { first_delay: quick, max_delay: quick, limit: Duration::from_secs(30) },
        lookup: LookupPolicy { looks: 2, delay: quick, ..LookupPolicy::default() },
        ..ClientOptions::default()
    };
    change(&mut options);
    Client::new(AccessToken::new(TOKEN).unwrap(), options).unwrap()
}

/// How often a call came.
pub(crate) fn count(rehearsal: &Rehearsal, call: Call) -> usize {
    rehearsal.requests().iter().filter(|request| request.call == Some(call)).count()
}

/// Remembers the last state.
#[derive(Default)]
pub(crate) struct Keeper(Mutex<PublishState>);

impl Keeper {
    pub(crate) fn last(&self) -> PublishState {
        self.0.lock().unwrap().clone()
    }
}

impl Checkpoint for Keeper {
    fn save(&self, state: &PublishState) -> Result<(), CheckpointError> {
        *self.0.lock().unwrap() = state.clone();
        Ok(())
    }
}
