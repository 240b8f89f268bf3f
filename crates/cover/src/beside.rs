//! What makes a frame no good beside the others of its video.

use std::ops::RangeInclusive;

use pinpress_media::Flaw;

use crate::looked::Looked;
use crate::measure::Measures;
use crate::{flaw, transition};

/// Share of the sharpness of the sharper frames of the video under which a frame is blurred: the gradient of large
/// edges outlives any blur, their detail does not. Movement blurs one way only, so the worse way counts.
const BLURRED: f64 = 0.4;

/// Share of the correlation of neighbouring pixels in the better frames of the video at or under which a frame is noise
/// over a picture: real clips stay over 0.8, with as much noise as picture it is 0.7.
const NOISE_BESIDE: f64 = 0.78;

/// Correlation over which no frame is noise.
const NOISY: f64 = 0.75;

/// Sharpness under which the sharper frames of a video are soft themselves: perhaps it is in focus elsewhere.
const SOFT: f64 = 0.03;

/// Share of a frame in bars from which on it is barred.
const BARRED: f64 = 0.05;

/// Share of the time without bars from which on frames with bars are the odd ones.
const UNBARRED_TIME: f64 = 0.2;

/// Share of the pixels that are exactly flat from which on a camera's picture with letters is a card. Its noise leaves
/// few.
const CARD_FLAT: f64 = 0.4;

/// The same for a drawn video, most of which is flat anyway.
const DRAWN_CARD_FLAT: f64 = 0.7;

/// Median share of exactly flat pixels from which on a video is drawn.
const DRAWN: f64 = 0.25;

/// Share of the blocks that are smooth or letters from which on a frame is letters on a smooth ground.
const CARD_SMOOTH: f64 = 0.88;

/// Share of the blocks with letters that a card has: more of them are leaves before the sky.
const CARD_LETTERS: RangeInclusive<f64> = 0.015..=0.2;

/// Share of the time in cards, or in pieces, from which on that is what the video is.
const USUAL_TIME: f64 = 0.5;

/// How much brighter than the good frames before and after it a frame in a flash is, at least: with it no planted flash
/// is among the six best frames.
const FLASH: f64 = 1.12;

/// For so many microseconds before and after it a frame is compared: a scene may grow brighter and darker in longer.
const FLASH_US: i64 = 3_000_000;

/// Share of the video at either end that is no cover, in hundredths: fades, logos, a hand that starts the camera.
const ENDS: i64 = 3;

/// The times of a video, in microseconds, that are neither its beginning nor its end.
pub(crate) fn middle(duration_us: i64) -> RangeInclusive<i64> {
    let ends = duration_us / 100 * ENDS;
    ends..=duration_us - ends
}

/// The worst that is wrong with each frame. `covered` is the time that each stands for, in any unit.
pub(crate) fn flaws(frames: &[Looked], covered: &[f64], duration_us: i64) -> Vec<Option<Flaw>> {
    let mut alone: Vec<Option<Flaw>> = frames.iter().map(flaw::of).collect();
    let noise = noise(frames, &alone);
    for (flaw, frame) in alone.iter_mut().zip(frames) {
        if frame.measures.texture.correlation <= noise {
            flaw.get_or_insert(Flaw::Noise);
        }
    }
    let good: Vec<(&Measures, f64)> = frames
        .iter()
        .zip(&alone)
        .zip(covered)
        .filter(|((_, flaw), _)| flaw.is_none())
        .map(|((frame, _), &time)| (&frame.measures, time))
        .collect();
    let video = Video::of(&good);
    let flashes = flashes(frames, &alone);
    let middle = middle(duration_us);
    // Of one frame, or of two, the beginning and the end are all there is.
    let ends_count = frames.iter().any(|frame| middle.contains(&frame.time_us));
    let end = |frame: &Looked| match frame.time_us {
        time if !ends_count || middle.contains(&time) => None,
        time if time < *middle.start() => Some(Flaw::Beginning),
        _ => Some(Flaw::End),
    };
    let flash = |at: &usize| flashes.contains(at).then_some(Flaw::Transition);
    (0..)
        .zip(frames)
        .zip(alone)
        .map(|((at, frame), alone)| alone.or_else(|| video.flaw(&frame.measures)).or(flash(&at)).or(end(frame)))
        .collect()
}

/// The frames in a flash of light, by place: those that show what the good frames before and after them show, and are
/// brighter than both. An encoder makes them sync samples, as it does with cuts, and where a flash is longer than the
/// looks after a frame, these do not see its end.
fn flashes(frames: &[Looked], flaws: &[Option<Flaw>]) -> Vec<usize> {
    let good: Vec<usize> = (0..frames.len()).filter(|at| flaws[*at].is_none()).collect();
    let is_lit = |at: usize, beside: usize| {
        let (lit, other) = (&frames[at], &frames[beside]);
        let (lit_grid, grid) = (&lit.measures.grid, &other.measures.grid);
        lit.time_us.abs_diff(other.time_us) <= FLASH_US.unsigned_abs()
            && lit_grid.mean_luma() >= FLASH * grid.mean_luma()
            && transition::is_explained_by_brightness(lit_grid, grid)
    };
    good.windows(3).filter(|near| is_lit(near[1], near[0]) && is_lit(near[1], near[2])).map(|near| near[1]).collect()
}

/// The correlation at or under which frames are noise beside the others.
fn noise(frames: &[Looked], flaws: &[Option<Flaw>]) -> f64 {
    let good = frames.iter().zip(flaws).filter(|(_, flaw)| flaw.is_none());
    let usual = quantile(good.map(|(frame, _)| frame.measures.texture.correlation).collect(), 3);
    (NOISE_BESIDE * usual).min(NOISY)
}

