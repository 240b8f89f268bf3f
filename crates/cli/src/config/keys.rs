//! What can stand in a file: each key, and the variable that says the same.

/// A key of `pinpress.toml`. Its meaning, its default and what it may be are those of the option with this variable.
#[derive(Debug)]
pub(crate) struct Key {
    /// The section; empty at the top.
    pub(crate) section: &'static str,
    /// Its name there.
    pub(crate) name: &'static str,
    /// The variable of the environment.
    pub(crate) variable: &'static str,
    /// The commands it is for; of all that have the option when there are none.
    pub(crate) commands: &'static [&'static str],
    /// What kind of text it is.
    pub(crate) kind: Kind,
    /// A value to start from, as TOML, where the option has no default.
    pub(crate) example: &'static str,
    /// What it says, where the words of its option are not enough.
    pub(crate) about: &'static str,
}

/// What a value is beyond what its option makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing more.
    Plain,
    /// A path: relative to the file that it stands in.
    Path,
    /// The name of a rule set, or such a path.
    RuleSet,
    /// The address of a database, or such a path.
    Ledger,
    /// Nobody else may read the file that it stands in, and it has no option.
    Secret,
    /// It has no option, and is told freely.
    AppId,
}

impl Key {
    /// As messages call it: `quality`, or `fix.quality`.
    pub(crate) fn path(&self) -> String {
        if self.section.is_empty() { self.name.to_owned() } else { format!("{}.{}", self.section, self.name) }
    }

    /// Whether it says something to this command.
    pub(crate) fn is_for(&self, command: &str) -> bool {
        self.commands.is_empty() || self.commands.contains(&command)
    }
}

const fn key(section: &'static str, name: &'static str, variable: &'static str) -> Key {
    Key { section, name, variable, commands: &[], kind: Kind::Plain, example: "", about: "" }
}

const fn such_as(example: &'static str, key: Key) -> Key {
    Key { example, ..key }
}

const fn saying(about: &'static str, key: Key) -> Key {
    Key { about, ..key }
}

const fn of(kind: Kind, key: Key) -> Key {
    Key { kind, ..key }
}

const fn only(commands: &'static [&'static str], key: Key) -> Key {
    Key { commands, ..key }
}

