//! One worker process: its pipes, the threads that serve them, its end.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use rustix::process::{Pid, Signal, kill_process_group};

use super::WorkersConfig;
use crate::signal::signal_name;
use crate::wire::{Event, Failure, FailureKind, MAX_LINE, MEMORY_LIMIT_OPTION, NICE_OPTION, THREADS_OPTION};

/// What a worker may know of the environment: enough to find its libraries and to speak of its own faults, and no
/// token of anybody.
const ENVIRONMENT: [&str; 8] =
    ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "RUST_BACKTRACE", "LLVM_PROFILE_FILE"];

/// How many lines of the worker's standard error are kept, and how many bytes of each.
const LOG_LINES: usize = 20;
const LOG_LINE_BYTES: u64 = 1024;

/// How long a killed group may take to let go of its files. It is gone within milliseconds unless a disk hangs.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// What came out of a worker.
#[derive(Debug)]
pub(super) enum Incoming {
    /// An event.
    Event(Event),
    /// A line that is none, shortened, and why.
    Garbage(String),
    /// Its standard output is closed.
    End,
}

/// A running worker. Dropping it kills it and all that it started.
#[derive(Debug)]
pub(super) struct WorkerProcess {
    child: Child,
    group: Option<Pid>,
    requests: Sender<Vec<u8>>,
    incoming: Receiver<Incoming>,
    log: Arc<Mutex<VecDeque<String>>>,
    silence: Receiver<()>,
    /// Requests that it was sent.
    served: u32,
}

impl WorkerProcess {
    /// Starts a worker in a process group of its own, so that it dies with its jobs and a terminal's Ctrl-C reaches
    /// the front alone.
    pub(super) fn start(config: &WorkersConfig) -> Result<Self, Failure> {
        let cannot = |error: &std::io::Error| {
            let program = config.program.display();
            Failure::new(FailureKind::Protocol, format!("could not start the media worker: {error}: {program}"))
        };
        let mut command = Command::new(&config.program);
        command.arg(MEMORY_LIMIT_OPTION).arg(config.memory_limit_bytes.to_string());
        command.arg(THREADS_OPTION).arg(config.threads.max(1).to_string());
        command.arg(NICE_OPTION).arg(config.nice.to_string());
        command.env_clear().envs(ENVIRONMENT.iter().filter_map(|&name| Some((name, std::env::var_os(name)?))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| cannot(&error))?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());

        let (requests, to_write) = unbounded::<Vec<u8>>();
        // Bounded: a worker that talks faster than it is heard waits.
        let (heard, incoming) = bounded(64);
        let (ended, silence) = bounded(1);
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let mut worker = Self { child, group, requests, incoming, log: Arc::clone(&log), silence, served: 0 };
        let threads = [
            spawn("media-requests", move || write_requests(stdin, &to_write)),
            spawn("media-events", move || {
                if let Some(stdout) = stdout {
                    read_events(stdout, &heard);
                }
            }),
            spawn("media-log", move || {
                if let Some(stderr) = stderr {
                    keep_log(stderr, &log);
                }
                // Nobody listens when the worker was dropped: that is all right.
                let _ = ended.send(());
            }),
        ];
        if let Some(error) = threads.into_iter().find_map(Result::err) {
            worker.kill();
            return Err(cannot(&error));
        }
        Ok(worker)
    }

    /// Whether it still runs and has said nothing unasked.
    pub(super) fn is_fit(&mut self) -> bool {
        self.incoming.is_empty() && matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends one line. That it was heard shows in the answer alone.
    pub(super) fn send(&mut self, line: Vec<u8>) {
        self.served = self.served.saturating_add(1);
        // Fails only when the writer saw a closed pipe: then the end is already on its way in `incoming`.
        let _ = self.requests.send(line);
    }

    /// How many requests it was sent.
    pub(super) const fn served(&self) -> u32 {
        self.served
    }

    /// Waits for what the worker says next, at most `timeout`.
    pub(super) fn hear(&self, timeout: Duration) -> Option<Incoming> {
        match self.incoming.recv_timeout(timeout) {
            Ok(incoming) => Some(incoming),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Incoming::End),
        }
    }

    /// Kills the worker and its jobs and waits until none holds a file any more. Answers how the worker itself had
    /// ended.
    pub(super) fn kill(&mut self) -> Option<ExitStatus> {
        // Before `wait`: until then the number cannot belong to another group.
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let status = self.child.wait().ok();
        // Each of the group holds the other end of standard error: it falls silent when the last one is dead.
        let _ = self.silence.recv_timeout(LAST_BREATH);
        status
    }

    /// The last lines of its standard error.
    pub(super) fn last_words(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        if self.group.is_some() {
            self.kill();
        }
    }
}

/// How a process ended, for a person: `died by SIGSEGV`, `ended with exit code 3`.
pub(super) fn describe(status: Option<ExitStatus>) -> String {
    match status.map(|status| (status.signal(), status.code())) {
        Some((Some(signal), _)) => format!("died by {}", signal_name(signal)),
        Some((None, Some(code))) => format!("ended with exit code {code}"),
        _ => "ended".to_owned(),
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// A thread of its own, so that a worker that does not read cannot hold up the one who asks.
fn write_requests(stdin: Option<ChildStdin>, requests: &Receiver<Vec<u8>>) {
    let Some(mut stdin) = stdin else { return };
    for line in requests {
        if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

fn read_events(stdout: impl Read, heard: &Sender<Incoming>) {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        let incoming = match stdout.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => Incoming::End,
            Ok(_) if !line.ends_with(b"\n") && line.len() as u64 == MAX_LINE => {
                Incoming::Garbage(format!("a line of more than {MAX_LINE} bytes"))
            }
            Ok(_) if line.trim_ascii().is_empty() => continue,
            Ok(_) => match serde_json::from_slice(&line) {
                Ok(event) => Incoming::Event(event),
                Err(error) => Incoming::Garbage(format!("{error} in {:?}", shortened(&line))),
            },
        };
        let last = !matches!(incoming, Incoming::Event(_));
        if heard.send(incoming).is_err() || last {
            return;
        }
    }
}

fn shortened(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end().chars().take(80).collect()
}

fn keep_log(stderr: impl Read, log: &Mutex<VecDeque<String>>) {
    let mut stderr = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match stderr.by_ref().take(LOG_LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() == LOG_LINES {
            log.pop_front();
        }
        log.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
    }
}
