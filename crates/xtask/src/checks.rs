//! What must pass: formatting, lints, docs, tests, half a minute of fuzzing.

use anyhow::Result;

use crate::{fuzz, judges, setup, step, suites};

/// Formatting, lints and docs, then the tests, then half a minute of fuzzing.
pub(crate) fn ci() -> Result<()> {
    step::run(&mut step::cargo(&["fmt", "--all", "--check"]))?;
    setup::for_tests()?;
    let install = || judges::install().and_then(|()| fuzz::install());
    judges::meanwhile(install, || {
        step::run(&mut step::cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
        let mut docs = step::cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
        step::run(docs.env("RUSTDOCFLAGS", "-D warnings"))?;
        build()
    })?;
    suites::run()?;
    fuzz::ci()
}

/// All tests. The two binaries are built first: tests of the command line start them both.
pub(crate) fn test() -> Result<()> {
    setup::for_tests()?;
    judges::meanwhile(judges::install, build)?;
    suites::run()
}

fn build() -> Result<()> {
    step::run(&mut step::cargo(&["build", "--locked"]))?;
    fixtures()?;
    step::run(&mut step::cargo(&["test", "--workspace", "--locked", "--no-run"]))
}

/// Every test video, made before the tests so that none waits for another's.
pub(crate) fn fixtures() -> Result<()> {
    setup::run()?;
    for recipe in pinpress_fixtures::recipes()?.iter().chain(&pinpress_fixtures::boundaries()?) {
        pinpress_fixtures::make_recipe(recipe)?;
    }
    Ok(())
}
