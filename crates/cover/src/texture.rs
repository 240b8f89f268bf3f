//! What the parts of a picture are made of: sharp edges, smooth ground, letters, noise.

use crate::plane::Plane;

/// Blocks along the longer side of a picture: 16 pixels each at the size of the stills.
const ALONG: usize = 20;

/// Mean second difference of a block under which it is smooth: sky, a wall, a blurred ground. Camera noise and what
/// encoders leave of it lie below.
const PLAIN: f32 = 0.008;

/// Mean second difference of a block from which on it is busy: letters, dense foliage.
const BUSY: f32 = 0.06;

/// Luma between the darkest and the brightest pixel of a block with letters.
const LETTER_CONTRAST: f32 = 0.35;

/// Difference of luma to all four neighbours under which a pixel is exactly flat: half a step of 255.
const FLAT: f32 = 0.5 / 255.0;

/// Texture of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Texture {
    /// Second differences of luma along rows and along columns in the quarter of the blocks that has most of them,
    /// 0 to 4: sharpness. The least that any part has is taken off: it is grain, which outlives blur.
    pub(crate) sharp: [f64; 2],
    /// Correlation of pixels next to each other inside blocks, −1 to 1: near 0 in static, over 0.5 in pictures.
    pub(crate) correlation: f64,
    /// Share of the pixels that are exactly as their neighbours, 0 to 1: drawn ground.
    pub(crate) flat: f64,
    /// Share of the blocks that are smooth, 0 to 1.
    pub(crate) smooth: f64,
    /// Share of the blocks with letters or what looks like them, 0 to 1.
    pub(crate) lettered: f64,
}

/// Sums over one block.
#[derive(Default, Clone, Copy)]
struct Block {
    count: f32,
    second: [f32; 2],
    flat: f32,
    first_squared: f32,
    sum: f32,
    squared: f32,
    least: f32,
    most: f32,
}

impl Block {
    fn of(plane: &Plane, left: usize, top: usize, side: usize) -> Self {
        let mut block = Self { least: 1.0, ..Self::default() };
        for y in top..(top + side).min(plane.height() - 1) {
            let [above, row, below] = [y - 1, y, y + 1].map(|row| plane.row(row));
            for x in left..(left + side).min(plane.width() - 1) {
                let here = row[x];
                let around = [row[x - 1], row[x + 1], above[x], below[x]].map(|other| here - other);
                block.count += 1.0;
                block.second[0] += (around[0] + around[1]).abs();
                block.second[1] += (around[2] + around[3]).abs();
                block.flat += f32::from(u8::from(around.iter().all(|difference| difference.abs() < FLAT)));
                block.first_squared += around[1] * around[1] + around[3] * around[3];
                block.sum += here;
                block.squared += here * here;
                block.least = block.least.min(here);
                block.most = block.most.max(here);
            }
        }
        block
    }

    /// Mean second difference along rows and along columns.
    fn mean_second(&self) -> [f32; 2] {
        self.second.map(|sum| sum / self.count)
    }

    fn detail(&self) -> f32 {
        let [across, down] = self.mean_second();
        (across + down) / 2.0
    }

    fn variance(&self) -> f32 {
        let mean = self.sum / self.count;
        (self.squared / self.count - mean * mean).max(0.0)
    }

    fn has_letters(&self) -> bool {
        self.detail() >= BUSY && self.most - self.least >= LETTER_CONTRAST
    }
}

impl Texture {
    pub(crate) fn of(plane: &Plane) -> Self {
        let (width, height) = (plane.width(), plane.height());
        if width < 3 || height < 3 {
            return Self { correlation: 1.0, flat: 1.0, smooth: 1.0, ..Self::default() };
        }
        let side = width.max(height).div_ceil(ALONG).max(2);
        let tops = (1..height - 1).step_by(side);
        let lefts = || (1..width - 1).step_by(side);
        let blocks: Vec<Block> =
            tops.flat_map(|top| lefts().map(move |left| Block::of(plane, left, top, side))).collect();
        let share =
            |which: fn(&Block) -> bool| blocks.iter().filter(|block| which(block)).count() as f64 / blocks.len() as f64;
        let total = |of: fn(&Block) -> f32| blocks.iter().map(|block| f64::from(of(block))).sum::<f64>();
        let count = total(|block| block.count);
        let variance = total(|block| block.variance() * block.count);
        // Where nothing varies nothing is noise. Half a step of 255, squared, is what rounding does.
        let correlation = if variance / count < 4e-6 {
            1.0
        } else {
            1.0 - total(|block| block.first_squared) / 2.0 / (2.0 * variance)
        };
        Self {
            sharp: [0, 1].map(|way| sharp(blocks.iter().map(|block| block.mean_second()[way]).collect())),
            correlation: correlation.clamp(-1.0, 1.0),
            flat: total(|block| block.flat) / count,
            smooth: share(|block| block.detail() < PLAIN),
            lettered: share(Block::has_letters),
        }
    }
}

/// The mean of the upper quarter, less the tenth part from below.
fn sharp(mut details: Vec<f32>) -> f64 {
    details.sort_unstable_by(f32::total_cmp);
    let grain = f64::from(details[details.len() / 10]);
    let upper = &details[details.len() * 3 / 4..];
    let mean = upper.iter().copied().map(f64::from).sum::<f64>() / upper.len() as f64;
    (mean * mean - grain * grain).max(0.0).sqrt()
}
