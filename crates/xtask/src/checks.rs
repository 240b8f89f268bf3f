//! What must pass: formatting, lints, docs, tests, half a minute of fuzzing.

use anyhow::Result;

use crate::{fuzz, setup, step, suites};

/// Formatting, lints and docs, then the tests, then half a minute of fuzzing.
pub(crate) fn ci() -> Result<()> {
    step::run(&mut step::cargo(&["fmt", "--all", "--check"]))?;
    setup::run()?;
    step::run(&mut step::cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    let mut docs = step::cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    step::run(docs.env("RUSTDOCFLAGS", "-D warnings"))?;
    test()?;
    fuzz::ci()
}

/// All tests. The two binaries are built first: tests of the command line start them both.
pub(crate) fn test() -> Result<()> {
    setup::for_tests()?;
    fixtures()?;
    step::run(&mut step::cargo(&["build", "--locked"]))?;
    suites::run()
}

/// Every test video, made before the tests so that none waits for another's.
pub(crate) fn fixtures() -> Result<()> {
    setup::run()?;
    for recipe in pinpress_fixtures::recipes()?.iter().chain(&pinpress_fixtures::boundaries()?) {
        pinpress_fixtures::make_recipe(recipe)?;
    }
    Ok(())
}
