//! A picture in pieces: blocks that are not where they belong leave straight seams all across it, both ways.

use crate::plane::Plane;

/// Seams each way from which on a picture is in pieces: split screens and windows have fewer.
const SEAMS: usize = 6;

/// Mean step of luma along a seam.
const STEP: f32 = 0.04;

/// How many times the step between other lines near it.
const STANDS_OUT: f32 = 2.5;

/// Lines to either side that are compared.
const NEAR: usize = 6;

/// Whether it is; test pictures and pixel art are so by nature.
pub(crate) fn is_in_pieces(plane: &Plane) -> bool {
    let (width, height) = (plane.width(), plane.height());
    let columns = steps(width, height, &|x, y| plane.at(x, y));
    let rows = steps(height, width, &|y, x| plane.at(x, y));
    seams(&columns) >= SEAMS && seams(&rows) >= SEAMS
}

/// The mean step from each line to the second one after it: scaling spreads a seam over two.
fn steps(count: usize, length: usize, at: &dyn Fn(usize, usize) -> f32) -> Vec<f32> {
    let step = |line| (0..length).map(|along| (at(line + 2, along) - at(line, along)).abs()).sum::<f32>();
    (0..count.saturating_sub(2)).map(|line| step(line) / length as f32).collect()
}

/// How many steps are the highest near them and stand out from the usual one there.
fn seams(steps: &[f32]) -> usize {
    let is_seam = |&at: &usize| {
        let near = at.saturating_sub(NEAR)..(at + NEAR + 1).min(steps.len());
        let mut others: Vec<f32> = steps[near].to_vec();
        others.sort_unstable_by(f32::total_cmp);
        let highest = others.last().is_some_and(|highest| steps[at] >= *highest);
        // Of equal ones beside each other the first counts.
        let first = at == 0 || steps[at - 1] < steps[at];
        highest && first && steps[at] >= STEP && steps[at] >= STANDS_OUT * others[others.len() / 2]
    };
    (0..steps.len()).filter(is_seam).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;

    fn plane(level: impl Fn(usize, usize) -> f64) -> Plane {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "levels are 0 to 1")]
        let rgb: Vec<u8> = (0..160 * 120).flat_map(|at| [(level(at % 160, at / 160) * 255.0) as u8; 3]).collect();
        Plane::of(&Picture::new(160, 120, &rgb).unwrap())
    }

    fn scene(x: usize, y: usize) -> f64 {
        let (x, y) = (x as f64, y as f64);
        0.5 + 0.3 * (x / 19.0).sin() * (y / 23.0).cos() + 0.1 * (x / 3.0 + y / 5.0).sin()
    }

    #[test]
    fn blocks_that_changed_places_are_pieces_and_the_scene_is_none() {
        assert!(!is_in_pieces(&plane(scene)));
        // Each block of 16 comes from another place.
        assert!(is_in_pieces(&plane(|x, y| {
            let from = (x / 16 * 7 + y / 16 * 11) % 80;
            scene(from % 10 * 16 + x % 16, from / 10 * 16 + y % 16)
        })));
    }

    #[test]
    fn two_halves_stripes_and_pictures_of_a_pixel_are_no_pieces() {
        assert!(!is_in_pieces(&plane(|x, y| if x < 80 { scene(x, y) } else { 1.0 - scene(x, y) })));
        assert!(!is_in_pieces(&plane(|x, _| if x / 16 % 2 == 0 { 0.2 } else { 0.8 })));
        assert!(!is_in_pieces(&Plane::of(&Picture::new(1, 1, &[9; 3]).unwrap())));
    }
}
