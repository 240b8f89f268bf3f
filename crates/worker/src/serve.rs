//! The loop of the parent: a line in, a child, its lines out.

use std::io::{self, BufRead, Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;

use pinpress_media::wire::MAX_LINE;
use pinpress_media::{Event, Failure, FailureKind, Outcome, Request, signal_name};
use rustix::event::{PollFd, PollFlags, poll};

use crate::events::Events;
use crate::job;
use crate::outputs::Outputs;
use crate::sandbox::{self, Child, Ended, Grants, Limits};

/// Answers the requests that come from `requests` until they end, each within `limits` and, where it does not say
/// otherwise, with `threads`.
///
/// # Errors
/// When a request cannot be read, or nobody hears the events any more.
pub fn serve(
    requests: &mut impl BufRead,
    events: &mut (impl Write + AsFd),
    limits: Limits,
    threads: usize,
) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = requests.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(());
        }
        if length as u64 == MAX_LINE && !line.ends_with(b"\n") {
            return Err(io::Error::other(format!("a request of more than {MAX_LINE} bytes")));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let outcome = match serde_json::from_slice::<Request>(&line) {
            Ok(request) => in_child(request, limits, threads, events)?,
            Err(error) => failed(FailureKind::Protocol, format!("not a request: {error}")),
        };
        send(events, &Event::Done { outcome })?;
    }
}

/// Runs `request` in a child that writes aside, passes its events on, and answers its outcome when the child is gone
/// and what it has made is where it was asked for.
fn in_child(
    mut request: Request,
    limits: Limits,
    threads: usize,
    events: &mut (impl Write + AsFd),
) -> io::Result<Outcome> {
    // Before the child, so that it goes after it.
    let outputs = match Outputs::aside(&mut request) {
        Ok(outputs) => outputs,
        Err(failure) => return Ok(Outcome::Failure(failure)),
    };
    let grants = Grants::of(&request, job::may_link(&request));
    let forked = sandbox::fork(|pipe| {
        let walls = sandbox::confine(limits, &grants);
        job::run(&request, walls, threads, &Arc::new(Events::new(pipe)));
    });
    let mut child = match forked {
        Ok(child) => child,
        Err(error) => return Ok(failed(FailureKind::Io, format!("no process for the job: {error}"))),
    };
    let said = relay(&mut child, events)?;
    // It has nothing more to say, so it has nothing more to do.
    child.kill();
    let ended = child.wait()?;
    Ok(match said {
        Said::Done(Outcome::Reply(reply)) => match outputs.publish(*reply) {
            Ok(reply) => Outcome::Reply(Box::new(reply)),
            Err(failure) => Outcome::Failure(failure),
        },
        Said::Done(failed) => failed,
        Said::Nonsense(what) => {
            failed(FailureKind::Protocol, format!("the job said something that is no event: {what}"))
        }
        Said::Nothing => failed(FailureKind::Crashed, crash(ended, limits)),
    })
}

/// The last word of a child.
enum Said {
    Done(Outcome),
    Nonsense(String),
    /// It ended without one.
    Nothing,
}

/// Passes a child's events on until its outcome or its end.
fn relay(child: &mut Child, events: &mut (impl Write + AsFd)) -> io::Result<Said> {
    let mut pending = Vec::new();
    let mut chunk = [0; 16 << 10];
    loop {
        wait_for_either(child, events)?;
        let length = child.output.read(&mut chunk)?;
        if length == 0 {
            return Ok(Said::Nothing);
        }
        pending.extend_from_slice(&chunk[..length]);
        while let Some(end) = pending.iter().position(|&byte| byte == b'\n') {
            match serde_json::from_slice(&pending[..end]) {
                Ok(Event::Done { outcome }) => return Ok(Said::Done(outcome)),
                Ok(event) => send(events, &event)?,
                Err(error) => return Ok(Said::Nonsense(error.to_string())),
            }
            pending.drain(..=end);
        }
        if pending.len() as u64 > MAX_LINE {
            return Ok(Said::Nonsense(format!("a line of more than {MAX_LINE} bytes")));
        }
    }
}

/// Waits until the child has said something. Fails when the front has closed its end of `events`: a job that nobody
/// waits for is stopped.
fn wait_for_either(child: &Child, events: &impl AsFd) -> io::Result<()> {
    let mut ends =
        [PollFd::new(&child.output, PollFlags::IN), PollFd::from_borrowed_fd(events.as_fd(), PollFlags::empty())];
    rustix::io::retry_on_intr(|| poll(&mut ends, None))?;
    if ends[1].revents().intersects(PollFlags::ERR | PollFlags::HUP) && ends[0].revents().is_empty() {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(())
}

fn send(events: &mut impl Write, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    events.write_all(&line)?;
    events.flush()
}

fn failed(kind: FailureKind, message: String) -> Outcome {
    Outcome::Failure(Failure::new(kind, message))
}

/// What the end of a child without an outcome means.
fn crash(ended: Ended, limits: Limits) -> String {
    let memory = limits.memory_bytes.map(|bytes| format!("its memory limit of {} MiB", bytes >> 20));
    match (ended, memory) {
        // Rust aborts when an allocation fails, and so does what C++ there is in the codecs.
        (Ended::Signal(6), Some(memory)) => {
            format!("the decoder gave up (SIGABRT), most likely at {memory}: the file asks for more than a video needs")
        }
        // Nothing inside sends it.
        (Ended::Signal(9), _) => {
            "the job was killed from outside (SIGKILL), as the system does where memory is short: \
                                  run it again, with fewer --jobs"
                .to_owned()
        }
        (Ended::Signal(signal), _) => {
            format!("the decoder died by {}: the file is broken or made to break it", signal_name(signal))
        }
        (Ended::Exit(code), _) => format!("the job ended without an answer (exit code {code})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_names_its_signal_and_an_abort_the_limit() {
        let limits = Limits { memory_bytes: Some(512 << 20) };
        assert!(crash(Ended::Signal(11), limits).contains("SIGSEGV"));
        assert!(crash(Ended::Signal(6), limits).contains("512 MiB"));
        assert!(crash(Ended::Signal(6), Limits::default()).contains("SIGABRT"));
    }
}
