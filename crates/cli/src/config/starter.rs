//! A file to start from: every key with what it says and what it is when nothing is said, all of it commented out.

use std::fmt::Write as _;

use clap::Command;

use super::keys::{KEYS, Key};
use super::option;

const HEAD: &str = "\
# Options of pinpress for this folder and all below it. Take away the # of what you want to say.
#
# Arguments win over the variables PINPRESS_*, those over this file, and this file over the one in
# your folder of configurations. Paths are relative to this file. More: pinpress help config
";

/// Of comments, so that an editor shows them whole.
const WIDTH: usize = 98;

/// The text of the file. `command` is the command line, by whose words it explains.
pub(crate) fn starter(command: &Command) -> String {
    let mut text = HEAD.to_owned();
    let mut section = "";
    for key in KEYS {
        if key.section != section {
            section = key.section;
            // Writing to a string cannot fail.
            let _ = write!(text, "\n[{section}]");
        }
        let _ = write!(text, "\n{}#{} = {}\n", about(command, key), key.name, value(command, key));
    }
    text
}

fn about(command: &Command, key: &Key) -> String {
    let help = option::of(command, key).and_then(clap::Arg::get_help).map(ToString::to_string);
    let about = if key.about.is_empty() { help.unwrap_or_default() } else { key.about.to_owned() };
    let (mut lines, mut line) = (String::new(), "#".to_owned());
    for word in format!("{}.", about.trim_end_matches('.')).split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines += &(std::mem::replace(&mut line, "#".to_owned()) + "\n");
        }
        line += " ";
        line += word;
    }
    lines + &line + "\n"
}

/// The default, or an example of what has none.
fn value(command: &Command, key: &Key) -> String {
    if !key.example.is_empty() {
        return key.example.to_owned();
    }
    let Some(option) = option::of(command, key) else { return String::new() };
    if option::is_switch(option) {
        return "false".to_owned();
    }
    let default = option.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
    let default = default.unwrap_or_default();
    if default.parse::<u32>().is_ok() { default } else { toml::Value::String(default).to_string() }
}
