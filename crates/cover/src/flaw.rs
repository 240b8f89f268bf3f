//! What makes a frame no good as a cover, with one limit each.

use pinpress_media::Flaw;

use crate::measure::Measures;

/// Mean luma at or under which a frame is dark: hecate's limit.
const DARK: f64 = 0.075;

/// Mean luma at or over which a frame is washed out: a white page with text lies at 0.9.
const BRIGHT: f64 = 0.95;

/// Share of the fullest bins at or over which a frame is flat: hecate's limit.
const FLAT: f64 = 0.80;

/// Mean gradient at or under which a frame is blurred: hecate's limit, whose kernels are these.
const BLURRED: f64 = 0.08;

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
    } else if measures.sharpness <= BLURRED {
        Some(Flaw::Blurred)
    } else {
        None
    }
}

/// Whether the picture is in a cut or a fade, by the frame a step later.
pub(crate) fn is_transition(now: &Measures, later: &Measures) -> bool {
    let difference = now.grid.difference(&later.grid);
    let fades =
        (now.luma - later.luma).abs() >= FADE && now.grid.difference_beyond_brightness(&later.grid) < difference / 2.0;
    difference >= CUT || fades
}

/// Which flaw a viewer forgives sooner, for a video that has nothing better: lower is better.
pub(crate) fn badness(flaw: Option<Flaw>) -> u8 {
    match flaw {
        None => 0,
        Some(Flaw::Duplicate) => 1,
        Some(Flaw::Transition) => 2,
        Some(Flaw::Blurred) => 3,
        Some(Flaw::TooBright) => 4,
        Some(Flaw::Flat) => 5,
        Some(Flaw::TooDark) => 6,
    }
}
