//! The gate as a target asks it.

use pinpress_probe::sample_table::{Decision, Undecided, Unreadable, in_fence, read_from};

/// A parser's own panic that the gate catches is its contract; libFuzzer's hook would end the process first.
pub(crate) fn leave_caught_panics_alone() {
    let fatal = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !in_fence() {
            fatal(panic);
        }
    }));
}

/// Reads a file. A panic that only the outermost fence caught is one that nobody foresaw.
pub(crate) fn decide(file: &[u8]) -> Result<Decision, Unreadable> {
    let decision = read_from(&mut std::io::Cursor::new(file), file.len() as u64);
    if let Ok(Decision::Undecided { why: Undecided::GaveUp(reason), .. }) = &decision {
        panic!("{reason}");
    }
    decision
}
