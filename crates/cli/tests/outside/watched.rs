//! Runs that go on, and can be asked meanwhile.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use pinpress_rehearsal::Rehearsal;

use crate::ground::{folder, ran};

/// A run that takes longer hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// One that fits, two whose picture has to be encoded, and one that is no video.
pub(crate) const RAW: [(&str, &str); 4] = [
    ("conforming-9x16.mp4", "raw/ready.mp4"),
    ("film-24fps.mp4", "raw/film.mp4"),
    ("upright-16x9.mp4", "raw/wide.mp4"),
    ("not-a-video.mp4", "raw/broken.mp4"),
];

/// A folder of raw videos; `None` where there is no ffmpeg or no worker, which it says.
pub(crate) fn raw(fixtures: &[(&str, &str)]) -> Option<tempfile::TempDir> {
    let dir = folder(fixtures)?;
    let doctor = ran(dir.path(), &["doctor"]);
    if doctor.code != 0 {
        println!("skipped: build the worker with `cargo build -p pinpress-worker`\n{}", doctor.stdout);
        return None;
    }
    Some(dir)
}

/// The program as in a shell, with nothing of the surroundings, for `pinterest`.
pub(crate) fn command(dir: &Path, pinterest: &Rehearsal) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinpress"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_ours = text.starts_with("PINPRESS_") && text != "PINPRESS_MEDIA";
        if is_ours || text.starts_with("OTEL_") || text.to_ascii_lowercase().ends_with("_proxy") {
            command.env_remove(&name);
        }
    }
    command.env("PINPRESS_ACCESS_TOKEN", pinterest.token()).env("PINPRESS_API", pinterest.api_base());
    command.env("PINPRESS_SETTLE", "0").env("XDG_CONFIG_HOME", "/nowhere").env("NO_COLOR", "1");
    command.current_dir(dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A run, killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (say, lines) = channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| say.send(line)));
        Self { child, lines, said: String::new() }
    }

    /// The first line of stderr that `wanted` knows something of.
    pub(crate) fn hear<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            let left = LIMIT.saturating_sub(begun.elapsed());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| unreachable!("never said:\n{}", self.said));
            self.said += &line;
            self.said.push('\n');
            if let Some(found) = wanted(&line) {
                return found;
            }
        }
    }

    /// Where it serves, once it has said so.
    pub(crate) fn address(&mut self) -> String {
        self.hear(|line| Some(line.strip_prefix("metrics: http://")?.strip_suffix("/metrics")?.to_owned()))
    }

    /// Asks it to end, and answers with its code and all of its stderr.
    pub(crate) fn interrupt(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        self.said.extend(self.lines.iter().map(|line| line + "\n"));
        (code, std::mem::take(&mut self.said))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Head and body of what `GET path` answers; `None` when nobody listens.
pub(crate) fn get(address: &str, path: &str, accept: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\naccept: {accept}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}
