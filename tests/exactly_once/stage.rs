//! A rehearsal that spoils things, videos that can be told apart, and a client that waits for nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pinpress_publish::{
    AccessToken, Client, ClientOptions, CoverAs, CoverSource, Draft, LookupPolicy, PinDraft, PollPolicy, RetryPolicy,
};
use pinpress_rehearsal::{BoardOptions, Checked, KeptPin, Rehearsal, RehearsalOptions, UploadForm};
use tempfile::TempDir;

const BOARD: &str = "Food";
const TOKEN: &str = "pina_exactly_once";

pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) rehearsal: Rehearsal,
}

impl Stage {
    pub(crate) fn new(upload: UploadForm) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = RehearsalOptions::new(folder.path().join("kept"));
        options.token = TOKEN.to_owned();
        options.boards = vec![BoardOptions::named(BOARD)];
        options.upload = upload;
        options.page_size_max = 5;
        options.inspect = Arc::new(|path| {
            let whole = std::fs::read(path).is_ok_and(|bytes| bytes.len() == 4_000);
            if whole { Ok(Checked::default()) } else { Err("not all of it".to_owned()) }
        });
        let rehearsal = Rehearsal::start(options).unwrap();
        Self { folder, rehearsal }
    }

    /// The draft of a video of this number, which is made.
    pub(crate) fn draft(&self, video: u64, title: &str) -> Draft {
        let mut bytes = format!("video {video} ").into_bytes();
        bytes.resize(4_000, 7);
        std::fs::write(self.folder.path().join(format!("{video}.mp4")), bytes).unwrap();
        draft(self.folder.path(), &self.board(), video, title)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn board(&self) -> String {
        self.rehearsal.board_id(BOARD).unwrap()
    }

    /// The Pins that show this video, by the bytes that were uploaded for them.
    pub(crate) fn pins_of(&self, video: u64) -> Vec<KeptPin> {
        let shows = |pin: &KeptPin| {
            let kept = self.folder.path().join(format!("kept/media/{}.mp4", pin.media_id));
            std::fs::read(kept).unwrap().starts_with(format!("video {video} ").as_bytes())
        };
        self.rehearsal.pins().into_iter().filter(shows).collect()
    }
}

/// The draft of a video that is there.
pub(crate) fn draft(folder: &Path, board: &str, video: u64, title: &str) -> Draft {
    let draft = PinDraft {
        title: Some(title.to_owned()),
        cover: CoverSource::Time(Duration::from_secs(1)),
        cover_as: CoverAs::KeyFrame,
        ..PinDraft::new(folder.join(format!("{video}.mp4")), board)
    };
    draft.settle(board.parse().unwrap(), None, None).unwrap()
}

pub(crate) fn client(api_base: &str) -> Client {
    let quick = Duration::from_millis(1);
    let options = ClientOptions {
        api_base: api_base.parse().unwrap(),
        retry: RetryPolicy { attempts: 3, first_delay: quick, max_delay: quick, ..RetryPolicy::default() },
        poll: PollPolicy { first_delay: quick, max_delay: quick, limit: Duration::from_secs(30) },
        lookup: LookupPolicy { looks: 2, delay: quick, ..LookupPolicy::default() },
        ..ClientOptions::default()
    };
    Client::new(AccessToken::new(TOKEN).unwrap(), options).unwrap()
}
