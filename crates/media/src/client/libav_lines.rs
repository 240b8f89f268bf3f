//! What libav said of one request.

use std::collections::VecDeque;

/// As many as a [`crate::Failure`] has at most.
const LINES: usize = 50;

/// The last lines, oldest first.
#[derive(Debug, Default)]
pub(super) struct LibavLines(VecDeque<String>);

impl LibavLines {
    pub(super) fn push(&mut self, line: String) {
        if self.0.len() == LINES {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    pub(super) fn take(&mut self) -> Vec<String> {
        self.0.drain(..).collect()
    }
}
