//! Cuts, fades and dissolves, by the pictures a moment later.

use crate::grid::{Grid, SIDE};
use crate::measure::Measures;

/// Mean difference of luma to the next look at or over which the picture changes to another: hand-held clips stay
/// under 0.06, cuts lie over 0.15.
const CUT: f64 = 0.12;

/// Change of mean luma from the first look to the last, of that luma, at or over which it fades, when brightness
/// explains part of the difference: a fade of three seconds changes by 0.04.
const FADE: f64 = 0.025;

/// Share of the difference that is left without brightness under which it explains part of it: in real clips whose
/// brightness changes as things move it is 0.9 and more.
const BEYOND_FADE: f64 = 0.82;

/// Mean difference of luma from the first look to the last under which no dissolve is told from noise.
const DISSOLVE: f64 = 0.02;

/// Cosine between one step's change and the next one's from which on the picture changes steadily. Things that move
/// do so too when they are slow and soft.
const STEADY: f64 = 0.8;

/// Share of the change that no movement explains, from which on a steady change is a dissolve.
const UNEXPLAINED: f64 = 0.5;

/// Cells a side of the parts that are taken to move as one.
const PART: usize = 8;

/// A look at the same video a little later.
#[derive(Debug, Clone)]
pub(crate) struct Later {
    /// How much later, in microseconds, over 0.
    pub(crate) after_us: i64,
    pub(crate) grid: Grid,
    /// Mean change of luma since, pixel by pixel, 0 to 1: what crawls in place changes no grid.
    pub(crate) change: f64,
}

/// Mean change of luma in a tenth of a second, pixel by pixel, 0 to 1; `None` when there is no later look.
pub(crate) fn movement(later: &[Later]) -> Option<f64> {
    let last = later.last()?;
    Some(last.change * 100_000.0 / last.after_us.max(1) as f64)
}

/// Whether a frame is in a cut, a fade or a dissolve, or right before one.
pub(crate) fn is_transition(now: &Measures, later: &[Later]) -> bool {
    let Some(last) = later.last() else { return false };
    // Bars do not change and thin out what does.
    let inside = 1.0 - now.bars;
    let grids = || std::iter::once(&now.grid).chain(later.iter().map(|later| &later.grid));
    let cut = grids().zip(grids().skip(1)).any(|(from, to)| from.difference(to) >= CUT * inside);
    let difference = now.grid.difference(&last.grid);
    let (luma, luma_later) = (now.grid.mean_luma(), last.grid.mean_luma());
    let fades =
        (luma - luma_later).abs() >= FADE * luma.max(luma_later) && is_explained_by_brightness(&now.grid, &last.grid);
    cut || fades || (difference >= DISSOLVE * inside && later.len() > 1 && dissolves(&now.grid, later))
}

/// Whether two pictures differ in brightness more than in what they show.
pub(crate) fn is_explained_by_brightness(from: &Grid, to: &Grid) -> bool {
    from.difference_beyond_brightness(to) < BEYOND_FADE * from.difference(to)
}

fn dissolves(now: &Grid, later: &[Later]) -> bool {
    let [first, .., last] = later else { return false };
    let step = |from: &Grid, to: &Grid| from.lumas().zip(to.lumas()).map(|(a, b)| b - a).collect::<Vec<f64>>();
    let (one, two) = (step(now, &first.grid), step(&first.grid, &last.grid));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let steady = dot(&one, &two) >= STEADY * (dot(&one, &one) * dot(&two, &two)).sqrt();
    steady && unexplained(now, &last.grid) >= UNEXPLAINED
}

