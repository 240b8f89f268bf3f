//! Room on the disk: work waits rather than fill it.

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often who waits looks again.
const LOOK: Duration = Duration::from_millis(200);

/// Tells how much room there is.
pub trait Disk: Debug + Send + Sync {
    /// Bytes that this user may still write below `folder`, which is there.
    ///
    /// # Errors
    /// When the system does not tell.
    fn free(&self, folder: &Path) -> io::Result<u64>;

    /// Bytes of the whole disk.
    ///
    /// # Errors
    /// When the system does not tell.
    fn size(&self, folder: &Path) -> io::Result<u64>;
}

/// The system's disks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDisk;

impl Disk for SystemDisk {
    fn free(&self, folder: &Path) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(folder)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn size(&self, folder: &Path) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(folder)?;
        Ok(disk.f_blocks.saturating_mul(disk.f_frsize))
    }
}

/// How much is left free, and how long a run waits for it.
#[derive(Debug, Clone)]
pub struct KeepFree {
    /// Asked for the room that is left.
    pub disk: Arc<dyn Disk>,
    /// Bytes that stay free, for the ledger, the log, and everybody else on that disk, but never more than a tenth of
    /// it. With 0 nobody waits.
    pub reserve: u64,
    /// How long a video waits while nothing else is written, before it is left for the next run.
    pub patience: Duration,
}

impl Default for KeepFree {
    fn default() -> Self {
        Self { disk: Arc::new(SystemDisk), reserve: 512 << 20, patience: Duration::from_secs(300) }
    }
}

/// There was no room in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the disk is nearly full: {} MB free, and it takes {} MB with those that are kept free: make room, then run again",
    free / 1_000_000,
    wanted / 1_000_000
)]
pub struct Shortage {
    /// Bytes that are free.
    pub free: u64,
    /// Bytes that should be.
    pub wanted: u64,
}

/// The room that the videos of one run take while they are written.
#[derive(Debug)]
pub struct Room {
    keep: KeepFree,
    taken: Mutex<Taken>,
    given_back: Condvar,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: u64,
    holders: usize,
}

/// Room for one video, until it is dropped.
#[derive(Debug)]
pub struct Place<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Room {
    /// Nobody writes yet.
    #[must_use]
    pub fn new(keep: KeepFree) -> Self {
        Self { keep, taken: Mutex::default(), given_back: Condvar::new() }
    }

    /// Waits for room for `bytes` below `folder`; `None` when `stop` says so. `short` is told once that it waits.
    ///
    /// # Errors
    /// When nobody else writes and nobody made room for as long as a run waits.
    pub fn wait_for(
        &self,
        folder: &Path,
        bytes: u64,
        stop: impl Fn() -> bool,
        short: impl FnOnce(&Shortage),
    ) -> Result<Option<Place<'_>>, Shortage> {
        if self.keep.reserve == 0 {
            return Ok(Some(self.take(bytes, &mut self.taken.lock().unwrap_or_else(PoisonError::into_inner))));
        }
        let reserve = self.keep.disk.size(folder).map_or(self.keep.reserve, |size| self.keep.reserve.min(size / 10));
        let mut short = Some(short);
        let mut alone_since: Option<Instant> = None;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            // What others have written already is counted twice, as free no more and as theirs: on the safe side.
            let wanted = reserve.saturating_add(bytes).saturating_add(taken.bytes);
            // Where the system does not tell, writing will.
            let free = self.keep.disk.free(folder).unwrap_or(u64::MAX);
            if free >= wanted {
                return Ok(Some(self.take(bytes, &mut taken)));
            }
            if stop() {
                return Ok(None);
            }
            let shortage = Shortage { free, wanted };
            alone_since = (taken.holders == 0).then(|| alone_since.unwrap_or_else(Instant::now));
            if alone_since.is_some_and(|since| since.elapsed() >= self.keep.patience) {
                return Err(shortage);
            }
            if let Some(short) = short.take() {
                short(&shortage);
            }
            taken = self.given_back.wait_timeout(taken, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn take(&self, bytes: u64, taken: &mut Taken) -> Place<'_> {
        taken.bytes += bytes;
        taken.holders += 1;
        Place { room: self, bytes }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = self.room.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.bytes -= self.bytes;
        taken.holders -= 1;
        drop(taken);
        self.room.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Debug, Default)]
    struct Scripted(AtomicU64);

    impl Disk for Scripted {
        fn free(&self, _: &Path) -> io::Result<u64> {
            Ok(self.0.load(Ordering::SeqCst))
        }

        fn size(&self, _: &Path) -> io::Result<u64> {
            Ok(1_000)
        }
    }

    fn room(free: u64, patience: Duration) -> (Arc<Scripted>, Room) {
        let disk = Arc::new(Scripted(AtomicU64::new(free)));
        (Arc::clone(&disk), Room::new(KeepFree { disk, reserve: 100, patience }))
    }

    #[test]
    fn the_reserve_is_kept_and_what_others_will_write_is_too() {
        let (_, room) = room(1_000, Duration::ZERO);
        let ask = |bytes| room.wait_for(Path::new("."), bytes, || true, |_| ());
        let first = ask(600).unwrap().unwrap();
        assert!(ask(301).unwrap().is_none(), "600 are taken, 100 reserved");
        let second = ask(300).unwrap();
        assert!(second.is_some());
        drop((first, second));
        assert!(ask(900).unwrap().is_some());
        let never = || false;
        let shortage = room.wait_for(Path::new("."), 901, never, |_| ()).unwrap_err();
        assert_eq!(shortage, Shortage { free: 1_000, wanted: 1_001 });
        let disk = Arc::new(Scripted::default());
        let room = Room::new(KeepFree { disk, reserve: 0, patience: Duration::MAX });
        assert!(room.wait_for(Path::new("."), 901, never, |_| ()).unwrap().is_some(), "nobody watches");
    }

    #[test]
    fn a_small_disk_keeps_a_tenth_free() {
        let keep =
            |reserve| KeepFree { disk: Arc::new(Scripted(AtomicU64::new(150))), reserve, patience: Duration::ZERO };
        let fits = |reserve, bytes| Room::new(keep(reserve)).wait_for(Path::new("."), bytes, || false, |_| ()).is_ok();
        assert!(fits(1 << 30, 50) && !fits(1 << 30, 51) && fits(20, 130));
    }

    #[test]
    fn a_video_that_waits_goes_on_once_there_is_room() {
        let (disk, room) = room(0, Duration::from_secs(600));
        let told = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let tell = |_: &Shortage| {
                    told.fetch_add(1, Ordering::SeqCst);
                    disk.0.store(1_000, Ordering::SeqCst);
                };
                room.wait_for(Path::new("."), 500, || false, tell).unwrap().is_some()
            });
            assert!(waits.join().unwrap());
        });
        assert_eq!(told.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn the_system_tells() {
        let dir = tempfile::tempdir().unwrap();
        assert!(SystemDisk.free(dir.path()).unwrap() > 0);
        assert!(SystemDisk.free(&dir.path().join("gone")).is_err());
    }
}
