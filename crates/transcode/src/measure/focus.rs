//! Where the picture is busiest. Pure, in whole numbers.

use pinpress_av::Grey;
use pinpress_probe::AspectRatio;

use crate::plan::Focus;

/// Steps of luma below which a difference is grain or the encoder's work.
const NOISE: u8 = 10;

/// What all the differences of one picture weigh together, so that every scene has the same say.
const VOTE: u64 = 1_000_000;

/// What moves weighs as much as so many times what has detail: a face before a bookshelf.
const MOTION: u64 = 2;

/// One part in so many is no difference between two windows: what is as good is taken nearest to the middle.
const TIE: u64 = 12;

/// The centre of the window of this ratio, width to height, that holds most of what has detail and of what moves, over
/// all pictures; each of `places` is a run of pictures in order of time. A window as large as can be moves along one
/// side only, and stands in the middle of the other. `None` where there is no picture.
#[must_use]
pub fn busiest(places: &[Vec<Grey>], ratio: AspectRatio) -> Option<Focus> {
    let first = places.iter().flatten().find(|grey| grey.width > 0 && grey.height > 0)?;
    let (width, height) = (first.width as u64, first.height as u64);
    let (num, den) = (ratio.width(), ratio.height());
    // A window that is narrower than the picture moves across it, else up and down.
    let across = num * height < den * width;
    let (side, window) =
        if across { (width, (height * num / den).max(1)) } else { (height, (width * den / num).max(1)) };
    let mut profile = vec![0; usize::try_from(side).ok()?];
    for greys in places {
        let alike = |grey: &&Grey| grey.width == first.width && grey.height == first.height;
        let mut before: Option<&Grey> = None;
        for grey in greys.iter().filter(alike) {
            vote(&mut profile, grey, across, 1, |x, y| detail(grey, x, y));
            if let Some(before) = before {
                vote(&mut profile, grey, across, MOTION, |x, y| over_noise(at(grey, x, y), at(before, x, y)));
            }
            before = Some(grey);
        }
    }
    let begin = best_window(&profile, usize::try_from(window.min(side)).ok()?) as u64;
    let centre = u16::try_from((2 * begin + window.min(side)) * 500 / side).unwrap_or(500).min(1000);
    Some(if across { Focus { across: centre, down: 500 } } else { Focus { across: 500, down: centre } })
}

fn at(grey: &Grey, x: usize, y: usize) -> u8 {
    grey.luma.get(y * grey.width + x).copied().unwrap_or(0)
}

fn over_noise(a: u8, b: u8) -> u64 {
    let difference = a.abs_diff(b);
    if difference < NOISE { 0 } else { u64::from(difference) }
}

/// How much a pixel differs from its neighbours on the right and below.
fn detail(grey: &Grey, x: usize, y: usize) -> u64 {
    let here = at(grey, x, y);
    let right = if x + 1 < grey.width { over_noise(here, at(grey, x + 1, y)) } else { 0 };
    let below = if y + 1 < grey.height { over_noise(here, at(grey, x, y + 1)) } else { 0 };
    right + below
}

/// Adds a picture's differences to the profile, together `weight` votes; none where there are next to none.
fn vote(profile: &mut [u64], grey: &Grey, across: bool, weight: u64, difference: impl Fn(usize, usize) -> u64) {
    let mut lines = vec![0; profile.len()];
    for y in 0..grey.height {
        for x in 0..grey.width {
            if let Some(line) = lines.get_mut(if across { x } else { y }) {
                *line += difference(x, y);
            }
        }
    }
    let total: u64 = lines.iter().sum();
    // Fewer than a row of visible differences is a flicker.
    if total < u64::from(NOISE) * grey.width.max(grey.height) as u64 {
        return;
    }
    for (line, difference) in profile.iter_mut().zip(lines) {
        *line += difference * VOTE * weight / total;
    }
}

