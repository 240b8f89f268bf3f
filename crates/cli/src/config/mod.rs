//! Options from files: the user's, and above it that of the project.
//!
//! What a file says is put in as the defaults of the options before the command line is read, so that arguments and
//! the environment win as they win over any default.

mod file;
mod keys;
mod mistake;
mod option;
mod starter;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::builder::{ArgPredicate, BoolishValueParser};
use clap::{Arg, ArgAction, Command};
use etcetera::BaseStrategy as _;

pub(crate) use file::Setting;
pub(crate) use keys::{KEYS, Kind};
pub(crate) use mistake::{ConfigError, Mistake};
pub(crate) use starter::starter;

/// What the file of a project is called.
pub(crate) const FILE_NAME: &str = "pinpress.toml";
/// The user's own, in the folder of configurations.
const USER_FILE: &str = "pinpress/config.toml";
/// A page of text is enough; a film named by mistake is not read.
const MAX_BYTES: u64 = 1 << 20;

/// The files that are in force.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// The nearest first.
    files: Vec<ConfigFile>,
}

/// One of them.
#[derive(Debug)]
struct ConfigFile {
    path: PathBuf,
    settings: Vec<Setting>,
}

impl Config {
    /// Reads the file `named`, else the nearest `pinpress.toml` at or above the working folder; and the user's own
    /// below it.
    ///
    /// # Errors
    /// With every mistake of both.
    pub(crate) fn load(named: Option<&Path>, command: &Command) -> Result<Self, ConfigError> {
        let here = std::env::current_dir().unwrap_or_default();
        let project = named.map_or_else(|| upward(&here), |path| Some(path.to_owned()));
        // One file may be both: whoever works in the folder of configurations.
        let user = user_file().filter(|user| user.is_file() && !project.as_ref().is_some_and(|path| same(user, path)));
        let mut mistakes = Vec::new();
        let files = project.into_iter().chain(user).map(|path| {
            let settings = read(&path, &here, command, &mut mistakes);
            ConfigFile { path, settings }
        });
        let files = files.collect();
        if mistakes.is_empty() { Ok(Self { files }) } else { Err(ConfigError { mistakes }) }
    }

    /// The files that were read, the nearest first.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// What the nearest file that knows it says.
    fn settings(&self) -> impl Iterator<Item = &Setting> {
        KEYS.iter().filter_map(|key| {
            let mut all = self.files.iter().flat_map(|file| &file.settings);
            all.find(|setting| std::ptr::eq(setting.key, key))
        })
    }

    /// The value of a key that has no option.
    pub(crate) fn value(&self, kind: Kind) -> Option<&str> {
        self.settings().find(|setting| setting.key.kind == kind).map(|setting| setting.text.as_str())
    }

    /// The command line with these defaults, for reading the arguments of the subcommand `invoked`.
    pub(crate) fn applied_to(&self, command: Command, invoked: Option<&str>) -> Command {
        // Help is the same everywhere.
        let Some(name) = invoked else { return command };
        let settings: Vec<&Setting> = self.settings().collect();
        let command = command.mut_args(|arg| with(arg, &settings, ""));
        command.mut_subcommand(name, |below| below.mut_args(|arg| with(arg, &settings, name)))
    }
}

/// The option with the default that a file gives it. A switch that the surroundings can set can be taken back.
fn with(arg: Arg, settings: &[&Setting], command: &str) -> Arg {
    let given = settings.iter().find(|setting| {
        option::has_variable(&arg, setting.key.variable) && (command.is_empty() || setting.key.is_for(command))
    });
    let is_switch = option::is_switch(&arg) && arg.get_env().is_some();
    let arg = if is_switch {
        let arg = arg.action(ArgAction::Set).num_args(0..=1).require_equals(true).default_missing_value("true");
        arg.value_parser(BoolishValueParser::new())
    } else {
        arg
    };
    match given {
        Some(setting) => unless_contradicted(arg).required(false).default_value(setting.text.clone()),
        None if is_switch => arg.default_value("false"),
        None => arg,
    }
}

/// Of two options that contradict each other, what a file says of the one gives way to what is nearer of the other.
fn unless_contradicted(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "cover_as" => arg.default_value_if("cover_url", ArgPredicate::IsPresent, None),
        "cover_url" => {
            arg.default_value_ifs(["image", "key-frame", "timestamp-ms"].map(|form| ("cover_as", form, None)))
        }
        _ => arg,
    }
}

/// The nearest file of a project.
fn upward(here: &Path) -> Option<PathBuf> {
    let found = here.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())?;
    // Said as the user would say it.
    let short = found.strip_prefix(here).map(Path::to_owned);
    Some(short.unwrap_or(found))
}

fn user_file() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|folders| folders.config_dir().join(USER_FILE))
}

fn same(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

fn read(path: &Path, here: &Path, command: &Command, mistakes: &mut Vec<Mistake>) -> Vec<Setting> {
    let (text, open_to_others) = match text_of(path) {
        Ok(read) => read,
        Err(error) => {
            mistakes.push(Mistake::of(path, format!("cannot be read: {error}")));
            return Vec::new();
        }
    };
    let folder = here.join(path).parent().map(Path::to_owned).unwrap_or_default();
    let base = if folder == here { PathBuf::new() } else { folder };
    file::read(&text, &file::Context { path, base, open_to_others, command }, mistakes)
}

/// The text, and the mode of the file when others may read it.
fn text_of(path: &Path) -> io::Result<(String, Option<u32>)> {
    let refuse = |reason: &str| Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    let file = File::open(path)?;
    let open_to_others = mode_for_others(&file)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return refuse("it is longer than 1 MiB");
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((text, open_to_others)),
        Err(_) => refuse("it is not UTF-8 text"),
    }
}

