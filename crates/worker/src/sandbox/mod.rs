//! A process of its own for every file, and the walls around it.
//!
//! The parent has the libraries loaded and stays single-threaded, so that a fork is cheap and sound. The child puts
//! up walls that it cannot take down (memory, files, network, other programs) before it opens the file.
#![expect(unsafe_code, reason = "fork and _exit; each block says why it is sound")]

mod files;
mod fork;
mod limits;
mod syscalls;

pub use files::Grants;
pub use fork::{Child, Ended, fork};
pub use limits::Limits;

/// Puts up every wall that this system has around the calling process, for good. Answers what stands now, for
/// [`pinpress_media::About`]; what a kernel cannot do is left out of the list and stops nothing.
#[must_use]
pub fn confine(limits: Limits, grants: &Grants) -> Vec<String> {
    let mut walls = limits.apply();
    walls.extend(files::apply(grants));
    walls.extend(syscalls::apply());
    walls
}
