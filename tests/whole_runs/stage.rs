//! Raw videos, an output folder, and an account on loopback.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use pinpress_rehearsal::{Rehearsal, RehearsalOptions};
use serde_json::Value;

use super::ground::{Ground, Ran, ran};

pub(crate) struct Stage {
    pub(crate) ground: Ground,
    pub(crate) pinterest: Rehearsal,
}

impl Stage {
    /// `None` where the worker is not built, which it says.
    pub(crate) fn new() -> Option<Self> {
        let ground = Ground::new()?;
        let pinterest = account(&ground, "pinterest");
        Some(Self { ground, pinterest })
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.ground.at("out")
    }

    /// `pinpress` with these arguments and this account.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.ground.pinpress(args);
        command.env("PINPRESS_ACCESS_TOKEN", self.pinterest.token()).env("PINPRESS_API", self.pinterest.api_base());
        // What happens when it is full is what these are for, and all that is there is whole.
        command.env("PINPRESS_KEEP_FREE", "0").env("PINPRESS_SETTLE", "0");
        command
    }

    /// The whole of `raw` into `out`, and more arguments.
    pub(crate) fn run(&self, more: &[&str]) -> Command {
        let mut command = self.command(&["run", "raw", "-o", "out", "--preset", "ultrafast", "--board", "Rehearsal"]);
        command.args(["--jobs", "2"]).args(more);
        command
    }

    pub(crate) fn ran(&self, args: &[&str]) -> Ran {
        ran(&mut self.command(args))
    }

    /// Runs again, now that nothing is in the way: all is published, each once.
    pub(crate) fn assert_completes(&self, videos: usize) {
        let said = ran(&mut self.run(&[]));
        assert_eq!(said.code, Some(0), "{said:?}");
        assert_eq!(self.pinterest.pins().len(), videos, "{said:?}");
        let names = Ground::names(&self.out());
        for suffix in [".mp4", ".cover.jpg", ".pin.json"] {
            assert_eq!(names.iter().filter(|name| name.ends_with(suffix)).count(), videos, "{names:?}");
        }
        assert_eq!(names.len(), 3 * videos, "{names:?}");
    }

    /// What `status` tells to programs.
    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.ran(&["status", "out", "--format", "json"]).stdout).unwrap()
    }
}

/// A new account, which keeps what it gets in this folder.
pub(crate) fn account(ground: &Ground, folder: &str) -> Rehearsal {
    let options = RehearsalOptions { processing_polls: 0, ..RehearsalOptions::new(ground.at(folder)) };
    Rehearsal::start(options).unwrap()
}

/// The hash of each file of a folder.
pub(crate) fn hashes(ground: &std::path::Path) -> BTreeMap<String, String> {
    Ground::tree(ground).into_iter().map(|(name, bytes)| (name, blake3::hash(&bytes).to_hex().to_string())).collect()
}
