//! Test programs, as many at once as there are cores.
//!
//! `cargo test` runs one program after the other, and most of ours end with a single long test on one core.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::step;

/// The programs that take longest, longest first, so that none of them is the last alone.
const LONGEST: [&str; 22] = [
    "whole_runs",
    "flow",
    "real_fixes",
    "edits",
    "stills",
    "field_notes",
    "nothing_lost",
    "measure",
    "real_clips",
    "proof",
    "shard",
    "slurm_array",
    "exactly_once",
    "hostile",
    "cover_pixels",
    "facts",
    "deep",
    "reports",
    "planted_defects",
    "fixes",
    "contract_prism",
    "strict",
];

/// One program of tests.
struct Suite {
    name: String,
    program: PathBuf,
    /// Where cargo would start it: beside its `Cargo.toml`.
    folder: PathBuf,
}

/// Builds and runs the tests of all packages, and those in their documentation.
pub(crate) fn run() -> Result<()> {
    let mut suites = built()?;
    ensure!(!suites.is_empty(), "there are no tests");
    suites.sort_by_key(|suite| LONGEST.iter().position(|name| suite.name == *name).unwrap_or(LONGEST.len()));
    let at_once = thread::available_parallelism()?.get();
    let (waiting, failed) = (Mutex::new(VecDeque::from(suites)), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(suite) = { locked(&waiting).pop_front() } {
                    if !suite.passes() {
                        locked(&failed).push(suite.name);
                    }
                }
            });
        }
    });
    let documentation = step::run(&mut step::cargo(&["test", "--workspace", "--locked", "--doc", "--quiet"]));
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    ensure!(failed.is_empty(), "tests failed in {}", failed.join(", "));
    documentation
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Suite {
    /// Runs it; what it said is printed in one piece.
    fn passes(&self) -> bool {
        let begun = Instant::now();
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).env("CARGO_MANIFEST_DIR", &self.folder).stdin(Stdio::null());
        let output = command.output();
        let mut out = std::io::stdout().lock();
        let passed = match &output {
            Ok(Output { status, stdout, stderr }) => {
                let told = writeln!(out, "\n$ {} ({} s)", self.name, begun.elapsed().as_secs());
                let _ = told.and_then(|()| out.write_all(stdout)).and_then(|()| out.write_all(stderr));
                status.success()
            }
            Err(error) => {
                let _ = writeln!(out, "\n$ {}: cannot start it: {error}", self.name);
                false
            }
        };
        passed && out.flush().is_ok()
    }
}

/// Builds all test programs, and says which they are.
fn built() -> Result<Vec<Suite>> {
    let mut command =
        step::cargo(&["test", "--workspace", "--locked", "--no-run", "--message-format", "json-render-diagnostics"]);
    println!("$ cargo test --workspace --locked --no-run");
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let messages = child.stdout.take().context("cargo says nothing")?;
    let mut suites = Vec::new();
    for line in BufReader::new(messages).lines() {
        let message: Value = serde_json::from_str(&line?).context("cargo's messages")?;
        suites.extend(suite(&message));
    }
    if !child.wait()?.success() {
        bail!("the tests cannot be built");
    }
    Ok(suites)
}

/// The program that a message of cargo tells of, if it tells of one (The Cargo Book, "External tools").
fn suite(message: &Value) -> Option<Suite> {
    let text = |pointer: &str| message.pointer(pointer)?.as_str();
    (text("/reason")? == "compiler-artifact" && message.pointer("/profile/test")?.as_bool()?).then_some(())?;
    let folder = PathBuf::from(text("/manifest_path")?).parent()?.to_owned();
    Some(Suite { name: text("/target/name")?.to_owned(), program: text("/executable")?.into(), folder })
}
