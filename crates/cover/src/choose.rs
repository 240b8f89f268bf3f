//! Which frames are taken, by measures alone.

use std::collections::BTreeMap;

use pinpress_media::{Flaw, ScorePart};

use crate::flaw;
use crate::measure::Measures;
use crate::score::{Scored, representativeness};

/// A frame that was looked at.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    pub(crate) time_us: i64,
    pub(crate) measures: Measures,
}

/// What was chosen, by place in the list of frames.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// Best first; empty only when there was no frame.
    pub(crate) picks: Vec<Pick>,
    /// In order of time.
    pub(crate) rejected: Vec<(usize, Flaw)>,
}

/// A frame that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Pick {
    pub(crate) frame: usize,
    pub(crate) score: f64,
    pub(crate) parts: Vec<ScorePart>,
    pub(crate) flaw: Option<Flaw>,
}

/// Takes up to `count` frames, no two alike. `frames` are in order of time; `later` measures the picture a step
/// after a frame, which costs a decode and is asked only of frames that may be taken.
pub(crate) fn choose(
    frames: &[Looked],
    duration_us: i64,
    count: usize,
    later: &mut dyn FnMut(usize) -> Option<Measures>,
) -> Choice {
    let covered = covered(frames, duration_us);
    let mut flaws = flaws(frames);
    let clean: Vec<usize> = (0..frames.len()).filter(|at| !flaws.contains_key(at)).collect();
    let scorer = Scorer::new(frames, &clean, &covered);

    let mut movement: BTreeMap<usize, Option<f64>> = BTreeMap::new();
    let mut waiting = scorer.ranked(&clean, &BTreeMap::new()).into_iter().map(|pick| pick.frame).peekable();
    let mut picks = Vec::new();
    while picks.len() < count && waiting.peek().is_some() {
        for at in waiting.by_ref().take((2 * count).max(8)) {
            if is_like_any(frames, at, &picks) {
                flaws.insert(at, Flaw::Duplicate);
                continue;
            }
            let next = later(at);
            match next {
                Some(next) if flaw::is_transition(&frames[at].measures, &next) => {
                    flaws.insert(at, Flaw::Transition);
                }
                next => {
                    let moved = next.map(|next| frames[at].measures.grid.difference(&next.grid));
                    movement.insert(at, moved);
                }
            }
        }
        let measured: Vec<usize> = movement.keys().copied().collect();
        picks = distinct(frames, scorer.ranked(&measured, &movement), count, &mut flaws);
    }
    if picks.is_empty() {
        picks = least_bad(frames, &covered, &flaws, count);
    }
    for pick in &picks {
        flaws.remove(&pick.frame);
    }
    Choice { picks, rejected: flaws.into_iter().collect() }
}

/// What is wrong with each frame, by itself and beside the others.
fn flaws(frames: &[Looked]) -> BTreeMap<usize, Flaw> {
    let alone: Vec<Option<Flaw>> = frames.iter().map(|frame| flaw::of(&frame.measures)).collect();
    let good = frames.iter().zip(&alone).filter(|(_, flaw)| flaw.is_none()).map(|(frame, _)| &frame.measures);
    let good: Vec<&Measures> = good.collect();
    let beside = |frame: &Looked| flaw::is_blurred_beside(&frame.measures, &good).then_some(Flaw::Blurred);
    let all = frames.iter().zip(alone).map(|(frame, flaw)| flaw.or_else(|| beside(frame)));
    all.enumerate().filter_map(|(at, flaw)| Some((at, flaw?))).collect()
}

/// For a video without one clean frame: by score less what each flaw takes; dark frames only where all are dark.
fn least_bad(frames: &[Looked], covered: &[f64], flaws: &BTreeMap<usize, Flaw>, count: usize) -> Vec<Pick> {
    let dark = |at: &usize| flaws.get(at) == Some(&Flaw::TooDark);
    let mut which: Vec<usize> = (0..frames.len()).filter(|at| !dark(at)).collect();
    if which.is_empty() {
        which = (0..frames.len()).collect();
    }
    let mut ranked = Scorer::new(frames, &which, covered).ranked(&which, &BTreeMap::new());
    for pick in &mut ranked {
        pick.flaw = flaws.get(&pick.frame).copied();
        pick.score = (pick.score - flaw::penalty(pick.flaw)).max(0.0);
    }
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.frame.cmp(&b.frame)));
    distinct(frames, ranked, count, &mut BTreeMap::new())
}

/// The first `count` of `ranked` that look unlike all before them; notes the others as duplicates.
fn distinct(frames: &[Looked], ranked: Vec<Pick>, count: usize, flaws: &mut BTreeMap<usize, Flaw>) -> Vec<Pick> {
    let mut picks: Vec<Pick> = Vec::new();
    for pick in ranked {
        if picks.len() == count {
            break;
        }
        if is_like_any(frames, pick.frame, &picks) {
            flaws.insert(pick.frame, Flaw::Duplicate);
        } else {
            flaws.remove(&pick.frame);
            picks.push(pick);
        }
    }
    picks
}

