//! One file: from its text to settings, and everything that is wrong with it.

use std::path::{Path, PathBuf};

use pinpress_pipeline::ledger::Server;
use pinpress_pipeline::manifest::Place;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{KEYS, Key, Kind};
use super::mistake::Mistake;
use super::option;

/// A value that a file gives.
#[derive(Clone)]
pub(crate) struct Setting {
    /// What for.
    pub(crate) key: &'static Key,
    /// As it would be written on the command line; paths are resolved.
    pub(crate) text: String,
}

/// A secret is not for logs.
impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = if matches!(self.key.kind, Kind::Secret | Kind::Ledger) { "REDACTED" } else { &self.text };
        write!(f, "{} = {text}", self.key.path())
    }
}

/// What is asked of a file beside its text.
pub(super) struct Context<'a> {
    /// Where it is, for messages.
    pub(super) path: &'a Path,
    /// What relative paths in it are relative to; empty where that is the working folder.
    pub(super) base: PathBuf,
    /// Who may read it, in octal, when others than its owner may.
    pub(super) open_to_others: Option<u32>,
    /// The options by which values are judged.
    pub(super) command: &'a clap::Command,
}

/// Reads the settings of `text`, and adds what is wrong with it to `mistakes`.
///
/// Nothing of the text is told but the names of keys and the values of options: it may hold a secret.
pub(super) fn read(text: &str, context: &Context<'_>, mistakes: &mut Vec<Mistake>) -> Vec<Setting> {
    let mut found = Vec::new();
    let mut reader = Reader { text, context, mistakes: &mut found, settings: Vec::new() };
    // Of what does not parse, the keys that can be made out would be told as unknown once more.
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        reader.mistake(error.span().map_or(0, |span| span.start), format!("not TOML: {}", error.message()));
    }
    if errors.is_empty() {
        reader.top(table.get_ref());
    }
    let settings = reader.settings;
    found.sort_by_key(|mistake| mistake.place);
    mistakes.extend(found);
    settings
}

struct Reader<'a, 'b> {
    text: &'a str,
    context: &'a Context<'b>,
    mistakes: &'a mut Vec<Mistake>,
    settings: Vec<Setting>,
}

impl Reader<'_, '_> {
    fn mistake(&mut self, at: usize, message: String) {
        let place = Place::of(self.text, at);
        self.mistakes.push(Mistake { path: self.context.path.to_owned(), place: Some(place), message });
    }

    fn top(&mut self, table: &DeTable<'_>) {
        for (name, value) in table {
            match value.get_ref() {
                DeValue::Table(section) if KEYS.iter().any(|key| key.section == name.get_ref().as_ref()) => {
                    for (key, value) in section {
                        self.setting(name.get_ref(), key, value);
                    }
                }
                _ => self.setting("", name, value),
            }
        }
    }

    fn setting(&mut self, section: &str, name: &Spanned<std::borrow::Cow<'_, str>>, value: &Spanned<DeValue<'_>>) {
        let known = KEYS.iter().find(|key| key.section == section && key.name == name.get_ref().as_ref());
        let Some(key) = known else {
            return self.mistake(name.span().start, unknown(section, name.get_ref(), value.get_ref()));
        };
        match self.value(key, value.get_ref()) {
            Ok(text) => self.settings.push(Setting { key, text }),
            Err(reason) => self.mistake(value.span().start, format!("{} {reason}", key.path())),
        }
    }

    /// The value as its option takes it, or what is wrong, as the rest of a sentence.
    fn value(&self, key: &Key, value: &DeValue<'_>) -> Result<String, String> {
        match key.kind {
            Kind::Secret => return self.secret(key, value),
            Kind::AppId => return Ok(plain(value).ok_or("is no text: write it in quotes")?),
            Kind::Plain | Kind::Path | Kind::RuleSet | Kind::Ledger => {}
        }
        let Some(option) = option::of(self.context.command, key) else { return Ok(plain(value).unwrap_or_default()) };
        if option::is_switch(option) {
            let on = value.as_bool().ok_or("is neither true nor false, without quotes")?;
            return Ok(on.to_string());
        }
        let text = plain(value).ok_or("is no text in quotes, and no whole number")?;
        option::judge(option, &text).map_err(|reason| format!("is {text:?}: {reason}"))?;
        Ok(match key.kind {
            Kind::Path => self.resolved(&text),
            Kind::Ledger if Server::is_address(&text) => self.address(key, text)?,
            Kind::Ledger => self.resolved(&text),
            Kind::RuleSet if pinpress_probe::Spec::built_in_text(&text).is_none() => self.resolved(&text),
            _ => text,
        })
    }

    /// The address of a database. A password in it is a secret.
    fn address(&self, key: &Key, text: String) -> Result<String, String> {
        let server = Server::parse(&text, None).map_err(|error| error.to_string())?;
        if let Some(mode) = self.context.open_to_others.filter(|_| server.has_password()) {
            return Err(format!(
                "has a password and stands where others can read it (mode {mode:03o}): close the file to them with \
                 chmod 600, or put the password into PGPASSWORD or the whole into {}",
                key.variable
            ));
        }
        Ok(text)
    }

    fn secret(&self, key: &Key, value: &DeValue<'_>) -> Result<String, String> {
        if let Some(mode) = self.context.open_to_others {
            return Err(format!(
                "stands where others can read it (mode {mode:03o}): close the file to them with chmod 600, or put it \
                 into {}; if this machine has other users, let Pinterest make a new one",
                key.variable
            ));
        }
        plain(value).ok_or_else(|| "is no text: write it in quotes".to_owned())
    }

    fn resolved(&self, path: &str) -> String {
        self.context.base.join(path).to_string_lossy().into_owned()
    }
}

/// The text of a text or whole number.
fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().replace('_', "")),
        _ => None,
    }
}

/// What to say of a key that there is not: where it belongs, or what it is near to.
fn unknown(section: &str, name: &str, value: &DeValue<'_>) -> String {
    if section.is_empty() && value.is_table() {
        let sections = KEYS.iter().map(|key| key.section).filter(|section| !section.is_empty());
        let told = format!("unknown section [{name}]");
        return match near(name, sections.clone()) {
            Some(near) => format!("{told}: is it [{near}]?"),
            None => {
                let mut all: Vec<_> = sections.map(|section| format!("[{section}]")).collect();
                all.dedup();
                format!("{told}: there are {}", all.join(", "))
            }
        };
    }
    let told =
        if section.is_empty() { format!("unknown key {name:?}") } else { format!("unknown key {section}.{name}") };
    let folded = name.replace('-', "_");
    let here = KEYS.iter().filter(|key| key.section == section).map(|key| key.name);
    if let Some(near) = near(&folded, here) {
        return format!("{told}: is it {near}?");
    }
    let there = KEYS.iter().find(|key| key.name == folded).or_else(|| {
        let name = near(&folded, KEYS.iter().map(|key| key.name))?;
        KEYS.iter().find(|key| key.name == name)
    });
    match there {
        Some(Key { section: "", name, .. }) => format!("{told}: is it {name}, above all sections?"),
        Some(key) => format!("{told}: is it {} in [{}]?", key.name, key.section),
        None => format!("{told}: `pinpress help config` lists them all"),
    }
}

/// The name that was likely meant.
fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A slip in three letters, two in six.
    let close = known.map(|known| (strsim::damerau_levenshtein(name, known), known));
    close.filter(|(slips, known)| slips * 3 <= known.len()).min_by_key(|(slips, _)| *slips).map(|(_, known)| known)
}
