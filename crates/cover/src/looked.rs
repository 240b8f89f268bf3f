//! A frame that was looked at.

use crate::measure::Measures;

/// What is known of one frame.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    /// When it is shown, in microseconds from the start of the file.
    pub(crate) time_us: i64,
    pub(crate) measures: Measures,
    /// Two moments are woven in it.
    pub(crate) combed: bool,
    /// It did not decode whole.
    pub(crate) damaged: bool,
}
