//! What makes a frame no good as a cover, with one limit each.

use pinpress_media::Flaw;

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

/// Share of the detail of the sharper frames of the video under which a frame is blurred: the gradient of large edges
/// outlives any blur, their detail does not.
const BLURRED_BESIDE: f64 = 0.25;

/// Mean difference of luma to the frame [`crate::frames::STEP_US`] later at or over which the picture changes to
/// another: hand-held clips stay under 0.06, cuts lie over 0.15.
const CUT: f64 = 0.12;

/// Change of mean luma in that time at or over which it fades, when brightness explains most of the difference.
const FADE: f64 = 0.02;

/// What is wrong with a frame by itself, the worst first.
pub(crate) fn of(measures: &Measures) -> Option<Flaw> {
    if measures.luma <= DARK {
        Some(Flaw::TooDark)
    } else if measures.luma >= BRIGHT {
        Some(Flaw::TooBright)
    } else if measures.uniformity >= FLAT {
        Some(Flaw::Flat)
    } else if measures.gradient <= BLURRED {
        Some(Flaw::Blurred)
    } else {
        None
    }
}

/// Whether a frame is blurred beside the others: with little of the detail that a quarter of them reaches.
pub(crate) fn is_blurred_beside(measures: &Measures, others: &[&Measures]) -> bool {
    let mut details: Vec<f64> = others.iter().map(|other| other.detail).collect();
    details.sort_unstable_by(f64::total_cmp);
    let sharp = details.get(details.len() * 3 / 4).copied().unwrap_or(0.0);
    measures.detail < BLURRED_BESIDE * sharp
}

/// Whether the picture is in a cut or a fade, by the frame a step later.
pub(crate) fn is_transition(now: &Measures, later: &Measures) -> bool {
    let difference = now.grid.difference(&later.grid);
    let fades =
        (now.luma - later.luma).abs() >= FADE && now.grid.difference_beyond_brightness(&later.grid) < difference / 2.0;
    difference >= CUT || fades
}

/// What a flaw takes from the score where a video has nothing better: a title card is a fair cover, a black frame is
/// the last resort.
pub(crate) fn penalty(flaw: Option<Flaw>) -> f64 {
    match flaw {
        None => 0.0,
        Some(Flaw::Duplicate) => 0.01,
        Some(Flaw::Transition) => 0.05,
        Some(Flaw::Flat | Flaw::TooBright | Flaw::Blurred) => 0.2,
        Some(Flaw::TooDark) => 0.5,
    }
}
