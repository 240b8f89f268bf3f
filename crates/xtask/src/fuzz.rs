//! Fuzzing: the corpus from the headers of real files, then each target for its share of the time.

mod corpus;

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{setup, step};

/// The targets of `crates/probe/fuzz`, and the share of the time that each gets: `moov` holds nearly all the code.
const TARGETS: [(&str, u64); 5] = [("moov", 5), ("sample_entry", 2), ("box_walk", 1), ("sps", 1), ("rule_set", 1)];

/// How long CI fuzzes, in seconds.
pub(crate) const CI_SECONDS: u64 = 30;

/// CI begins with the same random numbers each time, so that a change is judged by what it changed; runs by hand, which
/// go on from one another's corpus, do not.
const CI_SEED: u32 = 1;

/// An input that takes longer than this many seconds is a finding: a second is what a file may cost, and the
/// counters slow the code down.
const TIMEOUT: u32 = 5;
/// A target that holds more than this many megabytes is a finding. The corpus itself takes some.
const MEMORY_MB: u32 = 512;
/// The longest input, in bytes: past the indexes of short files, mutations only hit tables.
const MAX_INPUT: u32 = 64 << 10;

/// All targets for half a minute, repeatable.
pub(crate) fn ci() -> Result<()> {
    run_seeded(None, CI_SECONDS, Some(CI_SEED))
}

/// Runs one target, or all, for `seconds` in all.
pub(crate) fn run(only: Option<&str>, seconds: u64) -> Result<()> {
    run_seeded(only, seconds, None)
}

fn run_seeded(only: Option<&str>, seconds: u64, seed: Option<u32>) -> Result<()> {
    setup::run()?;
    let targets: Vec<_> = TARGETS.into_iter().filter(|(name, _)| only.is_none_or(|only| only == *name)).collect();
    if targets.is_empty() {
        let known = TARGETS.map(|(name, _)| name).join(", ");
        bail!("no fuzz target {}: there are {known}", only.unwrap_or_default());
    }
    install()?;
    corpus::make()?;
    let shares: u64 = targets.iter().map(|(_, share)| share).sum();
    for (name, share) in targets {
        fuzz(name, (seconds * share / shares).max(1), seed)?;
    }
    Ok(())
}

/// cargo-fuzz, kept under `target/tools`: nothing outside the checkout changes. Unoptimised, as it only starts others.
pub(crate) fn install() -> Result<()> {
    if pinpress_fixtures::workspace_root().join("target/tools/bin/cargo-fuzz").is_file() {
        return Ok(());
    }
    let cargo_fuzz = ["cargo-fuzz", "--debug", "--locked", "--version", "^0.13", "--root", "target/tools"];
    step::run(step::cargo(&["install"]).env("CARGO_PROFILE_DEV_DEBUG", "false").args(cargo_fuzz))
}

fn fuzz(target: &str, seconds: u64, seed: Option<u32>) -> Result<()> {
    let root = pinpress_fixtures::workspace_root();
    let found = root.join("target/fuzz-found").join(target);
    std::fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
    // Without a sanitizer the stable compiler does: the code is safe Rust, where a sanitizer would find nothing.
    let mut command = Command::new(root.join("target/tools/bin/cargo-fuzz"));
    command.current_dir(&root).args(["fuzz", "run", "--fuzz-dir", "crates/probe/fuzz", "--sanitizer", "none"]);
    command.args(["--target-dir", "target/fuzz", target]).arg(corpus::folder(target)).arg("--");
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-timeout={TIMEOUT}"));
    command.arg(format!("-rss_limit_mb={MEMORY_MB}")).arg(format!("-max_len={MAX_INPUT}"));
    command.arg("-print_final_stats=1").arg("-verbosity=0").arg(format!("-artifact_prefix={}/", found.display()));
    if let Some(seed) = seed {
        command.arg(format!("-seed={seed}"));
    }
    if target != "rule_set" {
        command.arg("-dict=crates/probe/fuzz/boxes.dict");
    }
    step::run(&mut command).with_context(|| {
        format!(
            "what it found is in {}: mend it, and keep the input in crates/probe/fuzz/seeds/{target}",
            found.display()
        )
    })
}