#[cfg(unix)]
fn mode_for_others(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// Elsewhere the folder of a user is closed to others.
#[cfg(not(unix))]
fn mode_for_others(_: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::app::Cli;

    const HELP: &str = include_str!("../help/config.md");

    /// Options that say what one call is to do, and that nobody would set for all.
    const OF_ONE_CALL: [&str; 22] = [
        "adopt",
        "all",
        "at",
        "contact_sheet",
        "dry_run",
        "due",
        "file",
        "folder",
        "force",
        "json",
        "name",
        "output",
        "plan",
        "resend",
        "schema",
        "sections",
        "serve",
        "shell",
        "stdin0",
        "threads",
        "verbose",
        "what",
    ];
    /// Variables that stand in no file: where the token goes to and comes from is nobody else's to say, and a file that
    /// all parts of the work read cannot tell which one this is.
    const NO_KEYS: [&str; 4] = ["PINPRESS_API", "PINPRESS_CONFIG", "PINPRESS_PORT", "PINPRESS_SHARD"];

    fn arguments(command: &Command) -> Vec<(String, &Arg)> {
        let below = command.get_subcommands().flat_map(|sub| sub.get_arguments().map(move |arg| (sub.get_name(), arg)));
        let all = command.get_arguments().map(|arg| ("", arg)).chain(below);
        all.map(|(name, arg)| (format!("{name} {}", arg.get_id()), arg)).collect()
    }

    #[test]
    fn whatever_a_pipeline_would_set_has_a_variable_and_a_key() {
        let command = Cli::command();
        let variables: BTreeSet<&str> = KEYS.iter().map(|key| key.variable).collect();
        for (name, arg) in arguments(&command) {
            let id = arg.get_id().as_str();
            match arg.get_env().map(|variable| variable.to_string_lossy().into_owned()) {
                Some(variable) => {
                    assert!(variable.starts_with("PINPRESS_"), "{name}: {variable}");
                    let known = variables.contains(variable.as_str()) || NO_KEYS.contains(&variable.as_str());
                    assert!(known, "{name}: {variable} has no key");
                }
                None => {
                    let inputs = arg.is_positional() && matches!(arg.get_action(), ArgAction::Append);
                    assert!(inputs || OF_ONE_CALL.contains(&id), "{name} has no variable");
                }
            }
        }
    }

    #[test]
    fn every_key_has_its_option_its_words_and_its_line_in_the_help() {
        let command = Cli::command();
        for key in KEYS {
            let option = option::of(&command, key);
            assert_eq!(option.is_none(), matches!(key.kind, Kind::Secret | Kind::AppId), "{}", key.path());
            let line = HELP.lines().find(|line| {
                let mut words = line.split_whitespace();
                words.next() == Some(key.name) && words.next() == Some(key.variable)
            });
            assert!(line.is_some(), "{} is not in pinpress help config", key.path());
        }
    }

    fn mistakes(text: &str) -> Vec<String> {
        let command = Cli::command();
        let context =
            file::Context { path: Path::new("p.toml"), base: "base".into(), open_to_others: None, command: &command };
        let mut mistakes = Vec::new();
        file::read(text, &context, &mut mistakes);
        mistakes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_file_to_start_from_is_good_with_nothing_and_with_everything_taken_in() {
        let text = starter(&Cli::command());
        assert_eq!(mistakes(&text), [""; 0]);
        let all: Vec<&str> = text
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => key,
                _ => line,
            })
            .collect();
        let all = all.join("\n");
        assert_eq!(mistakes(&all), [""; 0], "{all}");
        let table: toml::Table = all.parse().unwrap();
        let keys: usize = table.values().map(|value| value.as_table().map_or(1, toml::Table::len)).sum();
        assert_eq!(keys, KEYS.len(), "{all}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }

    #[test]
    fn paths_are_relative_to_the_file_and_the_rest_is_as_on_the_command_line() {
        let command = Cli::command();
        let context =
            file::Context { path: Path::new("p.toml"), base: "base".into(), open_to_others: None, command: &command };
        let text =
            "output = 'out'\nspec = 'pinterest'\njobs = 1_0\n[publish]\nmanifest = '/a.csv'\n[fix]\nsalvage = true";
        let settings = file::read(text, &context, &mut Vec::new());
        let told: Vec<String> = settings.iter().map(|setting| format!("{setting:?}")).collect();
        let output = Path::new("base").join("out");
        let wanted = [
            "fix.salvage = true".to_owned(),
            "jobs = 10".to_owned(),
            format!("output = {}", output.display()),
            "publish.manifest = /a.csv".to_owned(),
            "spec = pinterest".to_owned(),
        ];
        assert_eq!(told, wanted);
        let own = file::read("spec = 'mine.toml'", &context, &mut Vec::new());
        assert_eq!(own[0].text, Path::new("base").join("mine.toml").display().to_string());
    }
}