fn is_like_any(frames: &[Looked], at: usize, picks: &[Pick]) -> bool {
    picks.iter().any(|pick| frames[pick.frame].measures.look.is_like(&frames[at].measures.look))
}

/// The time that each frame stands for, in seconds: up to half way to its neighbours.
fn covered(frames: &[Looked], duration_us: i64) -> Vec<f64> {
    let border = |left: i64, right: i64| left + (right - left) / 2;
    (0..frames.len())
        .map(|at| {
            let time = frames[at].time_us;
            let from = if at == 0 { 0 } else { border(frames[at - 1].time_us, time) };
            let to = frames.get(at + 1).map_or(duration_us.max(time), |next| border(time, next.time_us));
            (to - from).max(1) as f64 / 1e6
        })
        .collect()
}

/// Scores frames relative to a set of them.
struct Scorer<'a> {
    frames: &'a [Looked],
    representativeness: BTreeMap<usize, f64>,
    sharpest: f64,
}

impl<'a> Scorer<'a> {
    fn new(frames: &'a [Looked], among: &[usize], covered: &[f64]) -> Self {
        let measures: Vec<&Measures> = among.iter().map(|&at| &frames[at].measures).collect();
        let times: Vec<f64> = among.iter().map(|&at| covered[at]).collect();
        let values = representativeness(&measures, &times);
        Self {
            frames,
            representativeness: among.iter().copied().zip(values).collect(),
            sharpest: measures.iter().map(|measures| measures.detail).fold(0.0, f64::max),
        }
    }

    /// Best first; the earlier one first where the score is the same.
    fn ranked(&self, which: &[usize], movement: &BTreeMap<usize, Option<f64>>) -> Vec<Pick> {
        let mut picks: Vec<Pick> = which
            .iter()
            .map(|&frame| {
                let (score, parts) = Scored {
                    measures: &self.frames[frame].measures,
                    movement: movement.get(&frame).copied().flatten(),
                    representativeness: self.representativeness.get(&frame).copied().unwrap_or(0.0),
                    sharpest: self.sharpest,
                }
                .score();
                Pick { frame, score, parts, flaw: None }
            })
            .collect();
        picks.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.frame.cmp(&b.frame)));
        picks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;

    /// A frame of grey squares, `size` pixels each, up to `brightest`, that look different for each `seed`.
    fn squares(time_us: i64, seed: u32, size: u32, brightest: u32) -> Looked {
        let level = |x: u32, y: u32| {
            // Knuth's multiplicative hash: neighbouring squares differ.
            let hash = (x / size * 31 + y / size * 1_009 + seed * 100_003).wrapping_mul(2_654_435_761) >> 16;
            u8::try_from(brightest * (16 + hash % 48) / 64).unwrap()
        };
        let rgb: Vec<u8> = (0..64 * 64).flat_map(|at| [level(at % 64, at / 64); 3]).collect();
        Looked { time_us, measures: Measures::of(&Picture::new(64, 64, &rgb).unwrap()) }
    }

    #[test]
    fn no_two_picks_look_alike_and_the_copies_are_told() {
        let frames: Vec<Looked> = (0..6).map(|at| squares(i64::from(at) * 1_000_000, at % 2, 8, 200)).collect();
        let choice = choose(&frames, 6_000_000, 6, &mut |_| None);
        assert_eq!(choice.picks.len(), 2);
        assert!(choice.rejected.iter().all(|&(_, flaw)| flaw == Flaw::Duplicate));
        assert_eq!(choice.rejected.len(), 4);
    }

    #[test]
    fn a_flawed_frame_is_taken_only_when_nothing_else_is_there() {
        let (dark, good) = (squares(0, 1, 8, 20), squares(1_000_000, 2, 8, 200));
        let both = choose(&[dark.clone(), good], 2_000_000, 2, &mut |_| None);
        assert_eq!(both.picks.iter().map(|pick| (pick.frame, pick.flaw)).collect::<Vec<_>>(), [(1, None)]);
        assert_eq!(both.rejected, [(0, Flaw::TooDark)]);

        let alone = choose(&[dark], 2_000_000, 2, &mut |_| None);
        assert_eq!(alone.picks.iter().map(|pick| pick.flaw).collect::<Vec<_>>(), [Some(Flaw::TooDark)]);
        assert!(alone.rejected.is_empty());
    }

    #[test]
    fn a_frame_before_a_cut_gives_way_to_one_at_rest() {
        let frames = [squares(0, 1, 8, 200), squares(1_000_000, 2, 8, 200)];
        let other = squares(0, 3, 16, 200).measures;
        let choice = choose(&frames, 2_000_000, 1, &mut |at| {
            Some(if at == 0 { other.clone() } else { frames[1].measures.clone() })
        });
        assert_eq!(choice.picks[0].frame, 1);
        assert!(choice.rejected.contains(&(0, Flaw::Transition)), "{:?}", choice.rejected);
    }

    #[test]
    fn no_frame_is_no_pick() {
        assert!(choose(&[], 0, 3, &mut |_| None).picks.is_empty());
    }
}
