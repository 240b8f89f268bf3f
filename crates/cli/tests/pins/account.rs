//! Finished videos, and an account on loopback to publish them to.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use pinpress_rehearsal::{Call, FaultRule, Rehearsal, RehearsalOptions};

use crate::ground::{Ran, folder, output_of, pinpress};

pub(super) struct Account {
    pub(super) dir: tempfile::TempDir,
    pub(super) pinterest: Rehearsal,
}

impl Account {
    /// With these videos, each of another content; `None` where there is no ffmpeg to make one.
    pub(super) fn with(names: &[&str], faults: Vec<FaultRule>) -> Option<Self> {
        let fixtures: Vec<_> = names.iter().map(|name| ("conforming-9x16.mp4", *name)).collect();
        let dir = folder(&fixtures)?;
        for name in names {
            let path = dir.path().join(name);
            let mut bytes = std::fs::read(&path).unwrap();
            // A `free` box (ISO/IEC 14496-12 §8.1.2) that tells them apart.
            bytes.extend(u32::try_from(8 + name.len()).unwrap().to_be_bytes());
            bytes.extend(b"free");
            bytes.extend(name.as_bytes());
            std::fs::write(&path, bytes).unwrap();
            image::RgbImage::new(360, 640).save(path.with_extension("cover.jpg")).unwrap();
        }
        let options = RehearsalOptions::new(dir.path().join("pinterest"));
        let pinterest = Rehearsal::start(RehearsalOptions { faults, ..options }).unwrap();
        Some(Self { dir, pinterest })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The program with this account.
    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = pinpress();
        command.env("PINPRESS_ACCESS_TOKEN", self.pinterest.token()).env("PINPRESS_API", self.pinterest.api_base());
        command.args(args).current_dir(self.dir.path());
        command
    }

    /// What a run of it gives, with what differs between two runs taken out.
    pub(super) fn ran(&self, args: &[&str]) -> Ran {
        self.ran_with(&mut self.command(args))
    }

    pub(super) fn ran_with(&self, command: &mut Command) -> Ran {
        let Ran { code, stdout, stderr } = output_of(command, self.dir.path());
        let clean = |text: String| text.replace(&self.pinterest.address().to_string(), "[HOST]");
        Ran { code, stdout: clean(stdout), stderr: clean(stderr) }
    }

    pub(super) fn count(&self, call: Call) -> usize {
        self.pinterest.requests().iter().filter(|request| request.call == Some(call)).count()
    }
}

pub(super) fn is_there(folder: &Path, name: &str) -> bool {
    folder.join(name).is_file()
}
