//! The score: how much a frame stands for its video, and how good it looks.

use pinpress_media::ScorePart;

use crate::measure::Measures;

/// One part of the score.
struct Part {
    name: &'static str,
    weight: f64,
}

/// The weights; they add up to 1. On 1,118 videos with covers that people chose (Song et al., CIKM 2016) ranking by
/// representativeness and stillness hits best and ranking by beauty alone scores below chance.
const PARTS: [Part; 6] = [
    // What most of the video looks like: the strongest sign in that study.
    Part { name: "representativeness", weight: 0.45 },
    // A frame in which nothing moves is sharp and looks meant: the other sign that carries by itself.
    Part { name: "stillness", weight: 0.25 },
    // Relative to the same video, so that a soft lens is no fault.
    Part { name: "sharpness", weight: 0.12 },
    // Only against frames that are nearly too dark or too bright; the worst are refused before.
    Part { name: "exposure", weight: 0.08 },
    // Haze and fog.
    Part { name: "contrast", weight: 0.05 },
    // Grey frames of a colourful video.
    Part { name: "colourfulness", weight: 0.05 },
];

/// Mean difference of luma to the next look at which a frame counts as in full movement.
const FULL_MOVEMENT: f64 = 0.06;

/// Standard deviation of luma of a picture with full contrast: a uniform spread over all values has 0.29.
const FULL_CONTRAST: f64 = 0.25;

/// Hasler and Süsstrunk's "highly colourful".
const FULL_COLOUR: f64 = 82.0;

/// Distance of two looks at which they say nothing for one another any more.
const LOOK_REACH: f64 = 0.15;

/// A frame to be scored.
pub(crate) struct Scored<'a> {
    pub(crate) measures: &'a Measures,
    /// Difference to the next look; `None` where it is not known.
    pub(crate) movement: Option<f64>,
    /// 0 to 1.
    pub(crate) representativeness: f64,
    /// The sharpest frame of the video, as [`Measures::detail`].
    pub(crate) sharpest: f64,
}

impl Scored<'_> {
    /// The score, 0 to 1, and its parts. Without a known movement stillness counts as half: better than a frame
    /// that is known to move, worse than one that is known to rest.
    pub(crate) fn score(&self) -> (f64, Vec<ScorePart>) {
        let measures = self.measures;
        let values = [
            self.representativeness,
            self.movement.map_or(0.5, |movement| 1.0 - movement / FULL_MOVEMENT),
            measures.detail / self.sharpest.max(f64::MIN_POSITIVE),
            exposure(measures.luma),
            measures.contrast / FULL_CONTRAST,
            measures.colourfulness / FULL_COLOUR,
        ];
        let parts: Vec<ScorePart> = PARTS
            .iter()
            .zip(values)
            .map(|(part, value)| ScorePart { name: part.name.to_owned(), value: value.clamp(0.0, 1.0) })
            .collect();
        let score = parts.iter().zip(&PARTS).map(|(part, weight)| part.value * weight.weight).sum();
        (score, parts)
    }
}

/// 1 between a quarter and seven tenths, falling to 0 at black and white.
fn exposure(luma: f64) -> f64 {
    (luma / 0.25).min((1.0 - luma) / 0.3).min(1.0)
}

/// How much of the video each frame stands for: the time that looks like it, near looks counting more, relative to
/// the best. A kernel density: the middle of the largest cluster wins, without a number of clusters to choose.
/// `covered` is the time each frame stands for, in any unit.
pub(crate) fn representativeness(frames: &[&Measures], covered: &[f64]) -> Vec<f64> {
    let densities: Vec<f64> = frames
        .iter()
        .map(|frame| {
            let shares = frames.iter().zip(covered).map(|(other, time)| {
                let far = frame.look.distance(&other.look) / LOOK_REACH;
                time * (-far * far).exp()
            });
            shares.sum()
        })
        .collect();
    let most = densities.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    densities.into_iter().map(|density| density / most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;

    #[test]
    fn the_weights_add_up_to_one() {
        assert!((PARTS.iter().map(|part| part.weight).sum::<f64>() - 1.0).abs() < 1e-9);
    }

    fn plain(level: u8) -> Measures {
        let rgb: Vec<u8> = (0..64 * 64_u16).flat_map(|at| [level + u8::try_from(at % 16).unwrap(); 3]).collect();
        Measures::of(&Picture::new(64, 64, &rgb).unwrap())
    }

    #[test]
    fn the_scene_that_lasts_longest_represents() {
        let (dark, bright) = (plain(40), plain(180));
        let frames = [&dark, &bright, &dark, &dark];
        let even = representativeness(&frames, &[1.0; 4]);
        assert!((even[0] - 1.0).abs() < 1e-6 && even[1] < 0.5, "{even:?}");
        // The one bright frame stands for most of the time.
        let long = representativeness(&frames, &[1.0, 9.0, 1.0, 1.0]);
        assert!((long[1] - 1.0).abs() < 1e-6 && long[0] < 0.5, "{long:?}");
    }

    #[test]
    fn rest_beats_movement_and_the_unknown_lies_between() {
        let measures = plain(100);
        let score = |movement| {
            Scored { measures: &measures, movement, representativeness: 1.0, sharpest: measures.detail }.score().0
        };
        assert!(score(Some(0.0)) > score(None) && score(None) > score(Some(0.06)));
        assert!((0.0..=1.0).contains(&score(Some(9.0))));
    }
}
