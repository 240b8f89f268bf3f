//! One child process for one piece of work.

use std::io::{self, PipeReader, PipeWriter, pipe};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr};

/// A child at work. Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    pid: Option<Pid>,
    /// What the child writes; at its end when the child has ended.
    pub output: PipeReader,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It left by itself, with this code; 101 after a panic.
    Exit(i32),
    /// A signal ended it.
    Signal(i32),
}

/// Forks. The child runs `work` with a pipe to the parent and ends; it never returns from here. Its standard input is
/// empty, and what it prints goes to standard error: the parent's standard output carries the protocol.
///
/// # Errors
/// When the calling process has more than one thread, or the system gives no pipe or process.
pub fn fork(work: impl FnOnce(PipeWriter)) -> io::Result<Child> {
    if threads()? > 1 {
        return Err(io::Error::other("the worker has threads, so it cannot fork"));
    }
    let (output, input) = pipe()?;
    let parent = rustix::process::getpid();
    // SAFETY: this process has one thread (counted above), so that no lock of the C library, of libav or of Rust is
    // held by a thread that the child lacks; the child may do whatever a process may.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            drop(output);
            let code = catch_unwind(AssertUnwindSafe(|| {
                if detach().is_ok() {
                    die_with(parent);
                    work(input);
                }
            }))
            .map_or(101, |()| 0);
            // SAFETY: `_exit` ends the process at once. It runs no destructor or `atexit` of the C libraries: those
            // belong to the parent, and all that counts has been written to a descriptor.
            unsafe { libc::_exit(code) }
        }
        pid => Ok(Child { pid: Pid::from_raw(pid), output }),
    }
}

/// The threads of this process.
fn threads() -> io::Result<usize> {
    if cfg!(target_os = "linux") { Ok(std::fs::read_dir("/proc/self/task")?.count()) } else { Ok(1) }
}

/// Turns standard input and output away from the protocol.
fn detach() -> io::Result<()> {
    dup2_stdin(std::fs::File::open("/dev/null")?)?;
    dup2_stdout(stderr())?;
    Ok(())
}

/// Ends now when the parent is already gone: then the signal of its death has passed.
fn die_with(parent: Pid) {
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
        if rustix::process::getppid() != Some(parent) {
            // SAFETY: as at the end of `fork`.
            unsafe { libc::_exit(0) }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = parent;
}

impl Child {
    /// Kills it, if it still runs.
    pub fn kill(&self) {
        if let Some(pid) = self.pid {
            // The number is the child's own until `wait` has taken it away.
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When the system has lost it.
    pub fn wait(&mut self) -> io::Result<Ended> {
        let lost = || io::Error::other("the system has lost a child process");
        let pid = self.pid.take().ok_or_else(lost)?;
        let (_, status) = rustix::io::retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()))?.ok_or_else(lost)?;
        match (status.terminating_signal(), status.exit_status()) {
            (Some(signal), _) => Ok(Ended::Signal(signal)),
            (None, Some(code)) => Ok(Ended::Exit(code)),
            (None, None) => Err(lost()),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.pid.is_some() {
            self.kill();
            let _ = self.wait();
        }
    }
}
