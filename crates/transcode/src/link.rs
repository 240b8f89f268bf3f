//! What already fits goes as it is: copied, cloned or given a second name.

use std::fs::File;
use std::io;
use std::path::Path;

use pinpress_media::{Failure, FailureKind, LinkMode};

use crate::failure;
use crate::rendition::Rendition;

/// Puts the bytes of `source` under a temp name beside `output`.
///
/// # Errors
/// When the system refuses, or the source is no longer as long as when it was checked.
pub(crate) fn passthrough(source: &Path, len: u64, mode: LinkMode, output: &Path) -> Result<Rendition, Failure> {
    let mut rendition = Rendition::named(output)?;
    rendition.passthrough = true;
    let linked = mode == LinkMode::Hard && std::fs::hard_link(source, rendition.path()).is_ok();
    if !linked {
        let copied = if mode == LinkMode::Reflink {
            clone_or_copy(source, rendition.path())
        } else {
            copy(source, rendition.path())
        };
        copied.map_err(|error| failure::from_io("cannot copy it to the output folder", &error))?;
    }
    let now = std::fs::metadata(rendition.path()).map_err(|error| failure::from_io("cannot read the copy", &error))?;
    if now.len() != len {
        let message = format!("it changed while it was worked on ({len} bytes, then {}): run it again", now.len());
        return Err(Failure::new(FailureKind::Io, message));
    }
    Ok(rendition)
}

/// The bytes alone: a read-only source does not make a read-only output.
fn copy(source: &Path, to: &Path) -> io::Result<()> {
    let mut from = File::open(source)?;
    let mut to = File::options().write(true).create_new(true).open(to)?;
    io::copy(&mut from, &mut to).map(drop)
}

/// Shares the blocks where the filesystem can (Btrfs, XFS, APFS through the copy), else copies them.
fn clone_or_copy(source: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let from = File::open(source)?;
        let into = File::options().write(true).create_new(true).open(to)?;
        if rustix::fs::ioctl_ficlone(&into, &from).is_ok() {
            return Ok(());
        }
        drop(into);
        std::fs::remove_file(to)?;
    }
    copy(source, to)
}