/// Whether the sharpest of these are soft: blurred together, they would not be found to be.
pub(crate) fn are_soft(frames: &[Looked], flaws: &[Option<Flaw>]) -> bool {
    let clean: Vec<(&Measures, f64)> =
        frames.iter().zip(flaws).filter(|(_, flaw)| flaw.is_none()).map(|(frame, _)| (&frame.measures, 1.0)).collect();
    sharpness(&clean).iter().all(|sharp| *sharp < SOFT)
}

/// What frames are measured against.
struct Video {
    sharp: [f64; 2],
    unbarred: bool,
    drawn: bool,
    cards_are_odd: bool,
    pieces_are_odd: bool,
}

impl Video {
    fn of(good: &[(&Measures, f64)]) -> Self {
        let total: f64 = good.iter().map(|(_, time)| time).sum();
        let time = |which: &dyn Fn(&Measures) -> bool| {
            good.iter().filter(|(measures, _)| which(measures)).map(|(_, time)| time).sum::<f64>()
        };
        let drawn = quantile(good.iter().map(|(measures, _)| measures.texture.flat).collect(), 2) >= DRAWN;
        Self {
            sharp: sharpness(good),
            unbarred: time(&|measures| measures.bars < BARRED) >= UNBARRED_TIME * total,
            drawn,
            pieces_are_odd: !drawn && time(&|measures| measures.in_pieces) < USUAL_TIME * total,
            cards_are_odd: time(&|measures| is_card(measures, drawn)) < USUAL_TIME * total,
        }
    }

    fn flaw(&self, measures: &Measures) -> Option<Flaw> {
        if self.pieces_are_odd && measures.in_pieces {
            Some(Flaw::Damaged)
        } else if self.cards_are_odd && is_card(measures, self.drawn) {
            Some(Flaw::Card)
        } else if (0..2).any(|way| measures.texture.sharp[way] < BLURRED * self.sharp[way]) {
            Some(Flaw::Blurred)
        } else if self.unbarred && measures.bars >= BARRED {
            Some(Flaw::Bars)
        } else {
            None
        }
    }
}

/// The sharpness that a quarter of the frames reaches.
fn sharpness(good: &[(&Measures, f64)]) -> [f64; 2] {
    [0, 1].map(|way| quantile(good.iter().map(|(measures, _)| measures.texture.sharp[way]).collect(), 3))
}

/// The value under which so many quarters lie; 0 of none.
fn quantile(mut values: Vec<f64>, quarters: usize) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() * quarters / 4).copied().unwrap_or(0.0)
}

/// Letters on a flat or a smooth ground.
fn is_card(measures: &Measures, drawn: bool) -> bool {
    let texture = &measures.texture;
    let flat = texture.flat >= if drawn { DRAWN_CARD_FLAT } else { CARD_FLAT };
    CARD_LETTERS.contains(&texture.lettered) && (flat || texture.smooth + texture.lettered >= CARD_SMOOTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;

    /// Hills of light, `lit` times as bright, of another place for each `scene`.
    fn seen(time_us: i64, scene: u32, lit: f64) -> Looked {
        let level = |x: f64, y: f64| {
            let place = f64::from(scene);
            0.3 + 0.2 * (x / (4.0 + place) + place).sin() * (y / 5.0).cos() + 0.1 * (x / 2.0 - place * y / 3.0).sin()
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=255")]
        let byte = |at: usize| (255.0 * lit * level((at % 64) as f64, (at / 64) as f64)).clamp(0.0, 255.0) as u8;
        let rgb: Vec<u8> = (0..64 * 64).flat_map(|at| [byte(at); 3]).collect();
        let measures = Measures::of(&Picture::new(64, 64, &rgb).unwrap());
        Looked { time_us, measures, combed: false, damaged: false }
    }

    fn lit(frames: &[Looked]) -> Vec<usize> {
        flashes(frames, &vec![None; frames.len()])
    }

    #[test]
    fn what_is_lit_for_a_moment_is_in_a_flash() {
        let second = |at: i64, scene, lit| seen(at * 1_000_000, scene, lit);
        assert_eq!(lit(&[second(0, 1, 1.0), second(1, 1, 1.2), second(2, 1, 1.0), second(3, 1, 1.0)]), [1]);
        assert!(lit(&[second(0, 1, 1.0), second(1, 1, 1.05), second(2, 1, 1.0)]).is_empty(), "hardly brighter");
        assert!(lit(&[second(0, 1, 1.0), second(1, 1, 1.3), second(2, 1, 1.3)]).is_empty(), "it stays bright");
        assert!(lit(&[second(0, 1, 1.0), second(1, 3, 1.2), second(2, 1, 1.0)]).is_empty(), "another scene");
        assert!(lit(&[second(0, 1, 1.0), second(8, 1, 1.3), second(16, 1, 1.0)]).is_empty(), "far from each other");
        assert!(lit(&[second(0, 1, 1.3), second(1, 1, 1.0)]).is_empty(), "nothing before it");
    }

    #[test]
    fn a_flash_is_told_beside_good_frames_alone() {
        let frames = [seen(0, 1, 0.1), seen(1_000_000, 1, 1.0), seen(2_000_000, 1, 0.1)];
        assert_eq!(lit(&frames), [1]);
        let told = flaws(&frames, &[1.0; 3], 100_000_000);
        assert_ne!(told[1], Some(Flaw::Transition), "a scene between black frames is no flash");
    }
}
