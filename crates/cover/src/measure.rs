//! What one frame is like: measures on its pixels, no judgement.

use crate::Picture;
use crate::bars::Inside;
use crate::grid::Grid;
use crate::look::{Hash, Look, SAME_HASH, SAME_LOOK};
use crate::pieces::is_in_pieces;
use crate::plane::Plane;
use crate::texture::Texture;

/// Bins of the luma histogram; hecate counts in as many.
const BINS: usize = 128;

/// The bins whose share says how uniform a picture is: the fullest 5 % of them.
const FULLEST: usize = BINS / 20;

/// Measures of one frame; of the picture between its bars, but for `grid`, `look` and `hash`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measures {
    /// Mean luma, 0 to 1.
    pub(crate) luma: f64,
    /// Standard deviation of luma, 0 to 0.5.
    pub(crate) contrast: f64,
    /// Share of the pixels in the fullest bins of the luma histogram, 0 to 1.
    pub(crate) uniformity: f64,
    /// As [`Plane::gradient`]. How much there is to see; a large edge keeps it when it is blurred.
    pub(crate) gradient: f64,
    /// What its parts are made of.
    pub(crate) texture: Texture,
    /// Hasler and Süsstrunk's M, on 0 to 255: 15 slightly, 33 moderately, 59 quite, 82 highly colourful.
    pub(crate) colourfulness: f64,
    /// Share of the frame that is burnt-in bars, 0 to 1.
    pub(crate) bars: f64,
    /// As [`is_in_pieces`].
    pub(crate) in_pieces: bool,
    /// The frame as 32 × 32 cells.
    pub(crate) grid: Grid,
    /// Its colours and their places.
    pub(crate) look: Look,
    /// What it shows.
    pub(crate) hash: Hash,
}

impl Measures {
    pub(crate) fn of(picture: &Picture<'_>) -> Self {
        let whole = Plane::of(picture);
        let inside = Inside::of(&whole);
        let plane = whole.cropped(inside.columns.clone(), inside.rows.clone());
        let grid = Grid::of(picture);
        let (luma, contrast) = mean_and_deviation(plane.values().iter().copied());
        Self {
            luma,
            contrast,
            uniformity: uniformity(&plane),
            gradient: plane.gradient(),
            texture: Texture::of(&plane),
            colourfulness: colourfulness(picture, &inside),
            bars: inside.bars(&whole),
            in_pieces: is_in_pieces(&plane),
            look: Look::of(&grid),
            hash: Hash::of(&grid),
            grid,
        }
    }

    /// Whether showing both would show the same twice.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.look.distance(&other.look) < SAME_LOOK || self.hash.distance(other.hash) < SAME_HASH
    }
}

fn mean_and_deviation(values: impl Iterator<Item = f32>) -> (f64, f64) {
    let (mut count, mut sum, mut squares) = (0_u32, 0.0, 0.0);
    for value in values.map(f64::from) {
        count += 1;
        sum += value;
        squares += value * value;
    }
    let mean = sum / f64::from(count.max(1));
    // Rounding may leave a hair below zero where all values are the same.
    let variance = (squares / f64::from(count.max(1)) - mean * mean).max(0.0);
    (mean, variance.sqrt())
}

fn uniformity(plane: &Plane) -> f64 {
    let mut bins = [0_u32; BINS];
    for &luma in plane.values() {
        let bin = (luma * BINS as f32).clamp(0.0, (BINS - 1) as f32);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the bins above")]
        let bin = bin as usize;
        bins[bin] += 1;
    }
    bins.sort_unstable_by(|a, b| b.cmp(a));
    let fullest: u32 = bins[..FULLEST].iter().sum();
    f64::from(fullest) / plane.values().len().max(1) as f64
}

