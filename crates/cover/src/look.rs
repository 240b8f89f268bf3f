//! How alike two frames look.

use image::{GrayImage, Luma};
use image_hasher::{HashAlg, HasherConfig};

use crate::grid::{self, Grid};

/// Blocks a side of the layout.
const SIDE: usize = 6;

/// Distance under which a person sees two frames as one: from contact sheets of real clips, where the shots of one
/// scene lie at 0.01 to 0.05 and different scenes above 0.1.
pub(crate) const SAME_LOOK: f64 = 0.045;

/// Bits of the perceptual hash, of 64, under which two frames show the same thing, brightness and colour aside.
pub(crate) const SAME_HASH: u32 = 8;

/// Colour and layout of a frame: mean luma and colour differences of 6 × 6 blocks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look {
    blocks: Vec<[f64; 3]>,
}

impl Look {
    pub(crate) fn of(grid: &Grid) -> Self {
        Self { blocks: (0..SIDE * SIDE).map(|at| grid.block((at % SIDE, SIDE), (at / SIDE, SIDE))).collect() }
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

    /// The mean of looks by their weights; `None` of none.
    pub(crate) fn mean<'a>(looks: impl Iterator<Item = (&'a Self, f64)>) -> Option<Self> {
        let (mut blocks, mut total) = (vec![[0.0; 3]; SIDE * SIDE], 0.0);
        for (look, weight) in looks {
            total += weight;
            for (sum, block) in blocks.iter_mut().flatten().zip(look.blocks.iter().flatten()) {
                *sum += weight * block;
            }
        }
        for sum in blocks.iter_mut().flatten() {
            *sum /= total;
        }
        (total > 0.0).then_some(Self { blocks })
    }
}

/// What a frame shows, as 64 bits that brightness, contrast and colour leave alone: a DCT's coefficients above their
/// median or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) fn of(grid: &Grid) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the sides are a small constant")]
        let side = grid::SIDE as u32;
        let small = GrayImage::from_fn(side, side, |x, y| Luma([grid.luma_byte(x as usize, y as usize)]));
        let hasher = HasherConfig::new().hash_size(8, 8).hash_alg(HashAlg::Median).preproc_dct().to_hasher();
        let hash = hasher.hash_image(&small);
        Self(hash.as_bytes().iter().fold(0, |bits, &byte| bits << 8 | u64::from(byte)))
    }

    /// Bits that differ, 0 to 64.
    pub(crate) const fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}
