//! The contact sheet: candidates in a grid, time and score under each.

use font8x8::UnicodeFonts as _;
use pinpress_av::Still;

/// Pixels around and between the pictures.
const GAP: u32 = 12;

/// A glyph's pixels are drawn this many times as large.
const ZOOM: u32 = 2;

/// Height of a line of text.
const LINE: u32 = 8 * ZOOM + 8;

const BACKGROUND: [u8; 3] = [24; 3];
const INK: [u8; 3] = [230; 3];

/// A canvas of RGB pixels.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rgb: Vec<u8>,
}

/// Lays out pictures with their captions, row by row in the order given, as near to a square as whole rows allow.
pub(crate) fn lay_out(entries: &[(&Still, String)]) -> Sheet {
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX).max(1);
    let columns = count.isqrt() + u32::from(count.isqrt().pow(2) < count);
    let widest = entries.iter().map(|(still, caption)| still.width.max(text_width(caption))).max().unwrap_or(1);
    let highest = entries.iter().map(|(still, _)| still.height).max().unwrap_or(1);
    let (cell_width, cell_height) = (widest + GAP, highest + LINE + GAP);
    let (width, height) = (columns * cell_width + GAP, count.div_ceil(columns) * cell_height + GAP);
    let mut sheet = Sheet { width, height, rgb: BACKGROUND.repeat(width as usize * height as usize) };
    for ((still, caption), at) in entries.iter().zip(0..) {
        let left = GAP + at % columns * cell_width + (widest - still.width) / 2;
        let top = GAP + at / columns * cell_height + (highest - still.height) / 2;
        sheet.picture(left, top, still);
        let text_left = GAP + at % columns * cell_width + (widest - text_width(caption)) / 2;
        sheet.text(text_left, GAP + at / columns * cell_height + highest + 4, caption);
    }
    sheet
}

fn text_width(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(0) * 8 * ZOOM
}

impl Sheet {
    fn picture(&mut self, left: u32, top: u32, still: &Still) {
        let row = still.width as usize * 3;
        for (line, pixels) in still.rgb.chunks_exact(row).enumerate() {
            let start = ((top as usize + line) * self.width as usize + left as usize) * 3;
            self.rgb[start..start + row].copy_from_slice(pixels);
        }
    }

    fn text(&mut self, left: u32, top: u32, text: &str) {
        for (character, at) in text.chars().zip(0..) {
            let Some(glyph) = font8x8::BASIC_FONTS.get(character) else { continue };
            for (bits, y) in glyph.iter().zip(0..) {
                for x in (0..8).filter(|x| bits >> x & 1 == 1) {
                    self.dot(left + (at * 8 + x) * ZOOM, top + y * ZOOM);
                }
            }
        }
    }

    fn dot(&mut self, left: u32, top: u32) {
        for y in top..top + ZOOM {
            let start = (y as usize * self.width as usize + left as usize) * 3;
            self.rgb[start..start + 3 * ZOOM as usize].copy_from_slice(&INK.repeat(ZOOM as usize));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pictures_of_any_sizes_fit_on_one_sheet(sizes in prop::collection::vec((1_u32..200, 1_u32..200, 0_usize..30), 0..20)) {
            let stills: Vec<Still> = sizes.iter().map(|&(width, height, _)| still(width, height, 7)).collect();
            let entries: Vec<_> =
                stills.iter().zip(&sizes).map(|(still, &(_, _, length))| (still, "x".repeat(length))).collect();
            let sheet = lay_out(&entries);
            let drawn = sheet.rgb.as_chunks::<3>().0.iter().filter(|&&pixel| pixel == [7; 3]).count();
            prop_assert_eq!(drawn, sizes.iter().map(|&(width, height, _)| (width * height) as usize).sum::<usize>());
        }
    }

    fn still(width: u32, height: u32, level: u8) -> Still {
        Still {
            time_us: 0,
            width,
            height,
            rgb: vec![level; (width * height * 3) as usize],
            combed: false,
            damaged: false,
        }
    }

    #[test]
    fn every_picture_is_on_the_sheet_whole() {
        let stills: Vec<Still> = (1..=5).map(|level| still(20 + u32::from(level), 40, level)).collect();
        let entries: Vec<_> = stills.iter().map(|still| (still, "1.000 s  0.81".to_owned())).collect();
        let sheet = lay_out(&entries);
        assert_eq!(sheet.rgb.len(), (sheet.width * sheet.height * 3) as usize);
        for still in &stills {
            let level = still.rgb[0];
            let pixels = sheet.rgb.as_chunks::<3>().0.iter().filter(|&&pixel| pixel == [level; 3]).count();
            assert_eq!(pixels, (still.width * still.height) as usize, "picture {level}");
        }
        assert!(sheet.rgb.as_chunks::<3>().0.contains(&INK), "no text");
    }

    #[test]
    fn a_caption_wider_than_its_picture_has_room() {
        let narrow = still(2, 300, 9);
        let sheet = lay_out(&[(&narrow, "100.000 s  0.123".to_owned())]);
        assert!(sheet.width >= text_width("100.000 s  0.123"));
    }
}
