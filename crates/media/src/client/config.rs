//! How workers are started and limited.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::wire::{Failure, FailureKind};

/// The name of the worker's program.
const PROGRAM: &str = "pinpress-media";

/// Names the worker's program where it is not beside the front.
pub const PROGRAM_VARIABLE: &str = "PINPRESS_MEDIA";

/// How workers are started, limited and watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkersConfig {
    /// The program.
    pub program: PathBuf,
    /// How many may run at once; at least 1. One serves one request at a time.
    pub max_workers: usize,
    /// Address space that one request may take, in bytes. Libraries, stacks and allocator arenas count, so less
    /// than 1 GiB starves an encode.
    pub memory_limit_bytes: u64,
    /// Threads that one request may use, at least 1; a fix goes by its own [`crate::FixOptions::threads`]. Times
    /// `max_workers` this should stay within twice the cores.
    pub threads: usize,
    /// How much lower than the front's the priority of workers is, 0 (the same) to 19: encodes then give way to what
    /// else people do on the machine.
    pub nice: u8,
    /// Requests after which a worker is replaced by a fresh one.
    pub requests_per_worker: NonZeroU32,
    /// Memory that all requests together may take by estimate, in bytes: more of them wait, though one always goes
    /// on. `None` takes what is free when the first worker is started.
    pub memory_budget_bytes: Option<u64>,
    /// How long a request may go without progress before its worker is killed.
    pub stall: Duration,
    /// How long a request may take, whatever progress it makes, before its worker is killed: this, and 100 s for
    /// each second that its media plays, and 1 s for each MiB of its source.
    pub wall: Duration,
}

impl WorkersConfig {
    /// 4 GiB: an x264 encode of 4K with its look-ahead stays under half of it, and a file that asks for more is
    /// refused before the machine swaps.
    pub const DEFAULT_MEMORY_LIMIT: u64 = 4 << 30;

    /// 5: a third of what others get on a busy core, and all of a free one. With 10 and more, which batch work is often
    /// given, a 4K encode on a machine with much else to do gets on so slowly that it looks like one that hangs.
    pub const DEFAULT_NICE: u8 = 5;

    /// 1,000. Each request runs in a process of its own, so that a worker hardly grows: 8 KiB over 3,000 probes, of 38
    /// MiB. A fresh one takes 50 ms, a thousand requests at least 16 s: it costs nothing to be safe from slower leaks.
    pub const DEFAULT_REQUESTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

    /// 30 s: libav reports packets several times a second, also in the slowest preset.
    pub const DEFAULT_STALL: Duration = Duration::from_secs(30);

    /// 10 min: short files that take longer are made to.
    pub const DEFAULT_WALL: Duration = Duration::from_secs(600);

    /// The defaults, with one worker for each core and two threads for each worker.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self {
            program,
            max_workers: std::thread::available_parallelism().map_or(1, usize::from),
            threads: 2,
            memory_limit_bytes: Self::DEFAULT_MEMORY_LIMIT,
            nice: Self::DEFAULT_NICE,
            requests_per_worker: Self::DEFAULT_REQUESTS,
            memory_budget_bytes: None,
            stall: Self::DEFAULT_STALL,
            wall: Self::DEFAULT_WALL,
        }
    }

    /// Finds the worker: the file that `PINPRESS_MEDIA` names, else `pinpress-media` beside this program or one
    /// folder up (where Cargo's test programs have it).
    ///
    /// # Errors
    /// [`FailureKind::Protocol`], naming every place that was looked at, when it is in none.
    pub fn discover() -> Result<Self, Failure> {
        let program = std::env::current_exe().ok();
        find(std::env::var_os(PROGRAM_VARIABLE), program.as_deref()).map(Self::new)
    }
}

fn find(named: Option<OsString>, front: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        return if named.is_file() {
            Ok(named)
        } else {
            Err(missing(&format!("{PROGRAM_VARIABLE} names a file that is not there: {}", named.display())))
        };
    }
    let file = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let folders = front.into_iter().flat_map(Path::ancestors).skip(1).take(2);
    let places: Vec<PathBuf> = folders.map(|folder| folder.join(&file)).collect();
    places.iter().find(|place| place.is_file()).cloned().ok_or_else(|| {
        let looked: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        missing(&format!(
            "the media worker {PROGRAM} is missing: install it beside pinpress or name it in {PROGRAM_VARIABLE}; \
             looked for {}",
            looked.join(", ")
        ))
    })
}

fn missing(message: &str) -> Failure {
    Failure::new(FailureKind::Protocol, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_is_found_beside_the_front_or_one_folder_up() {
        let folder = tempfile::tempdir().unwrap();
        let deps = folder.path().join("deps");
        std::fs::create_dir(&deps).unwrap();
        let up = folder.path().join("pinpress-media");
        std::fs::write(&up, "").unwrap();
        assert_eq!(find(None, Some(&folder.path().join("pinpress"))).unwrap(), up);
        assert_eq!(find(None, Some(&deps.join("test-1a2b"))).unwrap(), up);
        let beside = deps.join("pinpress-media");
        std::fs::write(&beside, "").unwrap();
        assert_eq!(find(None, Some(&deps.join("test-1a2b"))).unwrap(), beside);
    }

    #[test]
    fn a_missing_worker_names_the_places() {
        let folder = tempfile::tempdir().unwrap();
        let failure = find(None, Some(&folder.path().join("bin/pinpress"))).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Protocol);
        for place in ["bin/pinpress-media", "pinpress-media"] {
            let place = folder.path().join(place).display().to_string();
            assert!(failure.message.contains(&place), "{place} is not in: {}", failure.message);
        }
        assert!(failure.message.contains("PINPRESS_MEDIA"), "{}", failure.message);
    }

    #[test]
    fn the_variable_wins_and_must_name_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let worker = folder.path().join("w");
        std::fs::write(&worker, "").unwrap();
        std::fs::write(folder.path().join("pinpress-media"), "").unwrap();
        let front = folder.path().join("pinpress");
        assert_eq!(find(Some(worker.clone().into()), Some(&front)).unwrap(), worker);
        let failure = find(Some(folder.path().join("gone").into()), Some(&front)).unwrap_err();
        assert!(failure.message.contains("gone"), "{}", failure.message);
    }
}
