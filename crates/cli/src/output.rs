//! Where words go: results to stdout or a file, everything else to stderr.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use clap::ColorChoice;

/// What is good.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What fails.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What should be known.
pub(crate) const NOTE: Style = AnsiColor::Yellow.on_default();
/// What may be passed over.
pub(crate) const DIM: Style = Style::new().dimmed();

/// Applies `--color`; `auto` asks the terminal, `NO_COLOR` and `CLICOLOR`.
pub(crate) fn set_color(choice: ColorChoice) {
    let choice = match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Whether stderr takes colours.
pub(crate) fn stderr_has_color() -> bool {
    AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// Columns of the terminal; where there is none, what fits a log.
pub(crate) fn stdout_width() -> u16 {
    rustix::termios::tcgetwinsize(io::stdout())
        .ok()
        .map(|size| size.ws_col)
        .filter(|columns| *columns >= 40)
        .unwrap_or(140)
}

/// Says on stderr why the work could not be done.
pub(crate) fn complain(message: &str) {
    drop(writeln!(anstream::stderr(), "{BAD}error{BAD:#}: {message}"));
}

/// Says on stderr what a person should know.
pub(crate) fn warn(message: &str) {
    drop(writeln!(anstream::stderr(), "{NOTE}note{NOTE:#}: {message}"));
}

/// Whether the reader of our stdout has gone.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe))
}

/// A path for people. Control characters in a name must not drive the terminal, nor break a line.
pub(crate) fn shown(path: &Path) -> String {
    clean(&path.to_string_lossy())
}

/// A text for people, without control characters.
pub(crate) fn clean(text: &str) -> String {
    if !text.chars().any(is_hazard) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if is_hazard(c) { c.escape_default().collect() } else { vec![c] }).collect()
}

fn is_hazard(c: char) -> bool {
    // Control characters, and those that turn the direction of the line around.
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Takes the results of a command.
pub(crate) enum Results {
    /// As they come.
    Stdout(anstream::Stdout),
    /// Kept, and written whole at the end.
    File(PathBuf, Vec<u8>),
}

impl Results {
    /// To the file that `-o` names, else to stdout.
    pub(crate) fn new(file: Option<&Path>) -> Self {
        file.map_or_else(|| Self::Stdout(anstream::stdout()), |file| Self::File(file.to_owned(), Vec::new()))
    }

    /// Brings everything to where it belongs.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        match self {
            Self::Stdout(mut stdout) => Ok(stdout.flush()?),
            Self::File(path, bytes) => {
                let mut plain = anstream::StripStream::new(Vec::new());
                plain.write_all(&bytes)?;
                pinpress_pipeline::durable::write(&path, &plain.into_inner())
                    .with_context(|| format!("cannot write the report: {}", path.display()))
            }
        }
    }
}

impl Write for Results {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File(_, kept) => kept.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File(..) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_drive_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(clean("ü 🌲"), "ü 🌲");
        assert_eq!(clean("gpj.\u{202e}4pm"), "gpj.\\u{202e}4pm");
    }
}
