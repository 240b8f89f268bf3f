//! Real programs that are really killed: this test starts itself again as the program that publishes.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use pinpress_publish::{Checkpoint, CheckpointError, PublishState, publish};
use pinpress_rehearsal::{Call, Fault, FaultRule, UploadForm};

use crate::stage::{Stage, client, draft};

/// Holds the folder, the board and the API; set in the program that publishes and in no other.
const PROGRAM: &str = "PINPRESS_TEST_EXACTLY_ONCE";
const TITLE: &str = "Soup";
/// How the lines begin that the program says.
const SAYS: &str = "state ";

/// Writes the state under its final name at once, and says so before and after.
struct File {
    path: PathBuf,
}

impl File {
    fn read(path: &Path) -> PublishState {
        std::fs::read(path).map_or(PublishState::New, |bytes| serde_json::from_slice(&bytes).unwrap())
    }

    fn say(what: &str, state: &PublishState) {
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{SAYS}{what} {}", state.name()).unwrap();
        out.flush().unwrap();
    }
}

impl Checkpoint for File {
    fn save(&self, state: &PublishState) -> Result<(), CheckpointError> {
        Self::say("before", state);
        // Time enough to be killed in.
        std::thread::sleep(Duration::from_millis(5));
        let part = self.path.with_extension("part");
        let mut file = std::fs::File::create(&part)?;
        file.write_all(&serde_json::to_vec(state)?)?;
        file.sync_all()?;
        std::fs::rename(part, &self.path)?;
        Self::say("after", state);
        std::thread::sleep(Duration::from_millis(5));
        Ok(())
    }
}

/// The program: publishes from the state in the file. A test that does nothing where it is not started as one.
#[tokio::test]
async fn program() {
    let Ok(orders) = std::env::var(PROGRAM) else { return };
    let [folder, board, api] = orders.split('\n').collect::<Vec<_>>().try_into().unwrap();
    let folder = Path::new(folder);
    let file = File { path: folder.join("state.json") };
    let state = File::read(&file.path);
    let outcome = publish(&client(api), &draft(folder, board, 0, TITLE), state, &file, &()).await;
    println!("\nended {}", outcome.is_ok());
}

struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    fn start(stage: &Stage) -> Self {
        stage.draft(0, TITLE);
        let orders = [stage.folder().to_str().unwrap(), &stage.board(), &stage.rehearsal.api_base()].join("\n");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["kills::program", "--exact", "--nocapture"])
            .env(PROGRAM, orders)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits until it says this line; `false` when it ended without.
    fn says(&mut self, wanted: &str) -> bool {
        self.lines.by_ref().map_while(Result::ok).any(|line| line == wanted)
    }

    /// Waits until it says this, and kills it there. `false` when it ended without.
    fn killed_at(mut self, what: &str) -> bool {
        let found = self.says(&format!("{SAYS}{what}"));
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        found
    }

    /// Lets it come to its end; whether the video is a Pin.
    fn ends(mut self) -> bool {
        let pinned = self.says("ended true");
        self.child.wait().unwrap();
        pinned
    }
}

/// Every place between two things that publishing does, in their order.
const PLACES: [&str; 10] = [
    "before registered",
    "after registered",
    "before uploaded",
    "after uploaded",
    "before ready",
    "after ready",
    "before intended",
    "after intended",
    "before pinned",
    "after pinned",
];

#[test]
fn a_program_that_is_killed_at_any_place_leaves_one_pin_or_a_doubt() {
    for form in [UploadForm::Multipart, UploadForm::Put] {
        for place in PLACES {
            let stage = Stage::new(form);
            assert!(Program::start(&stage).killed_at(place), "it never came to {place}");
            let settled = Program::start(&stage).ends();
            let (pins, state) = (stage.pins_of(0), File::read(&stage.folder().join("state.json")));
            match (&state, settled) {
                (PublishState::Pinned { pin_id, .. }, true) => {
                    assert_eq!(pins.iter().map(|pin| &*pin.id).collect::<Vec<_>>(), [pin_id.as_str()], "{place}");
                }
                // Killed before the request was out: nobody knows, and nobody sends it again.
                (PublishState::Unknown { .. }, false) => {
                    assert!(place == "after intended" && pins.len() <= 1, "{place}: {pins:?}");
                }
                _ => panic!("{place}: {state:?}, {settled}"),
            }
        }
    }
}

#[test]
fn a_program_that_is_killed_between_the_answer_and_the_receipt_knows_its_pin_again() {
    // The answer is there when the state is about to be saved, and lost with the program.
    for faults in [vec![], vec![FaultRule::nth(Call::ListBoardPins, 1, Fault::ErrorBeforeEffect)]] {
        let stage = Stage::new(UploadForm::Multipart);
        stage.rehearsal.set_faults(faults);
        assert!(Program::start(&stage).killed_at("before pinned"));
        assert_eq!(stage.pins_of(0).len(), 1);
        assert_eq!(File::read(&stage.folder().join("state.json")).name(), "intended");
        assert!(Program::start(&stage).ends());
        let state = File::read(&stage.folder().join("state.json"));
        let PublishState::Pinned { pin_id, adopted, .. } = state else { panic!("{state:?}") };
        let [pin] = stage.pins_of(0).try_into().unwrap();
        assert_eq!((pin.id.as_str(), adopted), (pin_id.as_str(), true));
    }
}