/// Where the best window of so many lines begins. The middle, where it is as good as the best, and where the mirrored
/// window is as good, so that neither side is better; else the middle of all that are as good, so that what is kept does
/// not stand at the window's edge.
fn best_window(profile: &[u64], window: usize) -> usize {
    let places = profile.len() - window + 1;
    let middle = (profile.len() - window) / 2;
    let sums: Vec<u64> = profile.windows(window.max(1)).map(|lines| lines.iter().sum()).collect();
    let best = sums.iter().copied().max().unwrap_or(0);
    let good = |place: usize| sums.get(place).is_some_and(|sum| best - sum <= best / TIE);
    // Twice the distance, so that both middles of an even number are as far.
    let nearest = (0..places).filter(|place| good(*place)).min_by_key(|place| (2 * place).abs_diff(places - 1));
    let Some(nearest) = nearest.filter(|_| !good(middle)) else { return middle };
    let begin = (0..=nearest).rev().take_while(|place| good(*place)).last().unwrap_or(nearest);
    let end = (nearest..places).take_while(|place| good(*place)).last().unwrap_or(nearest);
    let place = usize::midpoint(begin, end);
    if good(places - 1 - place) { middle } else { place }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: (u32, u32) = (1, 1);

    fn ratio((width, height): (u32, u32)) -> AspectRatio {
        AspectRatio::new(width, height).unwrap()
    }

    fn flat() -> Grey {
        Grey { width: 160, height: 90, luma: vec![100; 160 * 90] }
    }

    /// A checked patch of 20 pixels at this place.
    fn patch(x: usize, y: usize, phase: usize) -> Grey {
        let mut grey = flat();
        for row in y..y + 20 {
            for column in x..x + 20 {
                grey.luma[row * 160 + column] = if (row / 4 + column / 4 + phase).is_multiple_of(2) { 20 } else { 230 };
            }
        }
        grey
    }

    #[test]
    fn a_window_goes_where_the_detail_is_and_no_farther() {
        let left = busiest(&[vec![patch(10, 40, 0)]], ratio(SQUARE)).unwrap();
        assert!(left.across < 450 && left.down == 500, "{left:?}");
        let right = busiest(&[vec![patch(130, 40, 0)]], ratio(SQUARE)).unwrap();
        assert!(right.across > 550 && right.down == 500, "{right:?}");
        // Held by the window in the middle, which is then as good as any.
        assert_eq!(busiest(&[vec![patch(45, 40, 0)]], ratio(SQUARE)), Some(Focus::CENTRE));
        let high = Grey { width: 90, height: 160, luma: patch(10, 40, 0).luma };
        assert_eq!(busiest(&[vec![high]], ratio(SQUARE)).unwrap().across, 500);
    }

    #[test]
    fn what_is_flat_or_the_same_on_both_sides_is_cut_in_the_middle() {
        assert_eq!(busiest(&[vec![flat(), flat()]], ratio(SQUARE)), Some(Focus::CENTRE));
        let mut both = patch(0, 30, 0);
        for row in 0..90 {
            for column in 0..80 {
                both.luma[row * 160 + 159 - column] = both.luma[row * 160 + column];
            }
        }
        assert_eq!(busiest(&[vec![both]], ratio(SQUARE)), Some(Focus::CENTRE));
        assert_eq!(busiest(&[], ratio(SQUARE)), None);
    }

    #[test]
    fn what_moves_goes_before_what_stands() {
        let frame = |phase| {
            let (mut standing, moving) = (patch(4, 12, 0), patch(136, 60, phase));
            for row in 60..80 {
                for column in 136..156 {
                    standing.luma[row * 160 + column] = moving.luma[row * 160 + column];
                }
            }
            standing
        };
        let still = vec![frame(0), frame(0), frame(0), frame(0)];
        assert_eq!(busiest(&[still], ratio(SQUARE)), Some(Focus::CENTRE), "as much on either side");
        let moves = vec![frame(0), frame(1), frame(0), frame(1)];
        let found = busiest(&[moves], ratio(SQUARE)).unwrap();
        assert!(found.across > 600, "{found:?}");
    }

    #[test]
    fn a_window_as_large_as_the_picture_stays_where_it_is() {
        assert_eq!(busiest(&[vec![patch(0, 0, 0)]], ratio((16, 9))), Some(Focus::CENTRE));
        let tall = busiest(&[vec![patch(0, 0, 0)]], ratio((32, 9))).unwrap();
        assert!(tall.across == 500 && tall.down < 300, "{tall:?}");
    }
}
