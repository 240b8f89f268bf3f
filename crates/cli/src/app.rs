//! Arguments in, an exit code out.

use std::path::PathBuf;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use pinpress_telemetry::{Traces, TracesError};

use crate::account;
use crate::commands::{
    boards, check, completions, cover, doctor, enqueue, fix, help, init, login, logout, man, publish, reconcile,
    rehearse, retry, run, spec, status, whoami, work,
};
use crate::config::{Config, ConfigError};
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
    Init(init::InitArgs),
    Check(check::CheckArgs),
    Fix(fix::FixCommand),
    Cover(cover::CoverArgs),
    Publish(publish::PublishArgs),
    Run(run::RunArgs),
    Rehearse(rehearse::RehearseArgs),
    Enqueue(enqueue::EnqueueArgs),
    Work(work::WorkArgs),
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

/// Commands that no file says anything to: they must help where one is broken.
const WITHOUT_FILES: [&str; 4] = ["completions", "help", "init", "man"];

/// The whole program.
pub(crate) fn main() -> Exit {
    let mut command = Cli::command();
    let (config, invoked) = surroundings(&command);
    match &config {
        Ok(config) => command = config.applied_to(command, invoked.as_deref()),
        // It tells about them among other things.
        Err(_) if invoked.as_deref() == Some("doctor") => {}
        Err(error) => {
            output::complain(&error.to_string());
            return Exit::NotDone;
        }
    }
    let parsed = command.try_get_matches_from_mut(std::env::args_os());
    let cli =
        parsed.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches).map_err(|e| e.format(&mut command)));
    let cli = match cli {
        Ok(cli) => cli,
        Err(error) => {
            // To stdout for help and version, to stderr for a mistake; a closed pipe is nobody's loss.
            drop(error.print());
            return if error.use_stderr() { Exit::NotDone } else { Exit::Success };
        }
    };
    let traces = cli.command.traces();
    cli.shared.set_up(traces.as_ref().ok().and_then(Option::as_ref));
    if let Err(error) = &traces {
        output::warn(&error.to_string());
    }
    if let Ok(config) = &config {
        account::configure(config);
        for path in config.paths() {
            tracing::info!("options come from {}", path.display());
        }
    }
    let shared = &cli.shared;
    let result = match cli.command {
        Command::Init(args) => init::run(&args, &Cli::command()),
        Command::Check(args) => check::run(&args, shared),
        Command::Fix(args) => fix::run(&args, shared),
        Command::Cover(args) => cover::run(&args, shared),
        Command::Publish(args) => publish::run(&args, shared),
        Command::Run(args) => run::run(&args, shared),
        Command::Rehearse(args) => rehearse::run(&args, shared),
        Command::Enqueue(args) => enqueue::run(&args, shared),
        Command::Work(args) => work::run(&args, shared),
        Command::Login(args) => login::run(&args),
        Command::Logout(args) => logout::run(&args),
        Command::Whoami(args) => whoami::run(&args),
        Command::Boards(args) => boards::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Retry(args) => retry::run(&args),
        Command::Reconcile(args) => reconcile::run(&args),
        Command::Spec(args) => spec::run(&args),
        Command::Doctor(args) => doctor::run(&args, &config),
        Command::Completions(args) => completions::run(&args, Cli::command()),
        Command::Man(args) => man::run(&args, Cli::command()),
        Command::Help(args) => help::run(&args, Cli::command()),
    };
    let exit = result.unwrap_or_else(|error| {
        // Who closed our stdout knows why.
        if !output::is_broken_pipe(&error) {
            output::complain(&told(&error));
        }
        Exit::NotDone
    });
    if let Ok(Some(Err(lost))) = traces.map(|traces| traces.map(Traces::end)) {
        output::warn(&lost.to_string());
    }
    exit
}

impl Command {
    /// Traces, if it is a run and the variables ask for them. What is wrong with these ends no run.
    fn traces(&self) -> Result<Option<Traces>, TracesError> {
        match self {
            Self::Publish(_) | Self::Run(_) | Self::Rehearse(_) | Self::Work(_) => {
                Traces::from_environment(env!("CARGO_PKG_VERSION"))
            }
            _ => Ok(None),
        }
    }
}

/// The files that say something to the command of the arguments, and that command.
fn surroundings(command: &clap::Command) -> (Result<Config, ConfigError>, Option<String>) {
    // What is wrong with the arguments is told when they are read in earnest; help and version need no file.
    let read = command.clone().ignore_errors(true).try_get_matches().ok();
    let Some((invoked, arguments)) = read.as_ref().and_then(ArgMatches::subcommand) else {
        return (Ok(Config::default()), None);
    };
    if WITHOUT_FILES.contains(&invoked) {
        return (Ok(Config::default()), None);
    }
    let named = arguments.get_one::<PathBuf>("config").filter(|path| !path.as_os_str().is_empty());
    (Config::load(named.map(PathBuf::as_path), command), Some(invoked.to_owned()))
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
        // As they are read, too.
        for name in Cli::command().get_subcommands().map(clap::Command::get_name) {
            Config::default().applied_to(Cli::command(), Some(name)).debug_assert();
        }
    }
}
