//! A picture as 32 × 32 mean colours: small enough to compare many, alike at any size of the video.

use crate::Picture;

/// Cells a side.
pub(crate) const SIDE: usize = 32;

/// Mean luma and colour differences of each cell, 0 to 1 (differences −0.5 to 0.5), BT.709 on coded values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grid {
    cells: Vec<[f64; 3]>,
}

impl Grid {
    pub(crate) fn of(picture: &Picture<'_>) -> Self {
        let (width, height) = (picture.width(), picture.height());
        let mut cells = Vec::with_capacity(SIDE * SIDE);
        for y in 0..SIDE {
            let rows = span(y, height);
            for x in 0..SIDE {
                let columns = span(x, width);
                let mut sums = [0_u32; 3];
                for row in rows.clone() {
                    for pixel in picture.row(row, columns.clone()) {
                        for (sum, &part) in sums.iter_mut().zip(pixel) {
                            *sum += u32::from(part);
                        }
                    }
                }
                let count = (rows.len() * columns.len()) as f64 * 255.0;
                let [r, g, b] = sums.map(|sum| f64::from(sum) / count);
                // ITU-R BT.709 §3.2 and §3.3: luma, and the differences scaled to ±0.5.
                let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
                cells.push([luma, (b - luma) / 1.8556, (r - luma) / 1.5748]);
            }
        }
        Self { cells }
    }

    /// Mean difference of luma to another picture of the same video, 0 to 1.
    pub(crate) fn difference(&self, other: &Self) -> f64 {
        let sum: f64 = self.cells.iter().zip(&other.cells).map(|(a, b)| (a[0] - b[0]).abs()).sum();
        sum / self.cells.len() as f64
    }

    /// Mean luma, 0 to 1.
    pub(crate) fn mean_luma(&self) -> f64 {
        self.cells.iter().map(|cell| cell[0]).sum::<f64>() / self.cells.len() as f64
    }

    /// Mean difference of luma that is left when `self` is made as bright as `other` by a factor: what a fade to or
    /// from black leaves is nearly nothing, what movement leaves is nearly all.
    pub(crate) fn difference_beyond_brightness(&self, other: &Self) -> f64 {
        let factor = other.mean_luma() / self.mean_luma().max(1e-3);
        let sum: f64 = self.cells.iter().zip(&other.cells).map(|(a, b)| (a[0] * factor - b[0]).abs()).sum();
        sum / self.cells.len() as f64
    }

    /// Mean luma of a cell, 0 to 255.
    pub(crate) fn luma_byte(&self, x: usize, y: usize) -> u8 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=255")]
        let byte = (self.cells[y * SIDE + x][0] * 255.0).round().clamp(0.0, 255.0) as u8;
        byte
    }

    /// Luma of the cells, row after row.
    pub(crate) fn lumas(&self) -> impl Iterator<Item = f64> + '_ {
        self.cells.iter().map(|cell| cell[0])
    }

    /// Mean of the cells in the block at column `x` of `columns`, row `y` of `rows`.
    pub(crate) fn block(&self, (x, columns): (usize, usize), (y, rows): (usize, usize)) -> [f64; 3] {
        let mut sum = [0.0; 3];
        let (columns, rows) = (span_of(x, SIDE, columns), span_of(y, SIDE, rows));
        for row in rows.clone() {
            for cell in &self.cells[row * SIDE..][columns.clone()] {
                for (sum, part) in sum.iter_mut().zip(cell) {
                    *sum += part;
                }
            }
        }
        sum.map(|sum| sum / (rows.len() * columns.len()) as f64)
    }
}

fn span(cell: usize, length: usize) -> std::ops::Range<usize> {
    span_of(cell, length, SIDE)
}

/// The part of `length` that falls to `cell` of `cells`; at least one, so that small pictures fill every cell.
fn span_of(cell: usize, length: usize, cells: usize) -> std::ops::Range<usize> {
    let start = cell * length / cells;
    let end = ((cell + 1) * length / cells).max(start + 1);
    start..end
}
