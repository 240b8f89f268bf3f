//! Who watches a request.

use crate::wire::Progress;

/// Hears how a request goes, and may stop it. `()` hears nothing and stops nothing.
pub trait Observer: Sync {
    /// Work went on.
    fn progress(&self, progress: Progress) {
        let _ = progress;
    }

    /// Something a person should know that stops nothing.
    fn warning(&self, message: &str) {
        let _ = message;
    }

    /// Asked some twenty times a second; from the first `true` the request ends with
    /// [`crate::FailureKind::Cancelled`] and its worker is killed.
    fn cancelled(&self) -> bool {
        false
    }
}

impl Observer for () {}
