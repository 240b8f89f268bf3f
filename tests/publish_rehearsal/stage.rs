//! What the tests share: a rehearsal that knows which bytes to expect, a client in a hurry, a keeper of states.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use pinpress_publish::{
    AccessToken, Checkpoint, CheckpointError, Client, ClientOptions, CoverSource, Draft, LookupPolicy, Observer,
    PinDraft, PinId, PollPolicy, PublishError, PublishState, Receipt, RetryPolicy, publish,
};
use pinpress_rehearsal::{BoardOptions, Call, Checked, FaultRule, Rehearsal, RehearsalOptions};
use tempfile::TempDir;
use tracing_subscriber::fmt::MakeWriter;

/// The token of every rehearsal here; nothing may ever show it.
pub(crate) const TOKEN: &str = "pina_PLANTEDTOKEN";
/// The board of every rehearsal here.
pub(crate) const BOARD: &str = "Summer recipes";
/// The start of a JPEG.
pub(crate) const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0, 0, 16, b'J', b'F', b'I', b'F', 0];

pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) rehearsal: Rehearsal,
    pub(crate) client: Client,
    pub(crate) bytes: Vec<u8>,
}

impl Stage {
    pub(crate) fn new(faults: Vec<FaultRule>) -> Self {
        Self::with(faults, |_| {})
    }

    pub(crate) fn with(faults: Vec<FaultRule>, change: impl FnOnce(&mut RehearsalOptions)) -> Self {
        start_log();
        let folder = tempfile::tempdir().unwrap();
        // Three reads and a bit, with every byte value.
        let bytes: Vec<u8> = (0..800_003_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        std::fs::write(folder.path().join("a.mp4"), &bytes).unwrap();
        std::fs::write(folder.path().join("cover.jpg"), JPEG).unwrap();
        let mut options = RehearsalOptions::new(folder.path().join("rehearsal"));
        options.token = TOKEN.to_owned();
        options.boards = vec![BoardOptions { name: BOARD.to_owned(), sections: vec!["Soups".to_owned()] }];
        options.faults = faults;
        let expected = bytes.clone();
        options.inspect = Arc::new(move |path| {
            if std::fs::read(path).is_ok_and(|came| came == expected) {
                Ok(Checked { facts: vec!["the same bytes".to_owned()] })
            } else {
                Err("other bytes".to_owned())
            }
        });
        change(&mut options);
        let rehearsal = Rehearsal::start(options).unwrap();
        let client = client(&rehearsal.api_base(), |_| {});
        Self { folder, rehearsal, client, bytes }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn draft(&self) -> Draft {
        self.draft_with(|_| {})
    }

    pub(crate) fn draft_with(&self, change: impl FnOnce(&mut PinDraft)) -> Draft {
        let mut draft = PinDraft {
            title: Some("Soup".to_owned()),
            description: Some("Hot & <good>".to_owned()),
            link: Some("https://e.example/soup".to_owned()),
            alt_text: Some("A bowl".to_owned()),
            cover: CoverSource::Picture { file: self.path("cover.jpg"), time: Some(Duration::from_millis(2_600)) },
            ..PinDraft::new(self.path("a.mp4"), BOARD)
        };
        change(&mut draft);
        draft.settle(self.rehearsal.board_id(BOARD).unwrap().parse().unwrap(), None, None).unwrap()
    }

    pub(crate) async fn publish(&self, keeper: &Keeper) -> Result<Receipt, PublishError> {
        self.publish_from(PublishState::New, keeper).await
    }

    pub(crate) async fn publish_from(&self, state: PublishState, keeper: &Keeper) -> Result<Receipt, PublishError> {
        publish(&self.client, &self.draft(), state, keeper, keeper).await
    }

    /// How often a call came.
    pub(crate) fn count(&self, call: Call) -> usize {
        self.rehearsal.requests().iter().filter(|request| request.call == Some(call)).count()
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

/// Remembers states, can refuse to, and hears everything.
#[derive(Default)]
pub(crate) struct Keeper {
    pub(crate) states: Mutex<Vec<PublishState>>,
    /// The save of this number (from 1) fails.
    pub(crate) fails_at: Option<usize>,
    /// Pins of other videos.
    pub(crate) others: Vec<PinId>,
    pub(crate) uploaded: Mutex<Vec<(u64, u64)>>,
    pub(crate) waits: Mutex<Vec<pinpress_publish::Waiting>>,
}

impl Keeper {
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.states.lock().unwrap().iter().map(PublishState::name).collect()
    }

    pub(crate) fn last(&self) -> PublishState {
        self.states.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

impl Checkpoint for Keeper {
    fn save(&self, state: &PublishState) -> Result<(), CheckpointError> {
        let mut states = self.states.lock().unwrap();
        if self.fails_at == Some(states.len() + 1) {
            return Err("disk full".into());
        }
        states.push(state.clone());
        Ok(())
    }

    fn belongs_to_another(&self, pin: &PinId) -> bool {
        self.others.contains(pin)
    }
}

impl Observer for Keeper {
    fn upload(&self, sent: u64, total: u64) {
        self.uploaded.lock().unwrap().push((sent, total));
    }

    fn waiting(&self, waiting: &pinpress_publish::Waiting) {
        self.waits.lock().unwrap().push(waiting.clone());
    }
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

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
