//! The exit codes: a contract.

use std::process::ExitCode;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Success,
    /// The work was done, and some video fails, could not be fixed, or was not published.
    SomeFailed,
    /// The work could not be done: usage, no such path, cannot write, no token, ledger locked.
    NotDone,
    /// Interrupted; what was finished is kept.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::SomeFailed => 1,
            Self::NotDone => 2,
            Self::Interrupted => 130,
        }
    }

    /// Of two, the one that matters more: an interruption, then work that was not done, then failures.
    pub(crate) fn worse(self, other: Self) -> Self {
        if self.code() >= other.code() { self } else { other }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
