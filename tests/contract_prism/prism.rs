//! Prism as a process, and a video with its cover.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use pinpress_publish::{
    AccessToken, Checkpoint, CheckpointError, Client, ClientOptions, CoverAs, CoverSource, Draft, LookupPolicy,
    PinDraft, PollPolicy, PublishState, RetryPolicy,
};
use tempfile::TempDir;

/// The longest that it may take to read the description; some seconds, alone on a machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running Prism. It ends when this is dropped.
pub(crate) struct Prism {
    pub(crate) port: u16,
    child: Child,
    log: PathBuf,
    _folder: TempDir,
}

impl Prism {
    /// Answers by the description with what it makes up; one for all tests that run at the same time. `None` without
    /// the description, which is told.
    pub(crate) fn mock() -> Option<Arc<Self>> {
        static RUNNING: Mutex<Weak<Prism>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap();
        if let Some(prism) = running.upgrade() {
            return Some(prism);
        }
        let prism = Arc::new(Self::start(&["mock", "--errors"], None)?);
        *running = Arc::downgrade(&prism);
        Some(prism)
    }

    /// Stands before the API at `upstream` and checks both directions. `None` without the description.
    pub(crate) fn proxy(upstream: &str) -> Option<Self> {
        Self::start(&["proxy", "--errors"], Some(upstream))
    }

    fn start(mode: &[&str], upstream: Option<&str>) -> Option<Self> {
        let Some(description) = pinpress_fixtures::openapi_description() else {
            println!("skipped: Pinterest's OpenAPI description is not there");
            return None;
        };
        let program = pinpress_fixtures::tools_folder().join("prism/node_modules/.bin/prism");
        assert!(program.is_file(), "Prism is missing: `cargo xtask setup --tests` installs it");
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("prism.log");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let child = Command::new(program)
            .args(mode)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .arg(description)
            .args(upstream)
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut prism = Self { port, child, log, _folder: folder };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = prism.child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "Prism does not start: {}", prism.said());
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(prism)
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Everything it wrote so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The lines in which it finds fault with a request or an answer.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.said().lines().filter(|line| line.to_lowercase().contains("violation")).map(str::to_owned).collect()
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps no state.
pub(crate) struct Forgetful;

impl Checkpoint for Forgetful {
    fn save(&self, _: &PublishState) -> Result<(), CheckpointError> {
        Ok(())
    }
}

/// The token of every client here.
pub(crate) const TOKEN: &str = "pina_contract";
/// A board of the description.
pub(crate) const BOARD: &str = "549755885175";
/// The covers of the description. What the card has besides is not in it.
pub(crate) const COVERS: [CoverAs; 3] = [CoverAs::Image, CoverAs::KeyFrame, CoverAs::Url];

/// A client that waits for nothing.
pub(crate) fn client(base: &str, change: impl FnOnce(&mut ClientOptions)) -> Client {
    let quick = Duration::from_millis(1);
    let mut options = ClientOptions {
        api_base: base.parse().unwrap(),
        retry: RetryPolicy { attempts: 2, first_delay: quick, max_delay: quick, ..RetryPolicy::default() },
        poll: PollPolicy { first_delay: quick, max_delay: quick, limit: Duration::from_secs(30) },
        lookup: LookupPolicy { looks: 1, ..LookupPolicy::default() },
        ..ClientOptions::default()
    };
    change(&mut options);
    Client::new(AccessToken::new(TOKEN).unwrap(), options).unwrap()
}

/// A draft with all its texts for `board`; its video and its cover are files in `folder`.
pub(crate) fn draft(folder: &Path, board: &str, section: Option<&str>, cover_as: CoverAs) -> Draft {
    let (video, picture) = (folder.join("a.mp4"), folder.join("cover.jpg"));
    std::fs::write(&video, b"\0\0\0\x18ftypmp42 a video").unwrap();
    std::fs::write(&picture, [0xFF, 0xD8, 0xFF, 0xE0, 0, 16, b'J', b'F', b'I', b'F', 0]).unwrap();
    let cover = match cover_as {
        CoverAs::Url => CoverSource::Url("https://e.example/cover.jpg".to_owned()),
        _ => CoverSource::Picture { file: picture, time: Some(Duration::from_millis(2_600)) },
    };
    let draft = PinDraft {
        title: Some("Soup".to_owned()),
        description: Some("Hot & <good>".to_owned()),
        link: Some("https://e.example/soup".to_owned()),
        alt_text: Some("A bowl".to_owned()),
        duration: Some(Duration::from_secs(9)),
        cover,
        cover_as,
        ..PinDraft::new(video, board)
    };
    draft.settle(board.parse().unwrap(), section.map(|section| section.parse().unwrap()), None).unwrap()
}
