//! How alike two frames look.

use crate::grid::Grid;

/// Blocks a side of the layout.
const SIDE: usize = 6;

/// Distance under which a person sees two frames as one: from contact sheets of real clips, where the shots of one
/// scene lie at 0.01 to 0.05 and different scenes above 0.1.
pub(crate) const SAME_LOOK: f64 = 0.045;

/// Bits of the difference hash under which two frames show the same thing, brightness and colour aside.
pub(crate) const SAME_HASH: u32 = 8;

/// Colour and layout of a frame: mean luma and colour differences of 6 × 6 blocks, and a difference hash.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look {
    blocks: Vec<[f64; 3]>,
    hash: u64,
}

impl Look {
    pub(crate) fn of(grid: &Grid) -> Self {
        let blocks = (0..SIDE * SIDE).map(|at| grid.block((at % SIDE, SIDE), (at / SIDE, SIDE))).collect();
        Self { blocks, hash: difference_hash(grid) }
    }

    /// Root mean square difference, 0 to about 1. Colour counts twice: its range in real pictures is about a third
    /// of that of luma.
    pub(crate) fn distance(&self, other: &Self) -> f64 {
        let sum: f64 = self
            .blocks
            .iter()
            .zip(&other.blocks)
            .map(|(a, b)| {
                let [luma, blue, red] = [a[0] - b[0], 2.0 * (a[1] - b[1]), 2.0 * (a[2] - b[2])];
                luma * luma + blue * blue + red * red
            })
            .sum();
        (sum / self.blocks.len() as f64).sqrt()
    }

    /// Whether showing both would show the same twice.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.distance(other) < SAME_LOOK || (self.hash ^ other.hash).count_ones() < SAME_HASH
    }
}

/// Whether luma rises from each of 9 × 8 blocks to the next on its right, one bit each.
fn difference_hash(grid: &Grid) -> u64 {
    let mut hash = 0;
    for y in 0..8 {
        let luma = |x| grid.block((x, 9), (y, 8))[0];
        for x in 0..8 {
            hash = hash << 1 | u64::from(luma(x + 1) > luma(x));
        }
    }
    hash
}
