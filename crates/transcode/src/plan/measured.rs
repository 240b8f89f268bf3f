//! What only decoding tells, for a plan that encodes.

use pinpress_probe::Scan;

/// What a sample of decoded pictures showed; what nobody measured, or what the sample left open, is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// Whether the pictures are made of two fields, whatever the stream says.
    pub scan: Option<Scan>,
    /// Where a crop keeps most of what goes on.
    pub busiest: Option<Focus>,
}

/// The centre of a part of the upright picture in square pixels, in thousandths of its width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Focus {
    /// From the left edge, 0 to 1000.
    pub across: u16,
    /// From the top edge, 0 to 1000.
    pub down: u16,
}

impl Focus {
    /// The middle of the picture.
    pub const CENTRE: Self = Self { across: 500, down: 500 };
}

impl Default for Focus {
    fn default() -> Self {
        Self::CENTRE
    }
}
