//! What makes a frame no good as a cover by itself, with one limit each.

use pinpress_media::Flaw;

use crate::looked::Looked;
use crate::measure::Measures;

/// Mean luma at or under which a frame is dark: hecate's limit.
const DARK: f64 = 0.075;

/// Mean luma at or over which a frame is washed out: a white page with text lies at 0.9.
const BRIGHT: f64 = 0.95;

/// Share of the fullest bins at or over which a frame is flat: hecate's limit.
const FLAT: f64 = 0.80;

/// Mean gradient at or under which a frame is blurred. hecate has 0.08; at 320 pixels bottles before a smooth wall,
/// in focus, lie at 0.06, and clouds out of focus at 0.04.
const BLURRED: f64 = 0.05;

/// Share of smooth blocks at or over which a frame is blurred, however large its edges: the smoothest that are in focus,
/// clouds, lie at 0.92.
const ALL_SMOOTH: f64 = 0.97;

/// Correlation of neighbouring pixels at or under which a frame is noise.
const NOISE: f64 = 0.35;

/// What is taken besides from a frame that has nothing at all of what it lacks.
const MORE_OF_IT: f64 = 0.3;

/// What is wrong with a frame by itself, the worst first.
pub(crate) fn of(frame: &Looked) -> Option<Flaw> {
    let decoding = if frame.damaged { Some(Flaw::Damaged) } else { frame.combed.then_some(Flaw::Combed) };
    of_pixels(&frame.measures).or(decoding)
}

fn of_pixels(measures: &Measures) -> Option<Flaw> {
    if measures.luma <= DARK {
        Some(Flaw::TooDark)
    } else if measures.luma >= BRIGHT {
        Some(Flaw::TooBright)
    } else if measures.texture.correlation <= NOISE {
        Some(Flaw::Noise)
    } else if measures.uniformity >= FLAT {
        Some(Flaw::Flat)
    } else if measures.gradient <= BLURRED || measures.texture.smooth >= ALL_SMOOTH {
        Some(Flaw::Blurred)
    } else {
        None
    }
}

/// What a flaw takes from the score where a video has nothing better: a title card is a fair cover, a black frame is
/// the last resort, and less of a flaw is better than more.
pub(crate) fn penalty(flaw: Option<Flaw>, measures: &Measures) -> f64 {
    let short = |value: f64, limit: f64| MORE_OF_IT * (1.0 - value / limit).clamp(0.0, 1.0);
    match flaw {
        None => 0.0,
        Some(Flaw::Duplicate) => 0.01,
        Some(Flaw::Beginning | Flaw::End) => 0.03,
        Some(Flaw::Transition | Flaw::Bars | Flaw::Combed) => 0.05,
        Some(Flaw::Card | Flaw::TooBright) => 0.2,
        Some(Flaw::Flat | Flaw::Blurred) => 0.2 + short(measures.gradient, BLURRED),
        Some(Flaw::Damaged | Flaw::Noise) => 0.4,
        Some(Flaw::TooDark) => 0.5 + short(measures.luma, DARK),
    }
}
