//! Where words go: results to stdout or a file, everything else to stderr.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstream::AutoStream;
use anstream::adapter::StripBytes;
use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use clap::ColorChoice;
use pinpress_pipeline::durable::WholeFile;

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

/// Columns of the terminal that stderr is; where it is none, what fits a log.
pub(crate) fn stderr_width() -> usize {
    rustix::termios::tcgetwinsize(io::stderr()).ok().map_or(140, |size| usize::from(size.ws_col))
}

/// Says on stderr why the work could not be done.
pub(crate) fn complain(message: &str) {
    drop(writeln!(anstream::stderr(), "{BAD}error{BAD:#}: {}", clean_lines(message)));
}

/// Says on stderr what a person should know.
pub(crate) fn warn(message: &str) {
    drop(writeln!(anstream::stderr(), "{NOTE}note{NOTE:#}: {}", clean_lines(message)));
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

/// A message of one or more lines. A name in it may have a line break too, which must not begin a line that looks like
/// one of ours: all lines but the first are indented.
fn clean_lines(message: &str) -> String {
    message.split('\n').map(clean).collect::<Vec<_>>().join("\n  ")
}

fn is_hazard(c: char) -> bool {
    // Control characters, and those that turn the direction of the line around.
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The address of a file, for a browser.
pub(crate) fn file_url(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let bytes = path.as_os_str().as_encoded_bytes();
    let mut url = "file://".to_owned();
    for byte in bytes {
        // RFC 3986 §2.3 and the slash.
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(byte) {
            url.push(char::from(*byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}

/// Takes the results of a command. They are kept together until [`Results::hand_on`]: a reader is woken once for each
/// video, not for each line of it.
pub(crate) struct Results {
    to: Place,
    /// For words that should be without colours.
    strip: Option<StripBytes>,
}

enum Place {
    Stdout(BufWriter<io::Stdout>),
    /// It has its name only at the end.
    File(WholeFile, PathBuf),
    /// A pipe or device that `-o` names: nothing can be renamed over it.
    Device(BufWriter<File>),
}

impl Results {
    /// Words for people, to the file that `-o` names, else to stdout: coloured where that is wanted.
    ///
    /// # Errors
    /// When the file cannot be begun.
    pub(crate) fn text(file: Option<&Path>) -> anyhow::Result<Self> {
        let coloured = file.is_none() && AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        Ok(Self { to: Place::of(file)?, strip: (!coloured).then(StripBytes::new) })
    }

    /// A document for programs, byte by byte, to the file that `-o` names, else to stdout.
    ///
    /// # Errors
    /// When the file cannot be begun.
    pub(crate) fn exact(file: Option<&Path>) -> anyhow::Result<Self> {
        Ok(Self { to: Place::of(file)?, strip: None })
    }

    /// Lets who reads along have what there is. A file has no such readers before its end.
    ///
    /// # Errors
    /// When the system refuses, or nobody reads any more.
    pub(crate) fn hand_on(&mut self) -> io::Result<()> {
        match &mut self.to {
            Place::Stdout(stdout) => stdout.flush(),
            Place::Device(device) => device.flush(),
            Place::File(..) => Ok(()),
        }
    }

    /// Brings everything to where it belongs. Results that are dropped before this leave no file.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        self.flush()?;
        if let Place::File(file, path) = self.to {
            file.commit().with_context(|| format!("cannot write the report: {}", path.display()))?;
        }
        Ok(())
    }
}

impl Place {
    fn of(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = file else { return Ok(Self::Stdout(BufWriter::new(io::stdout()))) };
        let begun = match path.metadata() {
            Ok(there) if !there.is_file() && !there.is_dir() => {
                File::options().write(true).open(path).map(|device| Self::Device(BufWriter::new(device)))
            }
            // The file behind a link, not the link, is replaced.
            _ => WholeFile::create(&path.canonicalize().unwrap_or_else(|_| path.to_owned()))
                .map(|file| Self::File(file, path.to_owned())),
        };
        begun.with_context(|| format!("cannot write the report: {}", path.display()))
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(stdout) => stdout,
            Self::File(file, _) => file,
            Self::Device(device) => device,
        }
    }
}

impl Write for Results {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let to = self.to.writer();
        let Some(strip) = &mut self.strip else { return to.write(bytes) };
        strip.strip_next(bytes).try_for_each(|plain| to.write_all(plain))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.writer().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_files_are_encoded() {
        assert_eq!(file_url(Path::new("/a b/ü#1.html")), "file:///a%20b/%C3%BC%231.html");
    }

    #[test]
    fn names_cannot_drive_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(clean("ü 🌲"), "ü 🌲");
        assert_eq!(clean("gpj.\u{202e}4pm"), "gpj.\\u{202e}4pm");
        assert_eq!(clean_lines("gone: a\x1b[2J\nerror: b"), "gone: a\\u{1b}[2J\n  error: b");
    }
}