/// D. Hasler, S. Süsstrunk, "Measuring colourfulness in natural images", SPIE 5007 (2003), equation 6 and below:
/// `M = σ_rgyb + 0.3 μ_rgyb` with `rg = R − G` and `yb = (R + G) / 2 − B`.
fn colourfulness(picture: &Picture<'_>, inside: &Inside) -> f64 {
    let pixels = || inside.rows.clone().flat_map(|row| picture.row(row, inside.columns.clone()));
    let parts = |&[r, g, b]: &[u8; 3]| (f32::from(r), f32::from(g), f32::from(b));
    let (rg_mean, rg_deviation) = mean_and_deviation(pixels().map(parts).map(|(r, g, _)| r - g));
    let (yb_mean, yb_deviation) = mean_and_deviation(pixels().map(parts).map(|(r, g, b)| (r + g) / 2.0 - b));
    rg_deviation.hypot(yb_deviation) + 0.3 * rg_mean.hypot(yb_mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_picture() -> impl Strategy<Value = (usize, usize, Vec<u8>)> {
        (1_usize..70, 1_usize..70).prop_flat_map(|(width, height)| {
            (Just(width), Just(height), prop::collection::vec(any::<u8>(), width * height * 3))
        })
    }

    proptest! {
        #[test]
        fn measures_keep_their_ranges((width, height, rgb) in any_picture()) {
            let of = Measures::of(&Picture::new(width, height, &rgb).unwrap());
            prop_assert!((0.0..=1.0001).contains(&of.luma) && (0.0..=0.5001).contains(&of.contrast), "{of:?}");
            prop_assert!((0.0..=1.0).contains(&of.uniformity) && (0.0..8.0).contains(&of.gradient), "{of:?}");
            prop_assert!(of.texture.sharp.iter().all(|sharp| (0.0..=4.0).contains(sharp)), "{of:?}");
            prop_assert!((-1.0..=1.0).contains(&of.texture.correlation), "{of:?}");
            let shares = [of.texture.flat, of.texture.smooth, of.texture.lettered, of.bars];
            prop_assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{of:?}");
            prop_assert!((0.0..300.0).contains(&of.colourfulness), "{of:?}");
            prop_assert!(of.look.distance(&of.look) == 0.0 && of.is_like(&of));
            prop_assert!(of.grid.difference(&of.grid) == 0.0);
        }

        #[test]
        fn a_picture_twice_as_large_looks_the_same(pixels in prop::collection::vec(any::<[u8; 3]>(), 32 * 64)) {
            let small: Vec<u8> = pixels.as_flattened().to_vec();
            let large: Vec<u8> =
                (0..64 * 128).flat_map(|at| pixels[at / 64 / 2 * 32 + at % 64 / 2]).collect();
            let small = Measures::of(&Picture::new(32, 64, &small).unwrap());
            let large = Measures::of(&Picture::new(64, 128, &large).unwrap());
            prop_assert!(small.look.distance(&large.look) < 1e-9 && small.hash == large.hash);
            prop_assert!((small.luma - large.luma).abs() < 1e-6 && (small.uniformity - large.uniformity).abs() < 1e-9);
            prop_assert!((small.colourfulness - large.colourfulness).abs() < 1e-3);
        }
    }

    fn measures(width: usize, height: usize, pixel: impl Fn(usize, usize) -> [u8; 3]) -> Measures {
        let rgb: Vec<u8> = (0..width * height).flat_map(|at| pixel(at % width, at / width)).collect();
        Measures::of(&Picture::new(width, height, &rgb).unwrap())
    }

    #[test]
    fn a_grey_wall_is_uniform_and_has_no_edge_and_no_colour() {
        let wall = measures(64, 48, |_, _| [128; 3]);
        assert!((wall.luma - 128.0 / 255.0).abs() < 1e-4, "{}", wall.luma);
        assert!(wall.contrast < 1e-4 && wall.gradient < 1e-4 && wall.colourfulness < 1e-3, "{wall:?}");
        assert!(wall.texture.sharp.iter().all(|sharp| *sharp < 1e-4) && wall.texture.flat > 0.999, "{wall:?}");
        assert!((wall.uniformity - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_step_of_one_has_the_gradient_of_the_unscaled_kernel() {
        // Two columns of each row see the step with magnitude 4; there are ten inside the border.
        let step = measures(12, 9, |x, _| if x < 6 { [0; 3] } else { [255; 3] });
        assert!((step.gradient - 0.8).abs() < 1e-4, "{}", step.gradient);
        assert!((step.contrast - 0.5).abs() < 1e-4 && (step.luma - 0.5).abs() < 1e-4);
    }

    #[test]
    fn blur_takes_the_detail_of_an_edge_and_leaves_its_gradient() {
        let step = measures(66, 9, |x, _| if x < 33 { [0; 3] } else { [255; 3] });
        // The same edge over eight pixels.
        let soft = measures(66, 9, |x, _| [u8::try_from(x.saturating_sub(29).min(8) * 255 / 8).unwrap(); 3]);
        assert!((soft.gradient / step.gradient - 1.0).abs() < 0.05, "{} and {}", soft.gradient, step.gradient);
        assert!(soft.texture.sharp[0] < step.texture.sharp[0] / 3.0, "{soft:?} and {step:?}");
    }

    #[test]
    fn colourfulness_agrees_with_the_paper_by_hand() {
        // Half red, half blue: rg is 255 or 0, yb is 127.5 or −255.
        let flag = measures(64, 64, |x, _| if x < 32 { [255, 0, 0] } else { [0, 0, 255] });
        let deviation = (127.5_f64.powi(2) + 191.25_f64.powi(2)).sqrt();
        let mean = (127.5_f64.powi(2) + 63.75_f64.powi(2)).sqrt();
        assert!((flag.colourfulness - (deviation + 0.3 * mean)).abs() < 0.01, "{}", flag.colourfulness);
    }

    #[test]
    fn a_ramp_is_spread_over_all_bins() {
        let ramp = measures(256, 8, |x, _| [u8::try_from(x).unwrap(); 3]);
        assert!((ramp.uniformity - 6.0 / 128.0).abs() < 0.01, "{}", ramp.uniformity);
    }

    #[test]
    fn a_picture_of_one_pixel_is_measured() {
        let dot = measures(1, 1, |_, _| [255, 255, 255]);
        assert!(dot.luma > 0.999 && dot.gradient == 0.0 && dot.uniformity > 0.99);
    }
}
