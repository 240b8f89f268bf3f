//! Arguments in, an exit code out.

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::commands::{
    boards, check, completions, cover, doctor, fix, help, login, logout, man, publish, reconcile, rehearse, retry, run,
    spec, status, whoami,
};
use crate::exit::Exit;
use crate::options::Shared;
use crate::output;

/// Takes raw videos to published Pinterest video Pins.
#[derive(Debug, Parser)]
#[command(name = "pinpress", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "\
Start with a rehearsal, which needs no account:
  pinpress rehearse raw -o out

Exit codes: 0 all is well, 1 some video fails or was not published, 2 the work could not be done,
130 interrupted (what was finished is kept).")]
pub(crate) struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::CheckArgs),
    Fix(fix::FixCommand),
    Cover(cover::CoverArgs),
    Publish(publish::PublishArgs),
    Run(run::RunArgs),
    Rehearse(rehearse::RehearseArgs),
    Login(login::LoginArgs),
    Logout(logout::LogoutArgs),
    Whoami(whoami::WhoamiArgs),
    Boards(boards::BoardsArgs),
    Status(status::StatusArgs),
    Retry(retry::RetryArgs),
    Reconcile(reconcile::ReconcileArgs),
    Spec(spec::SpecArgs),
    Doctor(doctor::DoctorArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Help(help::HelpArgs),
}

/// The whole program.
pub(crate) fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // To stdout for help and version, to stderr for a mistake; a closed pipe is nobody's loss.
            drop(error.print());
            return if error.use_stderr() { Exit::NotDone } else { Exit::Success };
        }
    };
    cli.shared.set_up();
    let shared = &cli.shared;
    let result = match cli.command {
        Command::Check(args) => check::run(&args, shared),
        Command::Fix(args) => fix::run(&args, shared),
        Command::Cover(args) => cover::run(&args, shared),
        Command::Publish(args) => publish::run(&args, shared),
        Command::Run(args) => run::run(&args, shared),
        Command::Rehearse(args) => rehearse::run(&args, shared),
        Command::Login(args) => login::run(&args),
        Command::Logout(args) => logout::run(&args),
        Command::Whoami(args) => whoami::run(&args),
        Command::Boards(args) => boards::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Retry(args) => retry::run(&args),
        Command::Reconcile(args) => reconcile::run(&args),
        Command::Spec(args) => spec::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Completions(args) => completions::run(&args, Cli::command()),
        Command::Man(args) => man::run(&args, Cli::command()),
        Command::Help(args) => help::run(&args, Cli::command()),
    };
    result.unwrap_or_else(|error| {
        // Who closed our stdout knows why.
        if !output::is_broken_pipe(&error) {
            output::complain(&told(&error));
        }
        Exit::NotDone
    })
}

/// The error and what caused it, without saying anything twice: many of ours name their cause themselves.
fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told.as_str() {
        "" => cause,
        told if told.contains(&cause) => told.to_owned(),
        told => format!("{told}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once() {
        let inner = std::io::Error::other("disk full");
        let error = anyhow::Error::from(inner).context("cannot write: disk full: a.txt").context("no report");
        assert_eq!(told(&error), "no report: cannot write: disk full: a.txt");
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
