//! Running other programs, and saying so.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Runs a command with its output shown; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let code = status(command)?;
    if code != Some(0) {
        bail!(
            "`{}` ended with {}",
            words(command),
            code.map_or("a signal".to_owned(), |code| format!("exit code {code}"))
        );
    }
    Ok(())
}

/// Runs a command with its output shown and answers its exit code; `None` when a signal ended it.
pub(crate) fn status(command: &mut Command) -> Result<Option<i32>> {
    println!("$ {}", words(command));
    let status = command.status().with_context(|| format!("cannot start `{}`", words(command)))?;
    Ok(status.code())
}

/// Whether a command can be started and succeeds, its output unseen.
pub(crate) fn succeeds(program: &str, args: &[&str]) -> bool {
    let quiet =
        Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// Cargo, the one that runs this, in the workspace.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(pinpress_fixtures::workspace_root());
    command
}

fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(program.to_string_lossy().into_owned()).chain(args).collect::<Vec<_>>().join(" ")
}
