//! `pinpress-media`: started by `pinpress`, which speaks to it in JSON lines.

use std::io;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use pinpress_media::wire::{MEMORY_LIMIT_OPTION, NICE_OPTION, THREADS_OPTION};
use pinpress_worker::sandbox::Limits;
use pinpress_worker::serve::serve;

const HELP: &str = "pinpress-media reads, fixes and looks into videos for pinpress, which starts it.
There is nothing to do with it by hand: try `pinpress --help`.

It answers JSON lines on standard input with JSON lines on standard output.

Options:
  --memory-limit BYTES  address space of one request
  --threads N           threads of one request
  --nice N              priority lower by so much, 0 to 19
  --version             print the version
  --help                print this";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the binary speaks for itself where no front listens")]
            {
                eprintln!("pinpress-media: {error:#}");
            }
            ExitCode::from(2)
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut limits = Limits::default();
    let mut threads = 1;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return say(HELP),
            "--version" | "-V" => return say(concat!("pinpress-media ", env!("CARGO_PKG_VERSION"))),
            MEMORY_LIMIT_OPTION => {
                limits.memory_bytes = Some(number(&argument, arguments.next())?);
            }
            THREADS_OPTION => threads = number(&argument, arguments.next())?,
            NICE_OPTION => yield_to_others(number(&argument, arguments.next())?),
            other => bail!("no such option: {other}: it is started by pinpress, see --help"),
        }
    }
    // Before the first fork: every child has the libraries set up.
    pinpress_av::log::init();
    // Not `Stdout`: its lock and buffer are of no use with one thread and whole lines.
    let mut events = std::fs::File::from(rustix::stdio::stdout().try_clone_to_owned()?);
    serve(&mut io::stdin().lock(), &mut events, limits, threads).context("the front is gone")
}

/// Lowers the priority of this process and of the jobs that it will start. A system that refuses runs them as they are.
fn yield_to_others(by: u8) {
    let _ = rustix::process::nice(i32::from(by.min(19)));
}

fn number<T: std::str::FromStr>(option: &str, value: Option<String>) -> anyhow::Result<T> {
    value.and_then(|value| value.parse().ok()).with_context(|| format!("{option} needs a whole number"))
}

fn say(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    writeln!(io::stdout(), "{text}").context("cannot print")
}
