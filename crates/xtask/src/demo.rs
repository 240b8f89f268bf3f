//! The whole job on sample videos, from nothing: set up, build, make raw videos, rehearse.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{setup, step};

/// Runs the demo. `serve` keeps the board page up until Ctrl-C.
pub(crate) fn run(serve: bool) -> Result<()> {
    setup::run()?;
    step::run(&mut step::cargo(&["build", "--release", "--locked"]))?;
    let root = pinpress_fixtures::workspace_root();
    let folder = root.join("target/demo");
    let (raw, out) = (folder.join("raw"), folder.join("out"));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("cannot clear the last demo")?;
    }
    println!("making raw sample videos in target/demo/raw");
    for recipe in pinpress_fixtures::recipes()? {
        let Some(place) = &recipe.demo else { continue };
        let made = pinpress_fixtures::make_recipe(&recipe)?;
        let target = raw.join(place);
        std::fs::create_dir_all(target.parent().unwrap_or(Path::new("."))).context("cannot make the demo's folders")?;
        std::fs::copy(&made, &target).with_context(|| format!("cannot copy {place}"))?;
        println!("    {place:<28} {}", recipe.about);
    }
    let mut rehearse = Command::new(root.join("target/release/pinpress"));
    rehearse.current_dir(&root).args(["rehearse", "target/demo/raw", "-o", "target/demo/out"]);
    if serve {
        rehearse.arg("--serve");
    }
    // One of the samples is no video at all, and is reported as such: exit code 1 is what a pipeline would see.
    match step::status(&mut rehearse)? {
        Some(0 | 1) if out.exists() => Ok(()),
        code => bail!("the rehearsal did not do its work (exit code {code:?})"),
    }
}
