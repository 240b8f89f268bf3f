//! What already fits goes as it is: copied, cloned or given a second name.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use pinpress_av::Cancel;
use pinpress_media::{Failure, FailureKind, LinkMode};

use crate::failure;
use crate::rendition::Rendition;

/// Bytes between two looks at `cancel`, and two reports: a disk that is worth using takes far less than the watchdog's
/// half minute for them.
const PIECE: usize = 4 * 1024 * 1024;

/// Puts the bytes of `source` under a temp name beside `output`. `observe` gets the bytes that are copied.
///
/// # Errors
/// When the system refuses, the source is no longer as long as when it was checked, or `cancel` is set.
pub(crate) fn passthrough(
    source: &Path,
    len: u64,
    mode: LinkMode,
    output: &Path,
    cancel: &Cancel,
    observe: &mut dyn FnMut(u64),
) -> Result<Rendition, Failure> {
    let mut rendition = Rendition::named(output)?;
    rendition.passthrough = true;
    let linked = mode == LinkMode::Hard && std::fs::hard_link(source, rendition.path()).is_ok();
    if !linked {
        let refused = |error: io::Error| failure::from_io("cannot copy it to the output folder", &error);
        let from = File::open(source).map_err(refused)?;
        let to = rendition.create_file().and_then(File::try_clone).map_err(refused)?;
        if !(mode == LinkMode::Reflink && clones(&from, &to)) {
            rendition.write_back();
            if !copy(&from, &to, cancel, observe).map_err(refused)? {
                return Err(Failure::new(FailureKind::Cancelled, "stopped as asked".to_owned()));
            }
        }
    }
    rendition.written();
    let now = std::fs::metadata(rendition.path()).map_err(|error| failure::from_io("cannot read the copy", &error))?;
    if now.len() != len {
        let message = format!("it changed while it was worked on ({len} bytes, then {}): run it again", now.len());
        return Err(Failure::new(FailureKind::Io, message));
    }
    Ok(rendition)
}

/// Whether `to` now shares the blocks of `from`: Btrfs and XFS can.
fn clones(from: &File, to: &File) -> bool {
    #[cfg(target_os = "linux")]
    {
        rustix::fs::ioctl_ficlone(to, from).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (from, to);
        false
    }
}

/// Copies the bytes alone: a read-only source does not make a read-only output. `false` when `cancel` was set.
fn copy(mut from: &File, mut to: &File, cancel: &Cancel, observe: &mut dyn FnMut(u64)) -> io::Result<bool> {
    let (mut done, mut by_system) = (0, true);
    let mut buffer = Vec::new();
    loop {
        if cancel.is_cancelled() {
            return Ok(false);
        }
        let piece = if by_system { copy_by_system(from, to) } else { None };
        let copied = match piece {
            Some(copied) if copied > 0 => copied,
            // At the end; or a filesystem that claims to be, as those of `/proc` and some network mounts do.
            _ => {
                by_system = false;
                buffer.resize(PIECE, 0);
                let read = match from.read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read?,
                };
                to.write_all(&buffer[..read])?;
                read
            }
        };
        if copied == 0 {
            return Ok(true);
        }
        done += copied as u64;
        observe(done);
    }
}

/// Lets the system copy a piece, which a server or a filesystem that shares blocks does without moving any. Both files
/// go on behind it. `None` where it cannot.
#[cfg(target_os = "linux")]
fn copy_by_system(from: &File, to: &File) -> Option<usize> {
    rustix::io::retry_on_intr(|| rustix::fs::copy_file_range(from, None, to, None, PIECE)).ok()
}

#[cfg(not(target_os = "linux"))]
fn copy_by_system(_from: &File, _to: &File) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_tells_how_far_it_is_and_stops_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let (source, output) = (folder.path().join("a.mp4"), folder.path().join("out.mp4"));
        let bytes: Vec<u8> = (0..=250).cycle().take(3 * PIECE + 5).collect();
        std::fs::write(&source, &bytes).unwrap();
        for mode in [LinkMode::Copy, LinkMode::Reflink] {
            let mut told = Vec::new();
            let mut observe = |done| told.push(done);
            let len = bytes.len() as u64;
            let rendition = passthrough(&source, len, mode, &output, &Cancel::new(), &mut observe).unwrap();
            assert_eq!(std::fs::read(rendition.path()).unwrap(), bytes);
            if mode == LinkMode::Copy {
                assert!(told.len() >= 4 && told.is_sorted() && told.last() == Some(&len), "{told:?}");
            }
        }
        let cancel = Cancel::new();
        let mut pieces = 0;
        let mut stop = |_| {
            pieces += 1;
            cancel.cancel();
        };
        let stopped = passthrough(&source, bytes.len() as u64, LinkMode::Copy, &output, &cancel, &mut stop);
        assert_eq!(stopped.unwrap_err().kind, FailureKind::Cancelled);
        assert_eq!((pieces, std::fs::read_dir(folder.path()).unwrap().count()), (1, 1), "only the source is left");
    }
}
