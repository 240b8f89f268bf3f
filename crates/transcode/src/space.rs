//! Whether the disk has room, before hours go into filling it.

use std::path::Path;

use pinpress_media::final_name::folder_of;
use pinpress_media::{Failure, FailureKind};

/// Bytes that stay free besides.
const RESERVE: u64 = 16 * 1024 * 1024;

/// Fails when the filesystem of `output` has no room for so many bytes. Where the system does not tell, it passes.
///
/// # Errors
/// `Io`, with how much is missing.
pub fn check(output: &Path, bytes: u64) -> Result<(), Failure> {
    let Ok(disk) = rustix::fs::statvfs(folder_of(output)) else { return Ok(()) };
    room(disk.f_bavail.saturating_mul(disk.f_frsize), bytes)
}

fn room(free: u64, bytes: u64) -> Result<(), Failure> {
    let needed = bytes.saturating_add(RESERVE);
    if free >= needed {
        return Ok(());
    }
    let (missing, needed) = ((needed - free) / 1_000_000 + 1, needed / 1_000_000 + 1);
    Err(Failure::new(
        FailureKind::Io,
        format!("the output folder's disk is too full: about {needed} MB needed, {missing} MB missing: make room"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_before_work_begins() {
        assert!(room(RESERVE + 10, 10).is_ok());
        let failure = room(RESERVE + 9, 10).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Io);
        assert!(failure.message.contains("1 MB missing"), "{failure}");
    }
}
