//! Combing: two moments woven in one picture, line by line, as seen in its luma.

use ffmpeg_next::{ffi, frame};

/// Pixels a side of the blocks that are judged.
const BLOCK: usize = 16;

/// How many blocks are looked at, evenly spread: combing lies where things move, which is never one small place.
const MOST_BLOCKS: usize = 600;

/// How far a line has to stand off from both its neighbours, of 255, both in one direction.
const STANDS_OFF: i32 = 8;

/// Share of a block's pixels that stand off, in hundredths, for it to be combed.
const COMBED_PIXELS: usize = 30;

/// A block in which so many times fewer pixels stand off sideways is combed; else it is fine texture or noise.
const ACROSS: usize = 4;

/// Share of the blocks, in thousandths, for the picture to be combed.
const COMBED_BLOCKS: usize = 15;

/// A luma plane of 8 or more bits.
struct Luma<'a> {
    bytes: &'a [u8],
    stride: usize,
    /// Bytes from one pixel to the next.
    step: usize,
    /// Where in a pixel's bytes the upper eight bits of luma begin, and how many bits they are shifted up.
    offset: usize,
    depth: u32,
}

impl Luma<'_> {
    /// Upper eight bits of pixels of a row, the first at `left`.
    fn row<const N: usize>(&self, left: usize, y: usize) -> [i32; N] {
        let mut row = [0; N];
        let bytes = self.bytes.get(y * self.stride + left * self.step + self.offset..).unwrap_or_default();
        for (value, bytes) in row.iter_mut().zip(bytes.chunks(self.step)) {
            *value = match *bytes {
                [low, high, ..] if self.depth > 8 => i32::from(u16::from_le_bytes([low, high])) >> (self.depth - 8),
                [low, ..] => i32::from(low),
                [] => 0,
            };
        }
        row
    }
}

/// Whether the picture shows combing. `false` for formats without a luma plane of their own.
pub(super) fn is_combed(frame: &frame::Video) -> bool {
    luma(frame).is_some_and(|luma| shows_combing(&luma, frame.width() as usize, frame.height() as usize))
}

fn luma(frame: &frame::Video) -> Option<Luma<'_>> {
    // SAFETY: the format is the frame's own, inside libav's enumeration; the descriptor is static or null.
    let descriptor = unsafe { ffi::av_pix_fmt_desc_get(frame.format().into()).as_ref()? };
    let odd = ffi::AV_PIX_FMT_FLAG_RGB
        | ffi::AV_PIX_FMT_FLAG_PAL
        | ffi::AV_PIX_FMT_FLAG_HWACCEL
        | ffi::AV_PIX_FMT_FLAG_BE
        | ffi::AV_PIX_FMT_FLAG_BITSTREAM
        | ffi::AV_PIX_FMT_FLAG_FLOAT;
    let part = &descriptor.comp[0];
    let (step, offset) = (usize::try_from(part.step).ok()?, usize::try_from(part.offset).ok()?);
    // P010 and its like keep their bits at the top.
    let depth = u32::try_from(part.depth + part.shift).ok()?;
    if descriptor.flags & u64::try_from(odd).ok()? != 0 || part.plane != 0 || !(8..=16).contains(&depth) {
        return None;
    }
    Some(Luma { bytes: frame.data(0), stride: frame.stride(0), step, offset, depth })
}

fn shows_combing(luma: &Luma<'_>, width: usize, height: usize) -> bool {
    let (columns, rows) = (width.saturating_sub(2) / BLOCK, height.saturating_sub(2) / BLOCK);
    let blocks = columns * rows;
    let looked_at = blocks.min(MOST_BLOCKS);
    let combed = (0..looked_at)
        .map(|at| at * blocks / looked_at)
        .filter(|at| is_block_combed(luma, 1 + at % columns * BLOCK, 1 + at / columns * BLOCK))
        .count();
    combed * 1000 > looked_at * COMBED_BLOCKS
}

fn is_block_combed(luma: &Luma<'_>, left: usize, top: usize) -> bool {
    const WIDE: usize = BLOCK + 2;
    let (mut down, mut across) = (0, 0);
    let row = |y| luma.row::<WIDE>(left - 1, y);
    let (mut above, mut here) = (row(top - 1), row(top));
    for y in top..top + BLOCK {
        let below = row(y + 1);
        for x in 1..=BLOCK {
            down += usize::from(stands_off(above[x], here[x], below[x]));
            across += usize::from(stands_off(here[x - 1], here[x], here[x + 1]));
        }
        (above, here) = (here, below);
    }
    down * 100 >= BLOCK * BLOCK * COMBED_PIXELS && down >= ACROSS * across
}

const fn stands_off(before: i32, here: i32, after: i32) -> bool {
    let (one, other) = (here - before, here - after);
    (one > STANDS_OFF && other > STANDS_OFF) || (one < -STANDS_OFF && other < -STANDS_OFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 130;

    fn judged(level: impl Fn(usize, usize) -> u8) -> bool {
        let bytes: Vec<u8> = (0..SIDE * SIDE).map(|at| level(at % SIDE, at / SIDE)).collect();
        let luma = Luma { bytes: &bytes, stride: SIDE, step: 1, offset: 0, depth: 8 };
        shows_combing(&luma, SIDE, SIDE)
    }

    /// A soft-edged disc around column `centre`.
    fn disc(x: usize, y: usize, centre: usize) -> u8 {
        let far = x.abs_diff(centre).pow(2) + y.abs_diff(SIDE / 2).pow(2);
        u8::try_from(200_usize.saturating_sub(far / 6).max(30)).unwrap()
    }

    #[test]
    fn a_thing_that_moved_between_two_fields_is_combed_and_one_at_rest_is_not() {
        assert!(judged(|x, y| disc(x, y, if y % 2 == 0 { 55 } else { 75 })));
        assert!(!judged(|x, y| disc(x, y, 60)));
    }

    #[test]
    fn noise_checks_and_stripes_wider_than_a_line_are_not_combing() {
        let noise =
            |x: usize, y: usize| u8::try_from((x * 7_919 + y * 104_729).wrapping_mul(2_654_435_761) >> 20 & 255);
        assert!(!judged(|x, y| noise(x, y).unwrap()));
        assert!(!judged(|x, y| if (x + y) % 2 == 0 { 200 } else { 50 }));
        assert!(!judged(|_, y| if y / 2 % 2 == 0 { 200 } else { 50 }));
    }

    #[test]
    fn a_picture_smaller_than_a_block_is_not_combed() {
        let luma = Luma { bytes: &[0; 9], stride: 3, step: 1, offset: 0, depth: 8 };
        assert!(!shows_combing(&luma, 3, 3));
        assert!(!shows_combing(&luma, 0, 0));
    }
}
