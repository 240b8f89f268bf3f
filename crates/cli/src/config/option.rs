//! The options of the command line, as far as files speak of them.

use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command};

use super::keys::Key;

/// The first option that `key` is for.
pub(super) fn of<'a>(command: &'a Command, key: &Key) -> Option<&'a Arg> {
    let below = command.get_subcommands().filter(|below| key.is_for(below.get_name()));
    command.get_arguments().chain(below.flat_map(Command::get_arguments)).find(|arg| has_variable(arg, key.variable))
}

/// Whether the environment can set it by this name.
pub(super) fn has_variable(arg: &Arg, variable: &str) -> bool {
    arg.get_env().is_some_and(|name| name == variable)
}

/// Whether it takes no value.
pub(super) fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// Whether the option takes this value; what is wrong otherwise.
pub(super) fn judge(arg: &Arg, value: &str) -> Result<(), String> {
    let parser: ValueParser = arg.get_value_parser().clone();
    let names: Vec<String> = parser
        .possible_values()
        .into_iter()
        .flatten()
        .filter(|name| !name.is_hide_set())
        .map(|name| name.get_name().to_owned())
        .collect();
    // The parser of an option can only be asked through a command.
    let alone = Arg::new("value").long("value").value_parser(parser).action(ArgAction::Set);
    let asked = Command::new("value").no_binary_name(true).disable_help_flag(true).arg(alone);
    let Err(error) = asked.try_get_matches_from([format!("--value={value}")]) else { return Ok(()) };
    match (error.kind(), names.split_last()) {
        (ErrorKind::InvalidValue, Some((last, []))) => Err(format!("use {last}")),
        (ErrorKind::InvalidValue, Some((last, others))) => Err(format!("use {} or {last}", others.join(", "))),
        _ => Err(std::error::Error::source(&error).map_or_else(|| "it cannot be used".to_owned(), ToString::to_string)),
    }
}
