//! Who watches bytes on their way.

/// Told of what travels, and asked whether it goes on.
pub trait Transfer: Sync {
    /// As many more bytes have arrived.
    fn moved(&self, _bytes: u64) {}

    /// Whether to stop. Asked between parts.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Nobody does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Transfer for Unwatched {}
