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
const PARTS: [Part; 8] = [
    // What most of the video looks like: the strongest sign in that study.
    Part { name: "representativeness", weight: 0.40 },
    // A frame in which nothing moves is sharp and looks meant: the other sign that carries by itself.
    Part { name: "stillness", weight: 0.22 },
    // Relative to the same video, so that a soft lens is no fault.
    Part { name: "sharpness", weight: 0.10 },
    // Titles, logos and menus: a ground that was drawn says nothing of the video.
    Part { name: "picture", weight: 0.10 },
    // Burnt-in bars leave less to see in a feed.
    Part { name: "full-frame", weight: 0.06 },
    // Only against frames that are nearly too dark or too bright; the worst are refused before.
    Part { name: "exposure", weight: 0.06 },
    // Haze and fog.
    Part { name: "contrast", weight: 0.03 },
    // Grey frames of a colourful video.
    Part { name: "colourfulness", weight: 0.03 },
];

/// Mean change of luma in a tenth of a second, pixel by pixel, at which a frame counts as in full movement.
const FULL_MOVEMENT: f64 = 0.08;

/// Standard deviation of luma of a picture with full contrast: a uniform spread over all values has 0.29.
const FULL_CONTRAST: f64 = 0.25;

/// Hasler and Süsstrunk's "highly colourful".
const FULL_COLOUR: f64 = 82.0;

/// Share of exactly flat pixels up to which a frame is all picture; overexposed skies have as many.
const SOME_FLAT: f64 = 0.15;

/// A frame to be scored.
pub(crate) struct Scored<'a> {
    pub(crate) measures: &'a Measures,
    /// Change of luma in a tenth of a second.
    pub(crate) movement: Movement,
    /// 0 to 1.
    pub(crate) representativeness: f64,
    /// As [`crate::texture::Texture::sharp`], of the sharpest frames of the video.
    pub(crate) sharpest: [f64; 2],
}

/// What is known of how much moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Movement {
    /// By the next looks.
    Known(f64),
    /// There is no next look: half, better than to move and worse than to rest.
    Unknown,
    /// It was not looked: nothing speaks for it.
    NotLooked,
}

impl Movement {
    fn stillness(self) -> f64 {
        match self {
            Self::Known(movement) => 1.0 - movement / FULL_MOVEMENT,
            Self::Unknown => 0.5,
            Self::NotLooked => 0.0,
        }
    }
}

impl Scored<'_> {
    /// The score, 0 to 1, and its parts.
    pub(crate) fn score(&self) -> (f64, Vec<ScorePart>) {
        let measures = self.measures;
        let sharp = measures.texture.sharp;
        let values = [
            self.representativeness,
            self.movement.stillness(),
            (sharp[0] / self.sharpest[0].max(1e-6)).min(sharp[1] / self.sharpest[1].max(1e-6)),
            (1.0 - measures.texture.flat) / (1.0 - SOME_FLAT),
            1.0 - measures.bars,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;

    #[test]
    fn the_weights_add_up_to_one() {
        assert!((PARTS.iter().map(|part| part.weight).sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn rest_beats_movement_and_the_unknown_lies_between() {
        let rgb: Vec<u8> = (0..64 * 64_u16).flat_map(|at| [100 + u8::try_from(at % 16).unwrap(); 3]).collect();
        let measures = Measures::of(&Picture::new(64, 64, &rgb).unwrap());
        let score = |movement| {
            Scored { measures: &measures, movement, representativeness: 1.0, sharpest: measures.texture.sharp }
                .score()
                .0
        };
        let [rest, unknown, moving, wild] =
            [Movement::Known(0.0), Movement::Unknown, Movement::Known(FULL_MOVEMENT), Movement::Known(9.0)].map(score);
        assert!(rest > unknown && unknown > moving);
        assert!((0.0..=1.0).contains(&rest) && (moving - wild).abs() < 1e-9);
    }
}
