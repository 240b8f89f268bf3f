//! What the process may take, and when it ends with its parent.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Limits of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Address space in bytes; `None` leaves it as it is.
    pub memory_bytes: Option<u64>,
}

impl Limits {
    /// Sets them for the calling process, which cannot raise them again.
    pub(super) fn apply(self) -> Vec<String> {
        let mut walls = Vec::new();
        // A core dump would put a stranger's file, or what the decoder made of it, into the working folder.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
        if let Some(bytes) = self.memory_bytes {
            let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
            if setrlimit(Resource::As, limit).is_ok() {
                walls.push(format!("address space {} MiB", bytes >> 20));
            }
        }
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{Signal, set_parent_process_death_signal};
            if set_parent_process_death_signal(Some(Signal::KILL)).is_ok() {
                walls.push("dies with its parent".to_owned());
            }
        }
        walls
    }
}
