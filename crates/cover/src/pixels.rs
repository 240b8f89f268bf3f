//! RGB pixels in rows.

use std::ops::Range;

/// A picture of 8-bit red, green and blue, at least one pixel large.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Picture<'a> {
    width: usize,
    height: usize,
    pixels: &'a [[u8; 3]],
}

impl<'a> Picture<'a> {
    /// `None` unless `rgb` is `width × height × 3` bytes and not empty.
    pub(crate) fn new(width: usize, height: usize, rgb: &'a [u8]) -> Option<Self> {
        let (pixels, rest) = rgb.as_chunks::<3>();
        let fits = rest.is_empty() && !pixels.is_empty() && width.checked_mul(height) == Some(pixels.len());
        fits.then_some(Self { width, height, pixels })
    }

    pub(crate) const fn width(&self) -> usize {
        self.width
    }

    pub(crate) const fn height(&self) -> usize {
        self.height
    }

    pub(crate) fn pixels(&self) -> std::slice::Iter<'a, [u8; 3]> {
        self.pixels.iter()
    }

    /// A part of one row.
    pub(crate) fn row(&self, row: usize, columns: Range<usize>) -> &'a [[u8; 3]] {
        &self.pixels[row * self.width..][columns]
    }
}
