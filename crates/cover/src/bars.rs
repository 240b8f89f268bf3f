//! Burnt-in bars: letterbox above and below the picture, pillarbox at its sides.

use std::ops::Range;

use crate::plane::Plane;

/// Luma of a bar: so far may its pixels be from one another.
const SPREAD: f32 = 0.05;

/// In how many of the pixels of a line of it more, in hundredths: encoders leave specks.
const SPECKS: usize = 2;

/// Lines between a bar and the picture that are neither: scaling leaves one that is half bar, encoders ripple.
const RAGGED: usize = 5;

/// A bar is at least this share of the side, in hundredths.
const THINNEST: usize = 3;

/// The picture is at least this share of the side, in hundredths; less of it is a small thing on plain ground.
const LEAST_PICTURE: usize = 20;

/// How far luma has to step where the picture begins.
const STEP: f32 = 0.06;

/// In how many of the pixels along the edge it has to step, in hundredths: a plain backdrop has no such edge.
const STEPPING: usize = 45;

/// Rows and columns of a plane that are picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inside {
    pub(crate) columns: Range<usize>,
    pub(crate) rows: Range<usize>,
}

impl Inside {
    pub(crate) fn of(plane: &Plane) -> Self {
        let (width, height) = (plane.width(), plane.height());
        let rows = inside(height, width, &|y, x| plane.at(x, y));
        let columns = inside(width, height, &|x, y| plane.at(x, y));
        Self { columns, rows }
    }

    /// Share of a plane that is bars, 0 to 1.
    pub(crate) fn bars(&self, plane: &Plane) -> f64 {
        1.0 - (self.columns.len() * self.rows.len()) as f64 / plane.values().len() as f64
    }
}

/// The lines, of `count` with `length` pixels each, between two bars; all when there are no two.
fn inside(count: usize, length: usize, at: &dyn Fn(usize, usize) -> f32) -> Range<usize> {
    let lead = bar(count, length, at);
    let tail = bar(count, length, &|line, along| at(count - 1 - line, along));
    let thinnest = (count * THINNEST).div_ceil(100).max(2);
    // Centred, give or take a few lines: else it is a scene with a dark ground, or a subtitle's band.
    let fits = lead.min(tail) >= thinnest
        && lead.abs_diff(tail) <= thinnest.max(lead.min(tail) / 4)
        && (count - lead.min(count) - tail.min(count - lead.min(count))) * 100 >= count * LEAST_PICTURE;
    if fits { lead..count - tail } else { 0..count }
}

/// How many lines from the edge are a bar; 0 when no picture begins after them.
fn bar(count: usize, length: usize, at: &dyn Fn(usize, usize) -> f32) -> usize {
    let ground = at(0, length / 2);
    let differ = |line: usize, by: f32| (0..length).filter(|&along| (at(line, along) - ground).abs() >= by).count();
    let lines = (0..count).take_while(|&line| differ(line, SPREAD) * 100 <= length * SPECKS).count();
    if lines == 0 {
        return 0;
    }
    let begins = |line: &usize| *line + 1 < count && differ(line + 1, STEP) * 100 >= length * STEPPING;
    (lines..lines + RAGGED).find(begins).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;

    fn plane(width: usize, height: usize, level: impl Fn(usize, usize) -> u8) -> Plane {
        let rgb: Vec<u8> = (0..width * height).flat_map(|at| [level(at % width, at / width); 3]).collect();
        Plane::of(&Picture::new(width, height, &rgb).unwrap())
    }

    fn scene(x: usize, y: usize) -> u8 {
        u8::try_from(60 + (x * 7 + y * 13) % 150).unwrap()
    }

    #[test]
    fn bars_of_any_grey_are_told_from_the_picture() {
        for grey in [0, 16, 235] {
            let letterbox = plane(60, 100, |x, y| if (30..70).contains(&y) { scene(x, y) } else { grey });
            let inside = Inside::of(&letterbox);
            assert_eq!((inside.columns.clone(), inside.rows.clone()), (0..60, 30..70), "grey {grey}");
            assert!((inside.bars(&letterbox) - 0.6).abs() < 1e-9);
            let pillarbox = plane(100, 60, |x, y| if (12..88).contains(&x) { scene(x, y) } else { grey });
            assert_eq!(Inside::of(&pillarbox).columns, 12..88, "grey {grey}");
        }
    }

    #[test]
    fn specks_in_a_bar_and_a_ragged_edge_do_not_hide_it() {
        let ragged = plane(100, 100, |x, y| match y {
            18..82 => scene(x, y),
            16..84 => u8::try_from(x % 3 * 20).unwrap(),
            _ if x == 40 => 60,
            _ => 0,
        });
        let inside = Inside::of(&ragged);
        assert!((16..19).contains(&inside.rows.start) && (82..85).contains(&inside.rows.end), "{inside:?}");
    }

    #[test]
    fn a_full_frame_a_dark_top_and_a_thing_on_a_backdrop_have_no_bars() {
        let backdrop = |x: usize, y: usize| {
            let far = (x.abs_diff(50).pow(2) + y.abs_diff(50).pow(2)).isqrt();
            u8::try_from(if far < 25 { 40 + far } else { 240 }).unwrap()
        };
        for plane in [
            plane(100, 100, scene),
            plane(100, 100, |x, y| if y < 30 { 5 } else { scene(x, y) }),
            plane(100, 100, backdrop),
            plane(100, 100, |_, _| 0),
            plane(1, 1, |_, _| 9),
        ] {
            assert_eq!(Inside::of(&plane).bars(&plane), 0.0);
        }
    }
}
