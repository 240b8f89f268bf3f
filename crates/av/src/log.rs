//! libav's log, kept instead of printed.

use std::collections::VecDeque;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Mutex, Once, OnceLock, PoisonError};

use ffmpeg_next::ffi;

use crate::witness;

/// How many lines are kept.
const LINES: usize = 50;

/// Bytes of one line; libav cuts longer ones.
const LINE_BYTES: usize = 1024;

static RING: Mutex<Ring> = Mutex::new(Ring { lines: VecDeque::new(), open: String::new() });
static INIT: Once = Once::new();
static HEARER: OnceLock<Hearer> = OnceLock::new();

/// Hears each line as it is ended.
type Hearer = Box<dyn Fn(&str) + Send + Sync>;

struct Ring {
    lines: VecDeque<String>,
    /// A line that libav has not ended yet.
    open: String,
}

// `va_list` as a parameter: an array type decays to a pointer on x86-64 System V, elsewhere it is passed as it is.
#[cfg(all(target_arch = "x86_64", unix))]
type VaList = *mut ffi::__va_list_tag;
#[cfg(not(all(target_arch = "x86_64", unix)))]
type VaList = ffi::va_list;

/// Sets libav up, once a process: its log goes to a ring of the last 50 lines at level warning and above, and
/// nothing to stderr. Every way into this crate calls it.
pub fn init() {
    INIT.call_once(|| {
        if let Err(error) = ffmpeg_next::init() {
            tracing::warn!(%error, "libav could not be initialised");
        }
        ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Warning);
        // SAFETY: `keep` has the signature that av_log asks for, lives as long as the process, and locks what it
        // shares, as decoder threads call it at any time.
        unsafe { ffi::av_log_set_callback(Some(keep)) };
    });
}

/// The last lines that libav logged in this process, oldest first, at most 50; the ring is empty afterwards.
#[must_use]
pub fn take_log() -> Vec<String> {
    let mut ring = RING.lock().unwrap_or_else(PoisonError::into_inner);
    ring.open.clear();
    ring.lines.drain(..).collect()
}

/// Has every line told to `hear` as soon as libav has ended it, so that what it said last is known of a process that
/// dies. Called from decoder threads. The first caller in a process is heard, and nobody after it.
pub fn tell(hear: impl Fn(&str) + Send + Sync + 'static) {
    // Whoever came first has it.
    let _ = HEARER.set(Box::new(hear));
}

unsafe extern "C" fn keep(context: *mut c_void, level: c_int, format: *const c_char, arguments: VaList) {
    if level > ffi::AV_LOG_WARNING {
        return;
    }
    if level <= ffi::AV_LOG_ERROR {
        // SAFETY: the context is av_log's own.
        unsafe { witness::hear(context) };
    }
    let mut buffer: [c_char; LINE_BYTES] = [0; LINE_BYTES];
    let mut prefix = 1;
    // SAFETY: context, format and arguments come from av_log, which demands their validity of its callers; the
    // buffer is as long as is said, and libav ends what it writes with a NUL.
    let text = unsafe {
        let size = c_int::try_from(LINE_BYTES).unwrap_or(0);
        ffi::av_log_format_line2(context, level, format, arguments, buffer.as_mut_ptr(), size, &raw mut prefix);
        CStr::from_ptr(buffer.as_ptr()).to_string_lossy()
    };
    let line = RING.lock().unwrap_or_else(PoisonError::into_inner).push(&text);
    if let (Some(line), Some(hear)) = (line, HEARER.get()) {
        hear(&line);
    }
}

impl Ring {
    /// Adds a piece of a line: libav logs in pieces, and ends a line with a line feed. Answers the line when it is whole
    /// and not the one before again.
    fn push(&mut self, text: &str) -> Option<String> {
        if self.open.len() < LINE_BYTES {
            self.open.push_str(text);
        }
        if !text.ends_with('\n') {
            return None;
        }
        let line = without_addresses(self.open.trim_end());
        self.open.clear();
        if line.is_empty() || self.lines.back() == Some(&line) {
            return None;
        }
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.clone());
        Some(line)
    }
}

/// `[h264 @ 0x55d5c402a180] text` without the address, which says nothing to a person and differs on every run.
fn without_addresses(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(" @ 0x") {
        out.push_str(&rest[..at]);
        rest = rest[at + 5..].trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_joins_pieces_drops_addresses_and_repeats_and_stays_bounded() {
        let mut ring = Ring { lines: VecDeque::new(), open: String::new() };
        assert_eq!(ring.push("[h264 @ 0x55d5c402a180] "), None);
        assert_eq!(ring.push("top block unavailable\n").as_deref(), Some("[h264] top block unavailable"));
        assert_eq!(ring.push("[h264 @ 0x7f00] top block unavailable\n"), None, "told once");
        assert_eq!(ring.lines, ["[h264] top block unavailable"]);
        for n in 0..200 {
            ring.push(&format!("line {n}\n"));
        }
        assert_eq!(ring.lines.len(), LINES);
        assert_eq!(ring.lines.back().map(String::as_str), Some("line 199"));
    }
}