/// All keys, in the order in which `pinpress init` writes them.
pub(crate) static KEYS: &[Key] = &[
    saying(
        "The folder for outputs, covers, receipts and the ledger.",
        such_as("\"out\"", of(Kind::Path, key("", "output", "PINPRESS_OUTPUT"))),
    ),
    of(Kind::RuleSet, key("", "spec", "PINPRESS_SPEC")),
    key("", "jobs", "PINPRESS_JOBS"),
    key("", "color", "PINPRESS_COLOR"),
    key("", "quiet", "PINPRESS_QUIET"),
    key("", "log_format", "PINPRESS_LOG_FORMAT"),
    such_as("\"*.mov,2024/**\"", key("", "include", "PINPRESS_INCLUDE")),
    such_as("\"drafts/**\"", key("", "exclude", "PINPRESS_EXCLUDE")),
    key("", "settle", "PINPRESS_SETTLE"),
    key("", "keep_free", "PINPRESS_KEEP_FREE"),
    key("", "nice", "PINPRESS_NICE"),
    key("", "memory_limit", "PINPRESS_MEMORY_LIMIT"),
    key("", "stall_timeout", "PINPRESS_STALL_TIMEOUT"),
    such_as("\"ledger.db\"", of(Kind::Ledger, key("", "ledger", "PINPRESS_LEDGER"))),
    such_as("\"report.html\"", of(Kind::Path, key("", "report", "PINPRESS_REPORT"))),
    such_as("\"127.0.0.1:9464\"", key("", "metrics", "PINPRESS_METRICS")),
    saying(
        "human, json, ndjson, junit, sarif, github or html.",
        only(&["check"], key("check", "format", "PINPRESS_FORMAT")),
    ),
    key("check", "fail_on", "PINPRESS_FAIL_ON"),
    key("check", "deep", "PINPRESS_DEEP"),
    key("fix", "aspect", "PINPRESS_ASPECT"),
    key("fix", "pad_color", "PINPRESS_PAD_COLOR"),
    key("fix", "crop_focus", "PINPRESS_CROP_FOCUS"),
    such_as("\"9:16\"", key("fix", "prefer", "PINPRESS_PREFER")),
    key("fix", "fps", "PINPRESS_FPS"),
    key("fix", "short", "PINPRESS_SHORT"),
    key("fix", "long", "PINPRESS_LONG"),
    key("fix", "quality", "PINPRESS_QUALITY"),
    key("fix", "preset", "PINPRESS_PRESET"),
    key("fix", "encoder", "PINPRESS_ENCODER"),
    key("fix", "salvage", "PINPRESS_SALVAGE"),
    key("fix", "keep_metadata", "PINPRESS_KEEP_METADATA"),
    key("fix", "link", "PINPRESS_LINK"),
    only(&["fix", "run", "rehearse"], key("fix", "overwrite", "PINPRESS_OVERWRITE")),
    only(&["fix"], key("fix", "format", "PINPRESS_FORMAT")),
    key("cover", "count", "PINPRESS_COVER_COUNT"),
    key("cover", "format", "PINPRESS_COVER_FORMAT"),
    only(&["cover"], key("cover", "overwrite", "PINPRESS_OVERWRITE")),
    key("work", "until_empty", "PINPRESS_UNTIL_EMPTY"),
    key("work", "lease", "PINPRESS_LEASE"),
    such_as("\"Recipes\"", key("publish", "board", "PINPRESS_BOARD")),
    such_as("\"pins.csv\"", of(Kind::Path, key("publish", "manifest", "PINPRESS_MANIFEST"))),
    such_as("\"{words}\"", key("publish", "title", "PINPRESS_TITLE")),
    such_as("\"Day {n} of {parent}\"", key("publish", "description", "PINPRESS_DESCRIPTION")),
    such_as("\"{words}\"", key("publish", "alt_text", "PINPRESS_ALT_TEXT")),
    such_as("\"https://example.com/{stem}\"", key("publish", "link", "PINPRESS_PIN_LINK")),
    such_as("\"2h\"", key("publish", "every", "PINPRESS_EVERY")),
    key("publish", "watch", "PINPRESS_WATCH"),
    key("publish", "no_publish", "PINPRESS_NO_PUBLISH"),
    such_as("1000", key("publish", "daily_calls", "PINPRESS_DAILY_CALLS")),
    key("publish", "uploads", "PINPRESS_UPLOADS"),
    such_as("\"image\"", key("publish", "cover_as", "PINPRESS_COVER_AS")),
    such_as("\"https://example.com/covers/{stem}.jpg\"", key("publish", "cover_url", "PINPRESS_COVER_URL")),
    saying(
        "Your app at https://developers.pinterest.com/apps/: its id.",
        such_as("\"1490000\"", of(Kind::AppId, key("account", "app_id", "PINPRESS_APP_ID"))),
    ),
    saying(
        "Its secret, in a file that only you can read (chmod 600), and that goes into no repository.",
        such_as("\"the app's secret\"", of(Kind::Secret, key("account", "app_secret", "PINPRESS_APP_SECRET"))),
    ),
    such_as("\"boards:read,pins:read,pins:write\"", key("account", "scopes", "PINPRESS_SCOPES")),
    key("account", "login_port", "PINPRESS_LOGIN_PORT"),
    key("account", "no_browser", "PINPRESS_NO_BROWSER"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_key_stands_twice() {
        let paths: BTreeSet<String> = KEYS.iter().map(Key::path).collect();
        assert_eq!(paths.len(), KEYS.len());
    }
}