/// The share of the change between two pictures that is left when each part may move as one: B. Lucas, T. Kanade,
/// "An iterative image registration technique" (1981), one round. 0 to 1.
fn unexplained(from: &Grid, to: &Grid) -> f64 {
    let (from, to): (Vec<f64>, Vec<f64>) = (from.lumas().collect(), to.lumas().collect());
    let mean = |x: usize, y: usize| (from[y * SIDE + x] + to[y * SIDE + x]) / 2.0;
    let (mut all, mut explained) = (0.0, 0.0);
    for part in 0..(SIDE / PART).pow(2) {
        let (left, top) = (part % (SIDE / PART) * PART, part / (SIDE / PART) * PART);
        let (mut xx, mut xy, mut yy, mut xt, mut yt) = (1e-6, 0.0, 1e-6, 0.0, 0.0);
        for y in top..top + PART {
            for x in left..left + PART {
                let change = to[y * SIDE + x] - from[y * SIDE + x];
                all += change * change;
                let right = mean((x + 1).min(SIDE - 1), y) - mean(x.saturating_sub(1), y);
                let down = mean(x, (y + 1).min(SIDE - 1)) - mean(x, y.saturating_sub(1));
                xx += right * right;
                xy += right * down;
                yy += down * down;
                xt += right * change;
                yt += down * change;
            }
        }
        let determinant = xx * yy - xy * xy;
        explained += (yy * xt * xt - 2.0 * xy * xt * yt + xx * yt * yt) / determinant.max(f64::MIN_POSITIVE);
    }
    if all > 0.0 { (1.0 - explained / all).clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;

    const WIDTH: usize = 128;

    /// Soft hills, moved and of another place for each `seed`.
    fn scene(seed: f64, moved: f64) -> Vec<f64> {
        let level = |x: f64, y: f64| {
            let x = x + moved;
            let (wide, fine) = (9.0 + seed * 5.0, 4.0 + seed);
            0.5 + 0.2 * (x / wide + seed).sin() * (y / wide).cos() + 0.2 * (x / fine - seed * y / 7.0).sin()
        };
        (0..WIDTH * WIDTH).map(|at| level((at % WIDTH) as f64, (at / WIDTH) as f64)).collect()
    }

    fn measures(levels: &[f64]) -> Measures {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "levels are 0 to 1")]
        let rgb: Vec<u8> = levels.iter().flat_map(|level| [(level * 255.0) as u8; 3]).collect();
        Measures::of(&Picture::new(WIDTH, WIDTH, &rgb).unwrap())
    }

    /// Judges a picture that changes by `at`, a function of time in steps.
    fn judged(at: impl Fn(f64) -> Vec<f64>) -> bool {
        let later = [1.0, 2.0].map(|step| Later { after_us: 1, grid: measures(&at(step)).grid, change: 0.0 });
        is_transition(&measures(&at(0.0)), &later)
    }

    fn mixed(share: f64, from: &[f64], to: &[f64]) -> Vec<f64> {
        from.iter().zip(to).map(|(from, to)| from * (1.0 - share) + to * share).collect()
    }

    #[test]
    fn cuts_fades_and_dissolves_are_transitions() {
        let (a, b) = (scene(0.0, 0.0), scene(2.5, 0.0));
        let black = vec![0.0; a.len()];
        assert!(judged(|step| if step < 2.0 { a.clone() } else { b.clone() }), "cut");
        assert!(judged(|step| mixed(0.3 + step * 0.05, &a, &black)), "fade out");
        assert!(judged(|step| mixed(0.7 - step * 0.05, &a, &black)), "fade in");
        assert!(judged(|step| mixed(0.3 + step * 0.1, &a, &b)), "dissolve");
    }

    #[test]
    fn rest_and_movement_are_not() {
        let a = scene(0.0, 0.0);
        assert!(!judged(|_| a.clone()), "rest");
        for speed in [0.5, 1.0, 2.0] {
            assert!(!judged(|step| scene(0.0, step * speed)), "a pan by {speed}");
        }
    }

    #[test]
    fn movement_is_by_the_tenth_of_a_second() {
        let grid = measures(&scene(0.0, 0.0)).grid;
        let after = |after_us| movement(&[Later { after_us, grid: grid.clone(), change: 0.03 }]).unwrap();
        assert!((after(100_000) - 0.03).abs() < 1e-9 && (after(200_000) - 0.015).abs() < 1e-9);
        assert_eq!(movement(&[]), None);
    }
}
